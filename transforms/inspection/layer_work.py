"""The work of one call of one layer, counted from its class, its options and the shapes of its tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from transforms.architecture.attention import MULTI_HEAD
from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION, SIZES
from transforms.architecture.graph import Layer
from transforms.records.inspection import Shape

_LOOPS = frozenset({"SimpleRNN", "LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU", "UnifiedLSTM", "UnifiedGRU", "RNN"})
_CONVOLUTIONAL_LOOPS = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
#: Passes of the reference over its memory for each offset of a convolution's window.
_PASSES = 3


def loop_steps(name: str, x: Shape) -> int:
    """Rounds of a loop over time; 0 for layers without one."""
    if name not in _LOOPS | _CONVOLUTIONAL_LOOPS:
        return 0
    return (x[1] or 1) if len(x) > 1 else 1


def products(
    name: str, options: Mapping[str, Any], inputs: Sequence[Shape], y: Shape, weights: int
) -> tuple[float, float]:
    """Multiplications (per step, for layers with steps), and operations beyond one for each number in and out."""
    x = inputs[0]
    if name in _LOOPS:
        return float(weights), 0.0
    if name.startswith("LocallyConnected"):
        return float(weights), float(weights)
    if name.endswith("Transpose"):
        positions, window = _positions(x, options), _product(options.get("kernel_size", 1), rank=len(x) - 2)
        return positions * weights, _PASSES * window * positions * (_channels(x, options) + _channels(y, options))
    if "Conv" in name:
        window = _product(options.get("kernel_size", 1), rank=len(x) - 2)
        positions = _positions(y, options)
        return positions * weights, _PASSES * window * positions * (_channels(x, options) + _channels(y, options))
    if "Pooling" in name:
        return 0.0, 0.0 if "Global" in name else size(y) * _product(options.get("pool_size", 2), rank=len(x) - 2)
    if name == MULTI_HEAD:
        width = _product(options.get("num_heads"), options.get("key_dim"))
        return sum(map(size, inputs)) / _channels(x, {}) * weights + 2 * _attended(inputs) * width, 0.0
    if name in ("Attention", "AdditiveAttention"):
        return 2 * _attended(inputs) * _channels(x, {}), _attended(inputs) * _channels(x, {})
    if name == "Dot" or name.endswith(("matmul", "einsum", "tensordot")):
        return size(x) * max((extent or 1 for extent in inputs[-1][1:]), default=1), 0.0
    vectors = name == "Embedding" or "Normalization" in name
    return 0.0 if vectors or not weights else _positions(y, options) * weights, 2 * size(y)


def unknown_shape(layer: Layer, x: Shape) -> Shape:
    """The shape of an output without a rule: as large as the layer's options may make it."""
    options = layer.config
    name = layer.class_name.removeprefix(FUNCTION)
    if name in _CONVOLUTIONAL_LOOPS:
        frame = (*x[2:-1], _integer(options.get("filters"), x[-1]))
        return (x[0], x[1], *frame) if options.get("return_sequences") else (x[0], *frame)
    if name == "RNN":
        units = _units(layer.slots.get("cell"), x[-1])
        return (*x[:2], units) if options.get("return_sequences") else (x[0], units)
    if name == "EinsumDense" or name == MULTI_HEAD:
        return x
    arguments = options.get(ARGUMENTS)
    if name not in SIZES or not isinstance(arguments, Mapping):
        return x
    stated = [arguments.get(each) for each in SIZES[name]]
    if name.endswith(("resize", "resize_bilinear", "resize_nearest_neighbor")) and len(x) == 4:
        return (x[0], _product(stated), 1, x[-1])
    if name in ("tile", "repeat"):
        return (x[0], int(size(x) / (x[0] or 1) * _product(stated)))
    return (x[0], int(max(size(x) / (x[0] or 1), _product(stated))))


def _units(cell: Layer | None, other: int | None) -> int | None:
    while cell is not None and cell.slots:
        cell = [*cell.slots.values()][-1]
    return other if cell is None else _integer(cell.config.get("units", cell.config.get("output_dim")), other)


def _integer(value: object, other: int | None) -> int | None:
    return value if isinstance(value, int) else other


def size(shape: Shape) -> float:
    """Numbers in a tensor; a free axis counts as one."""
    return math.prod(float(extent or 1) for extent in shape)


def _channels(shape: Shape, options: Mapping[str, Any]) -> int:
    first = options.get("data_format") == "channels_first" and len(shape) > 2
    return (shape[1] if first else shape[-1]) or 1


def _positions(shape: Shape, options: Mapping[str, Any]) -> float:
    return size(shape) / _channels(shape, options)


def _attended(inputs: Sequence[Shape]) -> float:
    """Pairs of a query's and a value's position."""
    query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
    return size(query[:-1]) * size(value[1:-1])


def _product(value: object, *more: object, rank: int = 1) -> int:
    """The product of all whole numbers in a value; a single number counts once for each of `rank` axes."""
    if isinstance(value, int) and not more:
        return int(max(1, value) ** max(1, rank))
    pending, product = [value, *more], 1
    while pending:
        current = pending.pop()
        if isinstance(current, (list, tuple)):
            pending.extend(current)
        elif isinstance(current, int):
            product *= max(1, current)
    return product
