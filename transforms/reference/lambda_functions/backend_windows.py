"""Functions of `keras.backend` on images and sequences: convolution, pooling, padding, resizing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.functions.images import IMAGES
from transforms.reference.functions.operands import array, integers
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.correlation import Pads, correlate, correlate_depthwise, extent, pad, shifted


def _is_first(data_format: Any) -> bool:
    return data_format in ("channels_first", "th")


def _last(x: Any, data_format: Any) -> Array:
    """Channels moved to the end."""
    values = array(x)
    return np.moveaxis(values, 1, -1) if _is_first(data_format) else values


def _as_given(x: Array, data_format: Any) -> Array:
    return np.moveaxis(x, -1, 1) if _is_first(data_format) else x


def borders(lengths: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]) -> Pads:
    """Padding `same` of TensorFlow: ceil(n / s) positions, the odd one after."""
    pads = []
    for n, k, s, d in zip(lengths, window, strides, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + extent(k, d) - n, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def _per_axis(value: Any, rank: int) -> tuple[int, ...]:
    found = integers(value)
    return tuple(found * rank if len(found) == 1 else found)


def _padded(x: Array, padding: Any, window: Any, strides: Any, dilation: Any, lowest: float = 0.0) -> Array:
    mode = str(padding).lower()
    if mode == "causal":
        return pad(x, ((extent(window[0], dilation[0]) - 1, 0),))
    if mode not in ("same", "valid"):
        raise NotCovered(f"the padding {padding}")
    return pad(x, borders(x.shape[1:-1], window, strides, dilation), lowest) if mode == "same" else x


def _convolution(rank: int) -> Callable[..., Array]:
    def rule(
        x: Any,
        kernel: Any,
        writer: Writer,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
    ) -> Array:
        if writer.backend == "theano":
            raise NotCovered("K.conv of Theano")
        filters, values = array(kernel), _last(x, data_format)
        steps, dilation = _per_axis(strides, rank), _per_axis(dilation_rate, rank)
        values = _padded(values, padding, filters.shape[:rank], steps, dilation)
        return _as_given(correlate(values, filters, steps, dilation), data_format)

    return rule


def _depthwise(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Array:
    filters, values = array(depthwise_kernel), _last(x, data_format)
    steps, dilation = _per_axis(strides, 2), _per_axis(dilation_rate, 2)
    values = _padded(values, padding, filters.shape[:2], steps, dilation)
    return _as_given(correlate_depthwise(values, filters, steps, dilation), data_format)


def pooled(x: Array, window: tuple[int, ...], steps: tuple[int, ...], padding: Any, average: bool) -> Array:
    """Pools windows of a channels-last array; padding of `same` is ignored."""
    ones = (1,) * len(window)
    if not average:
        views = shifted(_padded(x, padding, window, steps, ones, -np.inf), window, steps, ones)
        return np.asarray(np.max([view for _, view in views], axis=0))
    total = sum(view for _, view in shifted(_padded(x, padding, window, steps, ones), window, steps, ones))
    present = _padded(np.ones((1, *x.shape[1:-1], 1)), padding, window, steps, ones)
    return np.asarray(total / sum(view for _, view in shifted(present, window, steps, ones)))


def _pool_2d(
    x: Any,
    pool_size: Any,
    writer: Writer,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    pool_mode: Any = "max",
) -> Array:
    if writer.backend == "theano":
        raise NotCovered("K.pool2d of Theano")
    found = pooled(
        _last(x, data_format), _per_axis(pool_size, 2), _per_axis(strides, 2), padding, str(pool_mode) == "avg"
    )
    return _as_given(found, data_format)


def _resize_images(
    x: Any,
    height_factor: Any,
    width_factor: Any,
    writer: Writer,
    data_format: Any = "channels_last",
    interpolation: Any = "nearest",
) -> Array:
    """Nearest repeats; bilinear is aligned to corners, and since tf.keras 1.15 to pixel centres."""
    values = _last(x, data_format)
    size = [values.shape[1] * int(height_factor), values.shape[2] * int(width_factor)]
    if interpolation == "nearest":
        found = np.repeat(np.repeat(values, int(height_factor), axis=1), int(width_factor), axis=2)
    elif interpolation == "bilinear":
        by_centres = writer.standalone is None and writer.agree_on(
            lambda release: release >= (1, 15), "where K.resize_images samples", ()
        )
        found = IMAGES["compat.v1.image.resize_bilinear"](values, size, half_pixel_centers=by_centres)
    else:
        raise NotCovered(f"K.resize_images with the interpolation {interpolation}")
    return _as_given(found, data_format)


def _zeros_around(x: Any, pairs: Sequence[Sequence[int]], data_format: Any) -> Array:
    pads = [(int(before), int(after)) for before, after in pairs]
    return _as_given(np.pad(_last(x, data_format), [(0, 0), *pads, (0, 0)]), data_format)


def _pairs(padding: Any, rank: int) -> list[list[int]]:
    """Amounts before and after each axis; Keras 1 states one number for both sides."""
    found = padding if isinstance(padding, list) else [padding] * rank
    return [[int(each)] * 2 if np.ndim(each) == 0 else integers(each) for each in found]


def _temporal_padding(x: Any, padding: Any = 1) -> Array:
    before, after = integers(padding) if np.ndim(padding) else [int(padding)] * 2
    return _zeros_around(x, [[before, after]], None)


def _spatial_padding(rank: int) -> Callable[..., Array]:
    def rule(x: Any, padding: Any = 1, data_format: Any = None) -> Array:
        return _zeros_around(x, _pairs(padding, rank), data_format)

    return rule


def _asymmetric_2d(
    x: Any,
    top_pad: Any = 1,
    bottom_pad: Any = 1,
    left_pad: Any = 1,
    right_pad: Any = 1,
    data_format: Any = None,
) -> Array:
    return _zeros_around(x, [[top_pad, bottom_pad], [left_pad, right_pad]], data_format)


WINDOWS: Mapping[str, Callable[..., Any]] = {
    "asymmetric_spatial_2d_padding": _asymmetric_2d,
    "asymmetric_temporal_padding": lambda x, left_pad=1, right_pad=1: _zeros_around(x, [[left_pad, right_pad]], None),
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "depthwise_conv2d": _depthwise,
    "pool2d": _pool_2d,
    "resize_images": _resize_images,
    "spatial_2d_padding": _spatial_padding(2),
    "spatial_3d_padding": _spatial_padding(3),
    "temporal_padding": _temporal_padding,
}
