"""The TensorFlow functions that a canonical graph may hold beside layers: a closed list.

Applied to a symbolic Keras tensor, each becomes a `TFOpLambda` layer, which every Keras 2 loader knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.keras_3_ops import KERAS_3_OPS


def _reverse(x: Any, axis: list[int]) -> Any:
    return tf.reverse(x, axis=axis)


def _last_step(x: Any) -> Any:
    """(batch, time, ...) -> (batch, ...): the last entry of the time axis."""
    return x[:, -1]


def _softmax(x: Any, axis: int) -> Any:
    return tf.nn.softmax(x, axis=axis)


def _relu(x: Any, threshold: float, negative_slope: float, max_value: float | None) -> Any:
    y = tf.where(tf.greater(x, threshold), x, tf.zeros_like(x))
    if max_value is not None:
        y = tf.minimum(tf.nn.relu(y), max_value)
    return y - negative_slope * tf.nn.relu(threshold - x) if negative_slope else y


def _resize_bilinear(x: Any, factors: int | list[int]) -> Any:
    """(batch, height, width, channels), resized as TensorFlow 1 did."""
    height, width = (factors, factors) if isinstance(factors, int) else factors
    free = None in x.shape[1:3]
    size = tf.shape(x)[1:3] * [height, width] if free else [x.shape[1] * height, x.shape[2] * width]
    return tf.compat.v1.image.resize_bilinear(x, size, align_corners=False, half_pixel_centers=False)


def _samplewise_normalization(x: Any, epsilon: float) -> Any:
    """(x - mean) / (sqrt(var + eps) + eps) over the last axis."""
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
    return centred / (tf.sqrt(variance + epsilon) + epsilon)


def _inverse_root(x: Any, floor: float) -> Any:
    return 1.0 / tf.maximum(tf.sqrt(x), floor)


def _expand_dims(x: Any, axis: int) -> Any:
    return tf.expand_dims(x, axis)


def _identity(x: Any) -> Any:
    return tf.identity(x)


def _complement(x: Any) -> Any:
    return 1.0 - x


TENSOR_OPS: Mapping[str, Callable[..., Any]] = {
    "reverse": _reverse,
    "last_step": _last_step,
    "softmax": _softmax,
    "relu": _relu,
    "resize_bilinear": _resize_bilinear,
    "samplewise_normalization": _samplewise_normalization,
    "inverse_root": _inverse_root,
    "expand_dims": _expand_dims,
    "identity": _identity,
    "complement": _complement,
    **KERAS_3_OPS,
}
