"""Output shapes of single layers, told from their options: what `inspect` shows, and nothing else relies on.

A shape has the batch in front, and None for an extent that is free or not known. Options bear the names of Keras 2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from transforms.records.inspection import Shape

Options: TypeAlias = Mapping[str, Any]

KEEPS_SHAPE = frozenset(
    """
    Activation ActivityRegularization AlphaDropout BatchNormalization BatchNormalizationV1 BatchNormalizationV2 Dropout
    ELU GaussianDropout GaussianNoise GroupNormalization Highway Identity LayerNormalization LeakyReLU Masking
    Normalization PReLU RandomBrightness RandomContrast RandomFlip RandomRotation RandomTranslation RandomZoom ReLU
    Rescaling Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D SyncBatchNormalization ThresholdedReLU
    UnitNormalization
    """.split()
)
RECURRENT = frozenset("SimpleRNN LSTM GRU CuDNNLSTM CuDNNGRU UnifiedLSTM UnifiedGRU".split())
_BROADCAST = frozenset("Add Subtract Multiply Average Maximum Minimum".split())
_SPATIAL = re.compile(r"(.+?)([123])D(Transpose)?")


def layer_shapes(class_name: str, options: Options, inputs: Sequence[Shape]) -> list[Shape]:
    """The shapes of a layer's outputs; empty where there is no rule.

    Args:
        class_name: in the names of Keras 2.
        options: the layer's config.
        inputs: the shapes of its inputs.
    """
    x = inputs[0]
    if class_name in KEEPS_SHAPE:
        return [x]
    if class_name in RECURRENT:
        return _recurrent(class_name, options, x)
    if class_name in _BROADCAST:
        return [_broadcast(inputs)]
    if class_name == "Conv2DTranspose" and "output_shape" in options:
        return [(x[0], *options["output_shape"][1:])]  # Deconvolution2D of Keras 1 states it
    if spatial := _SPATIAL.fullmatch(class_name):
        return _spatial(spatial[1] + (spatial[3] or ""), int(spatial[2]), options, x)
    match class_name:
        case "Dense":
            return [(*x[:-1], options["units"])]
        case "Embedding":
            return [(*x, options["output_dim"])]
        case "Flatten":
            return [(x[0], product(x[1:]))]
        case "Reshape":
            return [(x[0], *_reshaped(x[1:], options["target_shape"]))]
        case "Permute":
            return [(x[0], *(x[axis] for axis in options["dims"]))]
        case "Resizing" | "CenterCrop":
            return [(*x[:-3], options["height"], options["width"], x[-1])]
        case "RepeatVector":
            return [(x[0], options["n"], x[1])]
        case "Concatenate":
            return [_concatenated(inputs, options.get("axis", -1))]
        case "Dot":
            return [_dot(inputs, options["axes"])]
        case "Merge":
            return _keras_1_merge(options, inputs)
        case "MaxoutDense":
            return [(x[0], options["output_dim"])]
    return []


def product(extents: Sequence[int | None]) -> int | None:
    """The number of elements, None where an extent is free."""
    known = [extent for extent in extents if extent is not None]
    return math.prod(known) if len(known) == len(extents) else None


def _recurrent(class_name: str, options: Options, x: Shape) -> list[Shape]:
    state = (x[0], options["units"])
    output = (*x[:2], options["units"]) if options.get("return_sequences") else state
    states = 2 if class_name.endswith("LSTM") else 1
    return [output, *([state] * states if options.get("return_state") else [])]


def _broadcast(inputs: Sequence[Shape]) -> Shape:
    rank = max(map(len, inputs))
    if any(len(shape) != rank for shape in inputs):
        return (None,) * rank
    return tuple(_widest(extents) for extents in zip(*inputs, strict=True))


def _widest(extents: Sequence[int | None]) -> int | None:
    known = {extent for extent in extents if extent != 1}
    return known.pop() if len(known) == 1 else None if known else 1


def _concatenated(inputs: Sequence[Shape], axis: int) -> Shape:
    axis %= len(inputs[0])
    extents = [shape[axis] for shape in inputs]
    total = None if None in extents else sum(extent for extent in extents if extent is not None)
    return tuple(
        total if index == axis else next((shape[index] for shape in inputs if shape[index] is not None), None)
        for index in range(len(inputs[0]))
    )


def _dot(inputs: Sequence[Shape], axes: int | Sequence[int]) -> Shape:
    x, y = inputs
    of_x, of_y = (axes, axes) if isinstance(axes, int) else axes
    rest = [extent for axis, extent in enumerate(x) if axis != of_x % len(x)]
    rest += [extent for axis, extent in enumerate(y) if axis not in (0, of_y % len(y))]
    return (*rest, 1) if len(rest) == 1 else tuple(rest)


def _keras_1_merge(options: Options, inputs: Sequence[Shape]) -> list[Shape]:
    mode = options.get("mode")
    if mode == "concat":
        return [_concatenated(inputs, options.get("axis", -1))]
    return [_broadcast(inputs)] if mode in ("sum", "mul", "ave", "max") else []


def _reshaped(x: Shape, target: Sequence[int]) -> Shape:
    if -1 not in target:
        return tuple(target)
    size, rest = product(x), math.prod(extent for extent in target if extent != -1)
    return tuple((None if size is None else size // rest) if extent == -1 else extent for extent in target)


def _spatial(kind: str, rank: int, options: Options, x: Shape) -> list[Shape]:
    """Layers that work on `rank` axes between batch and channels."""
    if len(x) != rank + 2:
        return []
    first = options.get("data_format") == "channels_first"
    extents, channels = (x[2:], x[1]) if first else (x[1:-1], x[-1])
    if kind.startswith("Global"):
        kept = (1,) * rank if options.get("keepdims") else ()
        return [_placed(x[0], kept, channels, first)]
    moved = [_moved(kind, options, extent, axis, rank) for axis, extent in enumerate(extents)]
    if kind.startswith("DepthwiseConv"):
        channels = None if channels is None else channels * int(options.get("depth_multiplier", 1))
    elif "filters" in options:
        channels = options["filters"]
    elif not kind.startswith(("AveragePooling", "MaxPooling", "UpSampling", "ZeroPadding", "Cropping")):
        return []
    return [_placed(x[0], moved, channels, first)]


def _placed(batch: int | None, extents: Sequence[int | None], channels: int | None, first: bool) -> Shape:
    return (batch, channels, *extents) if first else (batch, *extents, channels)


def _moved(kind: str, options: Options, extent: int | None, axis: int, rank: int) -> int | None:
    """What one axis becomes."""
    if extent is None:
        return None
    if kind == "UpSampling":
        return extent * _at(options.get("size", 2), axis)
    if kind in ("ZeroPadding", "Cropping"):
        amount = options.get("padding" if kind == "ZeroPadding" else "cropping", 1)
        both = amount if rank == 1 else amount[axis] if isinstance(amount, list) else amount
        change = sum(both) if isinstance(both, list) else 2 * int(both)
        return extent + change if kind == "ZeroPadding" else extent - change
    pooling = kind.endswith("Pooling")
    window = _at(options.get("pool_size", 2) if pooling else options["kernel_size"], axis)
    default = window if pooling else 1
    stated = options.get("strides")
    stride = default if stated is None else _at(stated, axis)
    reach = (window - 1) * _at(options.get("dilation_rate", 1), axis) + 1
    padding = options.get("padding", "valid")
    if kind.endswith("Transpose"):
        return _transposed(extent, reach, stride, padding, options.get("output_padding"), axis)
    if padding in ("same", "causal"):
        return -(-extent // stride)
    return (extent - reach) // stride + 1 if padding == "valid" else None


def _transposed(extent: int, reach: int, stride: int, padding: str, extra: Any, axis: int) -> int:
    """As `deconv_output_length` of keras/utils/conv_utils.py has it."""
    if extra is None:
        return extent * stride + (max(reach - stride, 0) if padding == "valid" else 0)
    return (extent - 1) * stride + reach + _at(extra, axis) - (2 * (reach // 2) if padding == "same" else 0)


def _at(value: Any, axis: int) -> int:
    return int(value[axis] if isinstance(value, (list, tuple)) else value)
