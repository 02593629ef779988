"""The named activations of Keras 1, Keras 2 and tf.keras, in NumPy.

If a formula is Keras's own rather than the textbook's, the docstring names its source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import erf
from typing import Any, TypeAlias

import numpy as np

from transforms.records.runtime import Family
from transforms.reference.keras_3.activations import KERAS_3_FUNCTIONS
from transforms.reference.layer_call import Array, LayerCall, NotCovered

Activation: TypeAlias = Callable[[Array], Array]

#: Constants of Klambauer et al., 2017, to the digits that Keras and TensorFlow use.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_ERF = np.vectorize(erf, otypes=[np.float64])


def linear(x: Array) -> Array:
    """The input itself."""
    return x


def sigmoid(x: Array) -> Array:
    """The logistic function 1 / (1 + exp(-x)), without overflow."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, decay) / (1.0 + decay)


def hard_sigmoid(x: Array) -> Array:
    """The line clip(0.2 x + 0.5, 0, 1) of Keras 1 and 2; Keras 3 has relu6(x + 3) / 6."""
    return np.clip(0.2 * x + 0.5, 0.0, 1.0)


def softmax(x: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """The exponentials divided by their sum along an axis, or several."""
    weights = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(weights / weights.sum(axis=axis, keepdims=True))


def log_softmax(x: Array) -> Array:
    """The logarithm of softmax along the last axis."""
    lowered = x - x.max(axis=-1, keepdims=True)
    return np.asarray(lowered - np.log(np.exp(lowered).sum(axis=-1, keepdims=True)))


def softplus(x: Array) -> Array:
    """The smooth ramp log(1 + exp(x))."""
    return np.logaddexp(0.0, x)


def softsign(x: Array) -> Array:
    """The ratio x / (1 + |x|)."""
    return np.asarray(x / (1.0 + np.abs(x)))


def elu(x: Array, alpha: float = 1.0) -> Array:
    """ELU: x where x > 0, alpha * (exp(x) - 1) elsewhere."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def selu(x: Array) -> Array:
    """SELU: scale * elu(x, alpha)."""
    return np.asarray(_SELU_SCALE * elu(x, _SELU_ALPHA))


def swish(x: Array) -> Array:
    """Swish, or SiLU: x * sigmoid(x)."""
    return x * sigmoid(x)


def gelu(x: Array) -> Array:
    """GELU: x * Phi(x) with the exact normal distribution, the default of tf.keras (`approximate=False`)."""
    return np.asarray(x * 0.5 * (1.0 + _ERF(np.asarray(x, dtype=np.float64) / np.sqrt(2.0))))


def mish(x: Array) -> Array:
    """Mish: x * tanh(softplus(x))."""
    return np.asarray(x * np.tanh(softplus(x)))


def relu(x: Array, slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Array:
    """`K.relu`, step by step, since the order determines the effect of a negative threshold or a maximum.

    positive part: x where x > threshold, else 0; then clipped to [0, max_value] if there is a maximum, which also
    removes negative values above a negative threshold. Then minus slope * max(threshold - x, 0).
    """
    positive = np.where(x > threshold, x, 0.0)
    if max_value is not None:
        positive = np.clip(positive, 0.0, max_value)
    return np.asarray(positive - slope * np.maximum(threshold - x, 0.0)) if slope else np.asarray(positive)


def leaky_relu(x: Array, alpha: float | Array = 0.2) -> Array:
    """Leaky ReLU: x where x > 0, alpha * x elsewhere. The default is that of `tf.nn`; the layer stores its own."""
    return np.where(x > 0, x, alpha * x)


def thresholded_relu(x: Array, theta: float = 1.0) -> Array:
    """Thresholded ReLU: x where x > theta, else 0."""
    return np.where(x > theta, x, 0.0)


ACTIVATIONS: Mapping[str, Activation] = {
    "linear": linear,
    "relu": relu,
    "relu6": partial(relu, max_value=6.0),
    "leaky_relu": leaky_relu,
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "tanh": lambda x: np.asarray(np.tanh(x)),
    "softmax": softmax,
    "softmax_v2": softmax,
    "log_softmax": log_softmax,
    "log_softmax_v2": log_softmax,
    "softplus": softplus,
    "softsign": softsign,
    "elu": elu,
    "selu": selu,
    "exponential": lambda x: np.asarray(np.exp(x)),
    "swish": swish,
    "silu": swish,
    "gelu": gelu,
    "mish": mish,
}

#: The named activations of standalone Keras (`activations.py` of 2.3.1). Any other name is a custom function.
_STANDALONE = frozenset(
    {
        "linear",
        "relu",
        "sigmoid",
        "hard_sigmoid",
        "tanh",
        "softmax",
        "softplus",
        "softsign",
        "elu",
        "selu",
        "exponential",
    }
)


def _axis(config: Mapping[str, Any]) -> int | tuple[int, ...]:
    axis = config.get("axis", -1)
    return axis if isinstance(axis, int) else tuple(axis)


def _relu_layer(config: Mapping[str, Any]) -> Activation:
    return partial(
        relu,
        slope=float(config.get("negative_slope") or 0.0),
        max_value=config.get("max_value"),
        threshold=float(config.get("threshold") or 0.0),
    )


def _option(config: Mapping[str, Any], name: str, default: float) -> float:
    value = config.get(name)
    return default if value is None else float(value)


#: Activation layers determined by their config: config -> function.
ACTIVATION_LAYERS: Mapping[str, Callable[[Mapping[str, Any]], Activation]] = {
    # Keras 3 stores the slope as `negative_slope`.
    "LeakyReLU": lambda config: partial(
        leaky_relu, alpha=_option(config, "negative_slope", _option(config, "alpha", 0.3))
    ),
    "ELU": lambda config: partial(elu, alpha=_option(config, "alpha", 1.0)),
    "ThresholdedReLU": lambda config: partial(thresholded_relu, theta=_option(config, "theta", 1.0)),
    "ReLU": _relu_layer,
    "Softmax": lambda config: partial(softmax, axis=_axis(config)),
}


def activation_of(value: Any, call: LayerCall) -> Activation:
    """The function of a stored `activation`.

    It is a name, None, or a dictionary: `{"class_name": "LeakyReLU", "config": {...}}` for a layer used as an
    activation, `{"class_name": "function", "config": "relu"}` for a function that tf.keras 2.13 or later serialized.
    A PReLU used in this way has its alpha among the weights of the layer, in the shape of one sample or step.

    Raises NotCovered for anything else, such as a custom function.
    """
    if value is None:
        return linear
    if isinstance(value, str) and value in call.functions:
        return call.functions[value]
    if call.runtime.family is Family.KERAS_3 and isinstance(value, str) and value in KERAS_3_FUNCTIONS:
        return KERAS_3_FUNCTIONS[value]
    known = _STANDALONE if call.runtime.family is Family.KERAS else ACTIVATIONS
    if isinstance(value, str) and value in known:
        return ACTIVATIONS[value]
    if isinstance(value, str) and value in (*ACTIVATION_LAYERS, "PReLU") and call.runtime.family is not Family.KERAS:
        value = {"class_name": value, "config": {}}
    if isinstance(value, Mapping):
        class_name, config = str(value.get("class_name")), value.get("config")
        if class_name == "PReLU":
            return lambda x: leaky_relu(x, call.weights["alpha"])
        if class_name == "function":
            return activation_of(config, call)
        if class_name == "Activation" and isinstance(config, Mapping):
            return activation_of(config.get("activation"), call)
        if class_name in ACTIVATION_LAYERS and isinstance(config, Mapping):
            return ACTIVATION_LAYERS[class_name](config)
    raise NotCovered(f"activation {value!r}", call.path)
