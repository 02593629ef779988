"""Output shapes of layers that work on axes between batch and channels: convolution, pooling, padding, cropping.

A shape starts with the batch, and has None for an extent that is free or unknown. Options have the names of Keras 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transforms.layer_specs.config import at
from transforms.layer_specs.spec import Config, ShapeRule
from transforms.records.inspection import Shape


def spatial(kind: str, rank: int) -> ShapeRule:
    """The rule of a class such as `Conv` or `MaxPooling` over `rank` axes."""

    def rule(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
        x = inputs[0]
        if len(x) != rank + 2:
            return []
        first = options.get("data_format") == "channels_first"
        extents, channels = (x[2:], x[1]) if first else (x[1:-1], x[-1])
        moved = [_moved(kind, options, extent, axis, rank) for axis, extent in enumerate(extents)]
        if kind == "DepthwiseConv":
            channels = None if channels is None else channels * int(options.get("depth_multiplier", 1))
        elif "filters" in options:
            channels = options["filters"]
        return [_placed(x[0], moved, channels, first)]

    return rule


def global_pooling(rank: int) -> ShapeRule:
    """The rule of a pooling layer that removes the axes, or keeps them with extent 1 (`keepdims`)."""

    def rule(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
        x = inputs[0]
        if len(x) != rank + 2:
            return []
        first = options.get("data_format") == "channels_first"
        kept = (1,) * rank if options.get("keepdims") else ()
        return [_placed(x[0], kept, x[1] if first else x[-1], first)]

    return rule


def transposed_convolution(rank: int) -> ShapeRule:
    """`ConvTranspose`; Deconvolution2D of Keras 1 states its output shape."""
    by_window = spatial("ConvTranspose", rank)

    def rule(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
        if "output_shape" in options:
            return [(inputs[0][0], *options["output_shape"][1:])]
        return by_window(options, inputs)

    return rule


def _placed(batch: int | None, extents: Sequence[int | None], channels: int | None, first: bool) -> Shape:
    return (batch, channels, *extents) if first else (batch, *extents, channels)


def _moved(kind: str, options: Config, extent: int | None, axis: int, rank: int) -> int | None:
    """The extent of one axis in the output."""
    if extent is None:
        return None
    if kind == "UpSampling":
        return extent * at(options.get("size", 2), axis)
    if kind in ("ZeroPadding", "Cropping"):
        amount = options.get("padding" if kind == "ZeroPadding" else "cropping", 1)
        both = amount if rank == 1 else amount[axis] if isinstance(amount, list) else amount
        change = sum(both) if isinstance(both, list) else 2 * int(both)
        return extent + change if kind == "ZeroPadding" else extent - change
    pooling = kind.endswith("Pooling")
    window = at(options.get("pool_size", 2) if pooling else options["kernel_size"], axis)
    default = window if pooling else 1
    stated = options.get("strides")
    stride = default if stated is None else at(stated, axis)
    reach = (window - 1) * at(options.get("dilation_rate") or 1, axis) + 1
    padding = options.get("padding", "valid")
    if kind.endswith("Transpose"):
        return _transposed(extent, reach, stride, padding, options.get("output_padding"), axis)
    if padding in ("same", "causal"):
        return -(-extent // stride)
    return (extent - reach) // stride + 1 if padding == "valid" else None


def _transposed(extent: int, reach: int, stride: int, padding: str, extra: Any, axis: int) -> int:
    """The output extent, as in `deconv_output_length` of keras/utils/conv_utils.py."""
    if extra is None:
        return extent * stride + (max(reach - stride, 0) if padding == "valid" else 0)
    return (extent - 1) * stride + reach + at(extra, axis) - (2 * (reach // 2) if padding == "same" else 0)
