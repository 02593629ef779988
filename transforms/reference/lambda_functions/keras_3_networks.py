"""Functions of `keras.ops` that layers are made of: activations, windows, images, losses.

Source: keras/src/ops/nn.py and image.py of 3.15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.images import IMAGES
from transforms.reference.functions.operands import array, axes, integers, pair
from transforms.reference.lambda_functions.backend_windows import borders, pooled
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.activations import sigmoid
from transforms.reference.layers.correlation import correlate, correlate_depthwise, pad

_EPSILON = 1e-7


def _refuse_channels_first(data_format: Any) -> None:
    if data_format not in (None, "channels_last"):
        raise NotCovered(f"the data format {data_format}")


def _per_axis(value: Any, rank: int) -> tuple[int, ...]:
    found = integers(value)
    return tuple(found * rank if len(found) == 1 else found)


def _pool(average: bool) -> Callable[..., Array]:
    """Windows whose strides are their sizes by default."""

    def rule(
        inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
    ) -> Array:
        _refuse_channels_first(data_format)
        x = array(inputs)
        window = _per_axis(pool_size, x.ndim - 2)
        steps = window if strides is None else _per_axis(strides, x.ndim - 2)
        return pooled(x, window, steps, padding, average)

    return rule


def _convolution(correlation: Callable[..., Array]) -> Callable[..., Array]:
    def rule(
        inputs: Any,
        kernel: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
    ) -> Array:
        _refuse_channels_first(data_format)
        x, weights = array(inputs), array(kernel)
        rank = x.ndim - 2
        steps, rates = _per_axis(strides, rank), _per_axis(dilation_rate, rank)
        if str(padding).lower() == "same":
            x = pad(x, borders(x.shape[1:-1], weights.shape[:rank], steps, rates))
        return correlation(x, weights, steps, rates)

    return rule


def _resize(images: Any, size: Any, interpolation: Any = "bilinear", antialias: Any = False) -> Array:
    if antialias or interpolation not in ("bilinear", "nearest"):
        raise NotCovered(f"ops.image.resize with {interpolation}")
    return np.asarray(IMAGES["image.resize"](array(images), integers(size), method=interpolation))


def _grey(images: Any, data_format: Any = None) -> Array:
    _refuse_channels_first(data_format)
    return np.asarray(array(images) @ np.array([[0.2989], [0.5870], [0.1140]]))


def _celu(x: Any, alpha: Any = 1.0) -> Array:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    values, a = array(x), float(np.float32(alpha))
    return np.asarray(np.maximum(values, 0.0) + np.minimum(0.0, a * np.expm1(np.minimum(values, 0.0) / a)))


def _glu(x: Any, axis: Any = -1) -> Array:
    """The first half times the sigmoid of the second."""
    first, second = np.split(array(x), 2, axis=int(axis))
    return np.asarray(first * sigmoid(second))


def _squareplus(x: Any, b: Any = 4) -> Array:
    """(x + sqrt(x^2 + b)) / 2."""
    values = array(x)
    return np.asarray((values + np.sqrt(np.square(values) + float(b))) / 2.0)


def _moments(x: Any, axes_: Any, keepdims: Any) -> tuple[Array, Array]:
    values, over = array(x), axes(axes_)
    return (
        np.asarray(np.mean(values, axis=over, keepdims=bool(keepdims))),
        np.asarray(np.var(values, axis=over, keepdims=bool(keepdims))),
    )


def _normalized(
    x: Any, mean: Any, variance: Any, axis: Any, offset: Any = None, scale: Any = None, epsilon: Any = 1e-3
) -> Array:
    values = array(x)
    if integers(axis) not in ([-1], [values.ndim - 1]):
        raise NotCovered("ops.batch_normalization over another axis than the last")
    scaled = (values - array(mean)) / np.sqrt(array(variance) + float(np.float32(epsilon)))
    scaled = scaled if scale is None else scaled * array(scale)
    return np.asarray(scaled if offset is None else scaled + array(offset))


def _binary_loss(target: Any, output: Any, from_logits: Any = False) -> Array:
    """-(t log p + (1 - t) log(1 - p)), p within epsilon of 0 and 1."""
    wanted, given = pair(target, output)
    if from_logits:
        return np.asarray(np.maximum(given, 0) - given * wanted + np.log1p(np.exp(-np.abs(given))))
    p = np.clip(given, _EPSILON, 1.0 - _EPSILON)
    return np.asarray(-(wanted * np.log(p) + (1.0 - wanted) * np.log(1.0 - p)))


_RULES: Mapping[str, Callable[..., Any]] = {
    "average_pool": _pool(True),
    "batch_normalization": _normalized,
    "binary_crossentropy": _binary_loss,
    "celu": _celu,
    "conv": _convolution(correlate),
    "depthwise_conv": _convolution(correlate_depthwise),
    "glu": _glu,
    "hard_tanh": lambda x: np.clip(array(x), -1.0, 1.0),
    "image.resize": _resize,
    "image.rgb_to_grayscale": _grey,
    "max_pool": _pool(False),
    "moments": lambda x, axes, keepdims=False: _moments(x, axes, keepdims),
    "squareplus": _squareplus,
}

#: The rules by full name.
NETWORKS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
