"""Functions of `keras.activations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import Era, floats


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """ReLU: x from the threshold on, alpha * (x - threshold) below it, at most `max_value`."""
    alpha, threshold = alpha or 0.0, threshold or 0.0
    above = x * tf.cast(tf.greater(x, threshold), x.dtype) if threshold else tf.nn.relu(x)
    if max_value is not None:
        above = tf.minimum(above, tf.constant(max_value, above.dtype))
    return above - alpha * tf.nn.relu(threshold - x) if alpha else above


def elu(x: Any, alpha: float = 1.0) -> Any:
    """ELU: x above 0, alpha * (exp(x) - 1) below."""
    y = tf.nn.elu(x)
    return y if alpha == 1 else tf.where(tf.greater(x, 0), y, alpha * y)


def softmax(x: Any, axis: Any = -1) -> Any:
    """Softmax along an axis or several."""
    if not isinstance(axis, list):
        return tf.nn.softmax(x, axis=axis)
    y = tf.exp(x - tf.reduce_max(x, axis=axis, keepdims=True))
    return y / tf.reduce_sum(y, axis=axis, keepdims=True)


def hard_sigmoid(x: Any, era: Era) -> Any:
    """A line between 0 and 1; its slope is 1/6 in Keras 3, 1/5 before."""
    return tf.nn.relu6(x + 3.0) / 6.0 if era.keras_3 else tf.clip_by_value(0.2 * floats(x) + 0.5, 0.0, 1.0)


def gelu(x: Any, approximate: bool = False) -> Any:
    """GELU: x (1 + erf(x / sqrt 2)) / 2, or its approximation by tanh."""
    if approximate:
        return 0.5 * x * (1.0 + tf.tanh(0.7978845608028654 * (x + 0.044715 * tf.pow(x, 3))))
    return 0.5 * x * (1.0 + tf.math.erf(x / 1.4142135623730951))


ACTIVATIONS: Mapping[str, Callable[..., Any]] = {
    "keras.activations.elu": elu,
    "keras.activations.exponential": lambda x: tf.exp(x),
    "keras.activations.gelu": gelu,
    "keras.activations.hard_sigmoid": hard_sigmoid,
    "keras.activations.leaky_relu": lambda x, negative_slope=0.2: tf.nn.leaky_relu(x, alpha=negative_slope),
    "keras.activations.linear": lambda x: tf.identity(x),
    "keras.activations.log_softmax": lambda x, axis=-1: tf.nn.log_softmax(x, axis=axis),
    "keras.activations.mish": lambda x: x * tf.tanh(tf.nn.softplus(x)),
    "keras.activations.relu": relu,
    "keras.activations.relu6": lambda x: tf.nn.relu6(x),
    "keras.activations.selu": lambda x: tf.nn.selu(x),
    "keras.activations.sigmoid": lambda x: tf.sigmoid(x),
    "keras.activations.silu": lambda x: x * tf.sigmoid(x),
    "keras.activations.softmax": softmax,
    "keras.activations.softplus": lambda x: tf.nn.softplus(x),
    "keras.activations.softsign": lambda x: tf.nn.softsign(x),
    "keras.activations.swish": lambda x: x * tf.sigmoid(x),
    "keras.activations.tanh": lambda x: tf.tanh(x),
}
