"""The TensorFlow functions that a canonical graph may hold beside layers: a closed list.

Applied to a symbolic Keras tensor, each becomes a `TFOpLambda` layer, which every Keras 2 loader knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf


def _reverse(x: Any, axis: list[int]) -> Any:
    return tf.reverse(x, axis=axis)


def _last_step(x: Any) -> Any:
    """(batch, time, ...) -> (batch, ...): the last entry of the time axis."""
    return x[:, -1]


def _softmax(x: Any, axis: int) -> Any:
    return tf.nn.softmax(x, axis=axis)


def _relu(x: Any, threshold: float, negative_slope: float, max_value: float | None) -> Any:
    y = tf.where(tf.greater_equal(x, threshold), x, negative_slope * (x - threshold))
    return y if max_value is None else tf.minimum(y, max_value)


TENSOR_OPS: Mapping[str, Callable[..., Any]] = {
    "reverse": _reverse,
    "last_step": _last_step,
    "softmax": _softmax,
    "relu": _relu,
}
