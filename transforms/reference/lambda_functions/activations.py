"""Functions of `keras.activations`. If Keras 3 redefined one, the writer decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.functions.operands import array
from transforms.reference.layer_call import Array
from transforms.reference.layers import activations


def _one(function: Callable[[Array], Any]) -> Callable[..., Array]:
    return lambda x: np.asarray(function(array(x)))


def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Array:
    """The rectifier in its general form, with a slope below the threshold."""
    most = None if max_value is None else float(max_value)
    return activations.relu(array(x), float(np.float32(alpha)), most, float(threshold))


def elu(x: Any, alpha: Any = 1.0) -> Array:
    """ELU: x above 0, alpha * (exp(x) - 1) below."""
    return activations.elu(array(x), float(np.float32(alpha)))


def softmax(x: Any, axis: Any = -1) -> Array:
    """Softmax along an axis or several."""
    return activations.softmax(array(x), tuple(axis) if isinstance(axis, list) else int(axis))


def hard_sigmoid(x: Any, writer: Writer) -> Array:
    """clip(0.2 x + 0.5, 0, 1); in Keras 3 clip(x / 6 + 0.5, 0, 1)."""
    values = array(x)
    return np.asarray(np.clip(values / 6.0 + 0.5, 0.0, 1.0)) if is_keras_3(writer) else activations.hard_sigmoid(values)


def is_keras_3(writer: Writer) -> bool:
    """True if Keras 3 wrote the model: its version is in place of TensorFlow's."""
    return writer.standalone is None and all(release >= (3,) for release in writer.releases)


def _gelu(x: Any, approximate: bool = False) -> Array:
    values = array(x)
    if not approximate:
        return activations.gelu(values)
    return np.asarray(0.5 * values * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (values + 0.044715 * values**3))))


def _log_softmax(x: Any, axis: Any = -1) -> Array:
    values = np.moveaxis(array(x), int(axis), -1)
    return np.moveaxis(activations.log_softmax(values), -1, int(axis))


ACTIVATIONS: Mapping[str, Callable[..., Array]] = {
    "keras.activations.elu": elu,
    "keras.activations.exponential": _one(np.exp),
    "keras.activations.gelu": _gelu,
    "keras.activations.hard_sigmoid": hard_sigmoid,
    "keras.activations.leaky_relu": lambda x, negative_slope=0.2: activations.leaky_relu(
        array(x), float(np.float32(negative_slope))
    ),
    "keras.activations.linear": _one(lambda x: x),
    "keras.activations.log_softmax": _log_softmax,
    "keras.activations.mish": _one(activations.mish),
    "keras.activations.relu": relu,
    "keras.activations.relu6": _one(lambda x: np.clip(x, 0.0, 6.0)),
    "keras.activations.selu": _one(activations.selu),
    "keras.activations.sigmoid": _one(activations.sigmoid),
    "keras.activations.silu": _one(activations.swish),
    "keras.activations.softmax": softmax,
    "keras.activations.softplus": _one(activations.softplus),
    "keras.activations.softsign": _one(activations.softsign),
    "keras.activations.swish": _one(activations.swish),
    "keras.activations.tanh": _one(np.tanh),
}
