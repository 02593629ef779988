"""Functions of windows over an image or a sequence: pooling, convolution by constants, patches, frames.

`SAME` places ceil(n / s) windows; of the total = max((ceil(n / s) - 1) s + k - n, 0) positions that an axis lacks,
total // 2 stand in front (tensorflow/core/framework/common_shape_fns.cc, `GetWindowedOutputSizeVerboseV2`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from transforms.reference.functions.operands import array, integers
from transforms.reference.layer_call import Array, NotCovered

_CHANNELS_LAST = (None, "NHWC", "NWC", "NDHWC")


def _per_axis(value: Any, rank: int) -> list[int]:
    """One number for each spatial axis: stated once, for each, or with batch and channels around them."""
    stated = integers(1 if value is None else value)
    if len(stated) == rank + 2:
        if stated[0] != 1 or stated[-1] != 1:
            raise NotCovered("windows over the batch or the channels")
        stated = stated[1:-1]
    return stated * rank if len(stated) == 1 else stated


def _windows(
    x: Array, sizes: Sequence[int], strides: Sequence[int], steps: Sequence[int], padding: Any, fill: float
) -> Array:
    """(n, *space, c) -> (n, *places, c, *sizes): the numbers in each window, `fill` where it leaves the array."""
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise NotCovered(f"the padding {padding}")
    reach = [(size - 1) * step + 1 for size, step in zip(sizes, steps, strict=True)]
    if padding.upper() == "SAME":
        lacking = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(x.shape[1:-1], strides, reach, strict=True)]
        sides = [(0, 0), *((total // 2, total - total // 2) for total in lacking), (0, 0)]
        x = np.pad(x, sides, constant_values=fill)
    if any(n < k for n, k in zip(x.shape[1:-1], reach, strict=True)):
        raise ValueError("a window does not fit")
    axes = tuple(range(1, len(sizes) + 1))
    found = sliding_window_view(x, reach, axis=axes)
    places = tuple(slice(None, None, stride) for stride in strides)
    inside = tuple(slice(None, None, step) for step in steps)
    return np.asarray(found[(slice(None), *places, slice(None), *inside)])


def _refuse_channels_first(data_format: Any) -> None:
    if data_format not in _CHANNELS_LAST:
        raise NotCovered(f"the data format {data_format}")


def _pooled(average: bool) -> Callable[..., Array]:
    def rule(
        input: Any = None,
        ksize: Any = None,
        strides: Any = None,
        padding: Any = "VALID",
        data_format: Any = None,
        value: Any = None,
    ) -> Array:
        _refuse_channels_first(data_format)
        x = array(value if input is None else input)
        rank = x.ndim - 2
        sizes, steps = _per_axis(ksize, rank), _per_axis(strides, rank)
        over = tuple(range(-rank, 0))
        if not average:
            return np.asarray(_windows(x, sizes, steps, [1] * rank, padding, -np.inf).max(axis=over))
        total = _windows(x, sizes, steps, [1] * rank, padding, 0.0).sum(axis=over)
        count = _windows(np.ones_like(x[:1]), sizes, steps, [1] * rank, padding, 0.0).sum(axis=over)
        return np.asarray(total / count)

    return rule


def _pool(
    input: Any,
    window_shape: Any,
    pooling_type: Any,
    padding: Any = "VALID",
    dilation_rate: Any = None,
    strides: Any = None,
    data_format: Any = None,
    dilations: Any = None,
) -> Array:
    dilation_rate = dilations if dilation_rate is None else dilation_rate
    if dilation_rate is not None and any(rate != 1 for rate in integers(dilation_rate)):
        raise NotCovered("pooling with dilation")
    rule = _pooled(str(pooling_type).upper() == "AVG")
    return rule(input, window_shape, strides, padding, data_format)


def _convolved(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: Any = None,
    dilations: Any = None,
    filters: Any = None,
    dilation_rate: Any = None,
    use_cudnn_on_gpu: bool = True,
) -> Array:
    """y[n, p, o] = sum over window w and channel c of x[n, p + w, c] filter[w, c, o]."""
    _refuse_channels_first(data_format)
    x = array(input)
    kernel = array(filters if filter is None else filter, x)
    rank = x.ndim - 2
    steps = dilation_rate if dilations is None else dilations
    windows = _windows(x, kernel.shape[:rank], _per_axis(strides, rank), _per_axis(steps, rank), padding, 0.0)
    return np.asarray(np.tensordot(windows, kernel, axes=([-rank - 1, *range(-rank, 0)], [rank, *range(rank)])))


def _depthwise(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    rate: Any = None,
    data_format: Any = None,
    dilations: Any = None,
) -> Array:
    """y[n, p, c m + j] = sum over window w of x[n, p + w, c] filter[w, c, j], with m filters for each channel c."""
    _refuse_channels_first(data_format)
    x = array(input)
    kernel = array(filter, x)
    steps = _per_axis(rate if rate is not None else dilations, 2)
    windows = _windows(x, kernel.shape[:2], _per_axis(strides, 2), steps, padding, 0.0)
    y = np.einsum("npqchw,hwcj->npqcj", windows, kernel)
    return np.asarray(y.reshape(*y.shape[:3], -1))


def _patches(
    images: Any = None,
    sizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = "VALID",
    ksizes: Any = None,
) -> Array:
    """(n, h, w, c) -> (n, rows, columns, kh kw c), the channels of a pixel beside each other."""
    x = array(images)
    window = _per_axis(ksizes if sizes is None else sizes, 2)
    found = _windows(x, window, _per_axis(strides, 2), _per_axis(rates, 2), padding, 0.0)
    return np.asarray(np.moveaxis(found, 3, -1).reshape(*found.shape[:3], -1))


def _framed(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: Any = -1
) -> Array:
    """Frames of one length along the last axis, one step apart; what does not fill a frame is left out."""
    x = array(signal)
    if pad_end or int(axis) not in (-1, x.ndim - 1):
        raise NotCovered("frames that are padded, or along another axis")
    return np.asarray(sliding_window_view(x, int(frame_length), axis=-1)[..., :: int(frame_step), :])


WINDOWS: Mapping[str, Callable[..., Array]] = {
    **dict.fromkeys(("nn.avg_pool", "nn.avg_pool1d", "nn.avg_pool2d", "compat.v1.nn.avg_pool"), _pooled(True)),
    **dict.fromkeys(("nn.max_pool", "nn.max_pool1d", "nn.max_pool2d", "compat.v1.nn.max_pool"), _pooled(False)),
    "compat.v1.nn.pool": _pool,
    **dict.fromkeys(("compat.v1.nn.conv2d", "compat.v1.nn.convolution"), _convolved),
    "compat.v1.nn.depthwise_conv2d": _depthwise,
    "image.extract_patches": _patches,
    "signal.frame": _framed,
}
