"""Functions of TensorFlow that stored functions call and that do not occur as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, integers, pair, real
from transforms.reference.lambda_functions.backend_windows import borders
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.activations import log_softmax
from transforms.reference.layers.correlation import correlate, correlate_depthwise, pad

_KINDS = {"f": np.float64, "i": np.int64, "b": bool}


def _python_2_division(x: Any, y: Any) -> Array:
    a, b = pair(x, y)
    whole = a.dtype.kind == "i" and b.dtype.kind == "i"
    return np.asarray(np.floor_divide(a, b) if whole else np.true_divide(a, b))


def _constant(value: Any, dtype: Any = None, shape: Any = None) -> Array:
    """A constant; a single value fills a shape."""
    made = array(value) if dtype is None else ELEMENTWISE["cast"](array(value), dtype=dtype)
    if shape is None:
        return made
    return np.broadcast_to(made, integers(shape)) if made.size == 1 else made.reshape(integers(shape))


def _eye(num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = None) -> Array:
    made = np.eye(int(num_rows), None if num_columns is None else int(num_columns)).astype(_KINDS[real(dtype)])
    return made if batch_shape is None else np.broadcast_to(made, (*integers(batch_shape), *made.shape))


def _linspace(start: Any, stop: Any, num: Any, axis: Any = 0) -> Array:
    return np.linspace(array(start), array(stop), int(num), axis=int(axis))


def _moments(x: Any, axes_: Any, keepdims: Any) -> tuple[Array, Array]:
    values, over = array(x), axes(axes_)
    return (
        np.asarray(np.mean(values, axis=over, keepdims=bool(keepdims))),
        np.asarray(np.var(values, axis=over, keepdims=bool(keepdims))),
    )


def _normalized(
    x: Any, mean: Any, variance: Any, offset: Any = None, scale: Any = None, variance_epsilon: Any = 0.0
) -> Array:
    scaled = (array(x) - array(mean)) / np.sqrt(array(variance) + float(np.float32(variance_epsilon)))
    scaled = scaled if scale is None else scaled * array(scale, scaled)
    return np.asarray(scaled if offset is None else scaled + array(offset, scaled))


def _middle(value: Any) -> tuple[int, int]:
    """Two of four numbers, or of two, or one for both."""
    found = integers(value)
    return (
        (found[0], found[0]) if len(found) == 1 else (found[-3], found[-2]) if len(found) == 4 else (found[0], found[1])
    )


def _convolution(filters: str, correlation: Callable[..., Array]) -> Callable[..., Array]:
    def rule(
        input: Any, strides: Any, padding: Any, data_format: Any = "NHWC", dilations: Any = None, **kernel: Any
    ) -> Array:
        _refuse_channels_first(data_format)
        if not isinstance(padding, str):
            raise NotCovered("a convolution with explicit padding")
        x, weights = array(input), array(kernel[filters])
        steps, rates = _middle(strides), _middle(1 if dilations is None else dilations)
        if padding.upper() == "SAME":
            x = pad(x, borders(x.shape[1:3], weights.shape[:2], steps, rates))
        return correlation(x, weights, steps, rates)

    return rule


def _conv_2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: Any = "NHWC", dilations: Any = None
) -> Array:
    return _convolution("filters", correlate)(
        input, strides, padding, data_format=data_format, dilations=dilations, filters=filters
    )


def _depthwise_2d(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = "NHWC", dilations: Any = None
) -> Array:
    return _convolution("filter", correlate_depthwise)(
        input, strides, padding, data_format=data_format, dilations=dilations, filter=filter
    )


def _refuse_channels_first(data_format: Any) -> None:
    if data_format not in (None, "NHWC"):
        raise NotCovered(f"the data format {data_format}")


def _softmax_loss(labels: Any, logits: Any, axis: Any = -1) -> Array:
    z, x = array(labels), np.moveaxis(array(logits), int(axis), -1)
    return np.asarray(-np.sum(np.moveaxis(z, int(axis), -1) * log_softmax(x), axis=-1))


def _reversed_sequence(input: Any, seq_lengths: Any, seq_axis: Any = 1, batch_axis: Any = 0) -> Array:
    if int(batch_axis or 0) != 0 or int(seq_axis) != 1:
        raise NotCovered("reverse_sequence along other axes")
    x = array(input).copy()
    for row, length in zip(x, integers(seq_lengths), strict=True):
        row[:length] = row[:length][::-1]
    return x


def _scattered(indices: Any, updates: Any, shape: Any) -> Array:
    values = array(updates)
    found = np.zeros(integers(shape), values.dtype)
    np.add.at(found, tuple(np.moveaxis(array(indices).astype(np.int64), -1, 0)), values)
    return found


def _masked(tensor: Any, mask: Any, axis: Any = None) -> Array:
    """The entries where the mask is true, whose axes begin with `axis` of the tensor."""
    x, kept, first = array(tensor), array(mask).astype(bool), int(axis or 0)
    return np.compress(kept.ravel(), x.reshape(*x.shape[:first], -1, *x.shape[first + kept.ndim :]), axis=first)


def _saturated(value: Any, dtype: Any) -> Array:
    """Kept within the range of the dtype, then cast."""
    x = array(value)
    kind = np.dtype(str(dtype))
    limits: Any = np.iinfo(kind) if kind.kind in "iu" else np.finfo(kind)
    return ELEMENTWISE["cast"](np.clip(x, limits.min, limits.max), dtype=dtype)


def _meshgrid(args: Any, indexing: Any = "xy") -> tuple[Array, ...]:
    return tuple(np.meshgrid(*map(array, args), indexing="ij" if indexing == "ij" else "xy"))


def _one_axis(input: Any) -> Array:
    """(n, t, c) -> (n, t, 1, c)."""
    return np.expand_dims(array(input), 2)


def _step(value: Any) -> tuple[int, int]:
    found = integers(value)
    return (found[-2] if len(found) == 3 else found[0], 1)


def _conv_1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: Any = "NWC", dilations: Any = None
) -> Array:
    if data_format not in (None, "NWC", "NHWC"):
        raise NotCovered(f"the data format {data_format}")
    rates = None if dilations is None else list(_step(dilations))
    kernel = np.expand_dims(array(filters), 1)
    return _conv_2d(_one_axis(input), kernel, list(_step(stride)), padding, dilations=rates)[:, :, 0]


TENSORFLOW: Mapping[str, Callable[..., Any]] = {
    "boolean_mask": _masked,
    "compat.v1.div": _python_2_division,
    "constant": _constant,
    "eye": _eye,
    "linspace": _linspace,
    "math.logical_xor": lambda x, y: np.logical_xor(*pair(x, y)),
    "meshgrid": _meshgrid,
    "nn.batch_normalization": _normalized,
    "nn.conv1d": _conv_1d,
    "nn.conv2d": _conv_2d,
    "nn.depthwise_conv2d": _depthwise_2d,
    "nn.moments": lambda x, axes, shift=None, keepdims=False: _moments(x, axes, keepdims),
    "nn.softmax_cross_entropy_with_logits": _softmax_loss,
    "reverse_sequence": _reversed_sequence,
    "saturate_cast": _saturated,
    "scatter_nd": _scattered,
}
