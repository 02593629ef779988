"""Functions of TensorFlow that stored functions call and that do not occur as layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, clear_of_ties, integers, pair, real
from transforms.reference.lambda_functions.backend_windows import borders, pooled
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.activations import log_softmax
from transforms.reference.layers.correlation import correlate, correlate_depthwise, pad

_LGAMMA = np.vectorize(math.lgamma, otypes=[np.float64])
_KINDS = {"f": np.float64, "i": np.int64, "b": bool}


def _argsort(values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: Any = False) -> Array:
    x = np.moveaxis(array(values), int(axis), -1)
    order = np.argsort(-x if direction == "DESCENDING" else x, axis=-1, kind="stable")
    ranked = np.take_along_axis(x, order, axis=-1)
    clear_of_ties(ranked[..., :-1], ranked[..., 1:])
    return np.moveaxis(order, -1, int(axis))


def _python_2_division(x: Any, y: Any) -> Array:
    a, b = pair(x, y)
    whole = a.dtype.kind == "i" and b.dtype.kind == "i"
    return np.asarray(np.floor_divide(a, b) if whole else np.true_divide(a, b))


def _cubic(x: Array, axis: int, wanted: int, align_corners: bool, half_pixel: bool) -> Array:
    """Cubic convolution of Keys, a = -0.75, by the table of 1,024 steps in TensorFlow's kernel."""
    length = x.shape[axis]
    corners = align_corners and wanted > 1
    scale = np.float32((length - 1) / (wanted - 1)) if corners else np.float32(length) / np.float32(wanted)
    index = np.arange(wanted, dtype=np.float32)
    places = (index + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel else index * scale
    below = np.floor(places).astype(np.int64)
    steps = np.rint((places - below) * 1024).astype(np.int64) / 1024.0
    found = np.zeros((*x.shape[:axis], wanted, *x.shape[axis + 1 :]))
    a = -0.5 if half_pixel else -0.75
    total = np.zeros(wanted)
    for offset in (-1, 0, 1, 2):
        distance = np.abs(steps - offset)
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
        weights = np.where(distance <= 1, near, far)
        if half_pixel:
            weights = np.where((below + offset < 0) | (below + offset >= length), 0.0, weights)
        total = total + weights
        taken = np.take(x, np.clip(below + offset, 0, length - 1), axis=axis)
        found += taken * weights.reshape(-1, *(1,) * (x.ndim - axis - 1))
    return np.asarray(found / (total if half_pixel else np.ones(wanted)).reshape(-1, *(1,) * (x.ndim - axis - 1)))


def _bicubic(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Array:
    x = array(images).astype(np.float64)
    for axis, wanted in enumerate(integers(size), start=1):
        x = _cubic(x, axis, wanted, bool(align_corners), bool(half_pixel_centers))
    return x


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


def _brighter(image: Any, delta: Any) -> Array:
    return np.asarray(_of_floats(image) + array(delta, np.float64(0)))


def _of_floats(image: Any) -> Array:
    x = array(image)
    if x.dtype.kind != "f":
        raise NotCovered("an image of integers, whose range differs")
    return x


def _contrast(images: Any, contrast_factor: Any) -> Array:
    """(x - mean) * factor + mean, the mean of each channel of each image."""
    x = _of_floats(images)
    mean = x.mean(axis=(-3, -2), keepdims=True)
    return np.asarray((x - mean) * array(contrast_factor, x) + mean)


def _central_crop(image: Any, central_fraction: Any) -> Array:
    x, share = array(image), float(central_fraction)
    rows, columns = (int((length - length * share) / 2) for length in x.shape[-3:-1])
    height, width = x.shape[-3] - 2 * rows, x.shape[-2] - 2 * columns
    return np.asarray(x[..., rows : rows + height, columns : columns + width, :])


def _image_dtype(image: Any, dtype: Any, saturate: Any = False) -> Array:
    if np.asarray(image).dtype.kind != "f" or real(dtype) != "f":
        raise NotCovered("image.convert_image_dtype of integers")
    return array(image)


def _patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: Any) -> Array:
    """The values of each window in sequence: rows, then columns, then channels."""
    x = array(images)
    (_, kh, kw, _), (_, sh, sw, _), (_, rh, rw, _) = (integers(each) for each in (sizes, strides, rates))
    if str(padding).upper() == "SAME":
        x = pad(x, borders(x.shape[1:3], (kh, kw), (sh, sw), (rh, rw)))
    height = (x.shape[1] - (kh - 1) * rh - 1) // sh + 1
    width = (x.shape[2] - (kw - 1) * rw - 1) // sw + 1
    found = [
        x[:, i * rh : i * rh + (height - 1) * sh + 1 : sh, j * rw : j * rw + (width - 1) * sw + 1 : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    return np.concatenate(found, axis=-1)


def _standardized(image: Any) -> Array:
    """(x - mean) / max(std, 1 / sqrt(size)) over each image."""
    x = _of_floats(image)
    over = (-3, -2, -1)
    deviation = np.maximum(x.std(axis=over, keepdims=True), 1.0 / np.sqrt(np.prod(x.shape[-3:])))
    return np.asarray((x - x.mean(axis=over, keepdims=True)) / deviation)


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


def _pool(average: bool) -> Callable[..., Array]:
    def rule(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NHWC") -> Array:
        _refuse_channels_first(data_format)
        return pooled(array(input), _middle(ksize), _middle(strides), padding, average)

    return rule


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


def _sigmoid_loss(labels: Any, logits: Any) -> Array:
    z, x = pair(labels, logits)
    return np.asarray(np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x))))


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


def _updated(tensor: Any, indices: Any, updates: Any) -> Array:
    found = array(tensor).copy()
    found[tuple(np.moveaxis(array(indices).astype(np.int64), -1, 0))] = array(updates, found)
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


def _pool_1d(average: bool) -> Callable[..., Array]:
    def rule(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NWC") -> Array:
        if data_format not in (None, "NWC"):
            raise NotCovered(f"the data format {data_format}")
        return pooled(_one_axis(input), _step(ksize), _step(strides), padding, average)[:, :, 0]

    return rule


def _diagonal_matrix(diagonal: Any) -> Array:
    x = array(diagonal)
    return np.asarray(x[..., np.newaxis] * np.eye(x.shape[-1], dtype=x.dtype))


def _inverse(input: Any, adjoint: Any = False) -> Array:
    x = np.linalg.inv(array(input))
    return np.swapaxes(x, -1, -2) if adjoint else x


def _share_of_zeros(value: Any, dtype: Any = None) -> Array:
    return np.asarray(np.mean(array(value) == 0))


TENSORFLOW: Mapping[str, Callable[..., Any]] = {
    "argsort": _argsort,
    "boolean_mask": _masked,
    "compat.v1.div": _python_2_division,
    "compat.v1.image.resize_bicubic": _bicubic,
    "constant": _constant,
    "eye": _eye,
    "image.adjust_brightness": _brighter,
    "image.adjust_contrast": _contrast,
    "image.central_crop": _central_crop,
    "image.convert_image_dtype": _image_dtype,
    "image.extract_patches": _patches,
    "image.per_image_standardization": _standardized,
    "image.rot90": lambda image, k=1: np.rot90(array(image), int(k), axes=(-3, -2)),
    "image.transpose": lambda image: np.swapaxes(array(image), -3, -2),
    "linalg.cross": lambda a, b: np.cross(array(a), array(b)),
    "linalg.det": lambda input: np.linalg.det(array(input)),
    "linalg.diag": _diagonal_matrix,
    "linalg.inv": _inverse,
    "linspace": _linspace,
    "math.lgamma": lambda x: _LGAMMA(array(x)),
    "math.logical_xor": lambda x, y: np.logical_xor(*pair(x, y)),
    "math.zero_fraction": _share_of_zeros,
    "meshgrid": _meshgrid,
    "nn.avg_pool1d": _pool_1d(True),
    "nn.avg_pool2d": _pool(True),
    "nn.batch_normalization": _normalized,
    "nn.conv1d": _conv_1d,
    "nn.conv2d": _conv_2d,
    "nn.depthwise_conv2d": _depthwise_2d,
    "nn.max_pool1d": _pool_1d(False),
    "nn.max_pool2d": _pool(False),
    "nn.moments": lambda x, axes, shift=None, keepdims=False: _moments(x, axes, keepdims),
    "nn.sigmoid_cross_entropy_with_logits": _sigmoid_loss,
    "nn.softmax_cross_entropy_with_logits": _softmax_loss,
    "reverse_sequence": _reversed_sequence,
    "saturate_cast": _saturated,
    "scatter_nd": _scattered,
    "tensor_scatter_nd_update": _updated,
}
