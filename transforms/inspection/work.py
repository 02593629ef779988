"""Estimates the work of running a model from its layers and shapes, before anything is run.

A file of a few kilobytes may need hours: a loop of a million steps, a window of 256 positions, models that call each
other twice. The counts are for one row and one length of the free axes, from the config and the sizes of the arrays;
nested models are evaluated once for each shape of their inputs, however often they are called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from transforms.architecture.attention import MULTI_HEAD
from transforms.architecture.config_values import config_errors
from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION, SIZES
from transforms.architecture.graph import Graph, Layer, LayerPath, TensorRef, evaluation_order
from transforms.inspection.least_lengths import least_length
from transforms.layer_specs.keras_1_options import prevailing_data_format
from transforms.layer_specs.layer_shapes import layer_shapes
from transforms.layer_specs.output_shapes import in_keras_2, merged_directions, stated_shape
from transforms.legacy.model import LegacyModel
from transforms.limits import Limits, over_budget
from transforms.records.inspection import Shape
from transforms.records.runtime import Runtime

_LOOPS = frozenset({"SimpleRNN", "LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU", "UnifiedLSTM", "UnifiedGRU", "RNN"})
_CONVOLUTIONAL_LOOPS = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
#: Passes of the reference over its memory for each offset of a convolution's window.
_PASSES = 3


@dataclass(frozen=True)
class Work:
    """The work of one row in a layer or model.

    Attributes:
        multiplications: of matrix products and convolutions.
        operations: on single numbers.
        values: numbers in all tensors together.
        steps: of loops over time, each of which waits for the one before.
        calls: of layers, shared models expanded.
        slowest, worst: nanoseconds of the call that takes longest, and path of its layer.
        largest, widest: numbers in the largest tensor, and path of the layer that gives it.
    """

    multiplications: float = 0.0
    operations: float = 0.0
    values: float = 0.0
    steps: int = 0
    calls: int = 0
    slowest: float = 0.0
    worst: LayerPath = ()
    largest: float = 0.0
    widest: LayerPath = ()

    def __add__(self, other: Work) -> Work:
        slower = self if self.slowest >= other.slowest else other
        wider = self if self.largest >= other.largest else other
        return Work(
            self.multiplications + other.multiplications,
            self.operations + other.operations,
            self.values + other.values,
            self.steps + other.steps,
            self.calls + other.calls,
            slower.slowest,
            slower.worst,
            wider.largest,
            wider.widest,
        )

    def repeated(self, times: float) -> Work:
        """The work of so many rows at once; loops and calls are not multiplied."""
        return replace(
            self,
            multiplications=self.multiplications * times,
            operations=self.operations * times,
            values=self.values * times,
            slowest=self.slowest * times,
            largest=self.largest * times,
        )

    def of_rows(self, rows: int) -> float:
        """Nanoseconds, for the part proportional to the number of rows."""
        return (self.multiplications * _MULTIPLICATION + self.operations * _OPERATION) * rows

    def of_batches(self, *rows: int) -> float:
        """Nanoseconds of a core for batches of so many rows. A model is traced once for all batches."""
        return self.of_rows(sum(rows)) + self.steps * _STEP * len(rows) + self.calls * _CALL


#: Nanoseconds of a core, measured: one multiplication in NumPy's float64 and TensorFlow's float32, one operation on a
#: number in memory, one step of a loop in both, tracing and writing one call of a layer.
_MULTIPLICATION, _OPERATION, _STEP, _CALL = 0.5, 5.0, 60_000.0, 15_000_000.0


#: The extent assumed for free axes, unless the layers need more: about that of drawn batches.
_FREE_EXTENT = 48
#: Numbers of rows of drawn batches, each with the maximum nanoseconds for so many rows: from enough to show every kind
#: of padding down to one, for very large models.
_ROWS: tuple[tuple[tuple[int, ...], float], ...] = (((4, 3), 4e9), ((2, 1), 8e9), ((1, 1), 30e9), ((1,), math.inf))
_ROWS_WITH_MASKS: tuple[tuple[tuple[int, ...], float], ...] = (((4, 3), 4e9), ((4, 1), math.inf))
#: Values of all tensors that are in memory at once.
_TOGETHER = 1 << 26


def refuse_excessive_work(model: LegacyModel, limits: Limits) -> Work:
    """The work of one row. Refuses a model whose work exceeds the budget.

    Raises:
        MigrationError: `over_budget`: a tensor is larger than `tensor_values`, or converting the model and running it
            on two rows would take longer than `work`.
    """
    scalars = {path: sum(array.size for array in held.values()) for path, held in model.arrays.items()}
    with config_errors():
        length = max(_FREE_EXTENT, min(least_length(model.graph), limits.drawn_length))
    work = estimated_work(model.graph, model.runtime, scalars, length)
    if work.largest > limits.tensor_values:
        raise over_budget(
            f"One sample takes about {work.largest:,.0f} values in one tensor", "tensor_values", limits, work.widest
        )
    needed = work.of_batches(1, 1)
    if needed > limits.work:
        raise over_budget(f"The model takes about {needed / 1e9:,.0f} seconds of a core", "work", limits, work.worst)
    return work


def rows_worth_drawing(work: Work, *, masked: bool) -> tuple[int, ...]:
    """Number of rows of each drawn batch: as many as the model's work allows.

    Args:
        work: of one row.
        masked: whether rows are padded in several ways, each of which needs a row.
    """
    *choices, (fewest, _) = _ROWS_WITH_MASKS if masked else _ROWS
    for rows, most in choices:
        if work.of_rows(sum(rows)) <= most and work.values * sum(rows) <= _TOGETHER:
            return rows
    return fewest


def estimated_work(graph: Graph, runtime: Runtime, scalars: Mapping[LayerPath, int], length: int) -> Work:
    """The work of one row of a model.

    Args:
        graph: the outermost graph.
        runtime: the Keras that wrote it.
        scalars: numbers in the weights of each leaf layer.
        length: extent of every free axis but the batch.

    Raises:
        MigrationError: `invalid_config`, options contradict each other.
    """
    with config_errors():
        return _Estimate(graph, runtime, scalars, length).of_graph(graph, [])[1]


class _Estimate:
    """One pass over a model."""

    def __init__(self, graph: Graph, runtime: Runtime, scalars: Mapping[LayerPath, int], length: int) -> None:
        self._runtime = runtime
        self._data_format = prevailing_data_format(graph)
        self._scalars = scalars
        self._length = length
        self._nested: dict[tuple[LayerPath, tuple[Shape, ...]], tuple[list[Shape], Work]] = {}

    def of_graph(self, graph: Graph, inputs: Sequence[Shape]) -> tuple[list[Shape], Work]:
        """Shapes of the outputs, and the work of all calls."""
        key = graph.path, tuple(inputs)
        if key not in self._nested:
            self._nested[key] = self._counted(graph, inputs)
        return self._nested[key]

    def _counted(self, graph: Graph, inputs: Sequence[Shape]) -> tuple[list[Shape], Work]:
        known: dict[TensorRef, Shape] = {}
        total = Work()
        given = dict(zip(graph.inputs, inputs, strict=False))
        for layer in graph.layers:
            if not layer.calls:
                ref = TensorRef(layer.name)
                known[ref] = given.get(ref) or self._extents(stated_shape(layer.config))
                total += _tensors(layer, [known[ref]])
        for layer, call in evaluation_order(graph):
            if layer.calls:
                outputs, work = self._of_layer(layer, _found(known, layer.calls[call].inputs))
                for index, shape in enumerate(outputs):
                    known[TensorRef(layer.name, call, index)] = shape
                total += work
        return _found(known, graph.outputs), total

    def _of_layer(self, layer: Layer, inputs: Sequence[Shape]) -> tuple[list[Shape], Work]:
        if layer.graph is not None:
            return self.of_graph(layer.graph, inputs)
        x = inputs[0] if inputs else (1, self._length)
        if layer.class_name == "TimeDistributed" and len(x) > 2 and "layer" in layer.slots:
            inner, work = self._of_layer(layer.slots["layer"], [(x[0], *x[2:])])
            steps = float(x[1] or 1)
            return [(shape[0], x[1], *shape[1:]) for shape in inner], work.repeated(steps)
        if layer.class_name == "SpectralNormalization" and "layer" in layer.slots:
            return self._of_layer(layer.slots["layer"], inputs)
        if layer.class_name == "Bidirectional" and layer.slots:
            directions = [self._of_layer(slot, inputs[:1]) for slot in layer.slots.values()]
            work = directions[0][1] + directions[-1][1]
            merged = merged_directions(
                [*directions[0][0]], [*directions[-1][0]], layer.config.get("merge_mode", "concat")
            )
            return [shape for shape in merged if shape is not None], work
        return self._of_leaf(layer, x, inputs or [x])

    def _of_leaf(self, layer: Layer, x: Shape, inputs: Sequence[Shape]) -> tuple[list[Shape], Work]:
        name, options = in_keras_2(layer, self._runtime, self._data_format)
        outputs = self._shapes(name, options, inputs) or [_unknown(layer, x)]
        read, written = sum(map(_size, inputs)), sum(map(_size, outputs))
        steps = _steps(name, x)
        multiplications, operations = _products(name, options, inputs, outputs[0], self._weights(layer))
        counted = Work(multiplications * max(1, steps), operations + read + written, steps=steps, calls=1)
        counted = replace(counted, slowest=counted.of_batches(1), worst=layer.path)
        return outputs, counted + _tensors(layer, outputs)

    def _shapes(self, name: str, options: Mapping[str, Any], inputs: Sequence[Shape]) -> list[Shape]:
        try:
            found = layer_shapes(name, options, inputs)
        except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError, AttributeError):
            return []
        return [self._extents(shape) for shape in found]

    def _weights(self, layer: Layer) -> int:
        own = self._scalars.get(layer.path, 0)
        return own + sum(self._weights(slot) for slot in layer.slots.values())

    def _extents(self, shape: Shape | None) -> Shape:
        """The shape of one row: a fixed batch counts as it is."""
        if not shape:
            return (1, self._length)
        batch, *extents = shape
        return (batch or 1, *(self._length if extent is None else max(1, extent) for extent in extents))


def _steps(name: str, x: Shape) -> int:
    """Rounds of a loop over time; 0 for layers without one."""
    if name not in _LOOPS | _CONVOLUTIONAL_LOOPS:
        return 0
    return (x[1] or 1) if len(x) > 1 else 1


def _products(
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
        return 0.0, 0.0 if "Global" in name else _size(y) * _product(options.get("pool_size", 2), rank=len(x) - 2)
    if name == MULTI_HEAD:
        width = _product(options.get("num_heads"), options.get("key_dim"))
        return sum(map(_size, inputs)) / _channels(x, {}) * weights + 2 * _attended(inputs) * width, 0.0
    if name in ("Attention", "AdditiveAttention"):
        return 2 * _attended(inputs) * _channels(x, {}), _attended(inputs) * _channels(x, {})
    if name == "Dot" or name.endswith(("matmul", "einsum", "tensordot")):
        return _size(x) * max((extent or 1 for extent in inputs[-1][1:]), default=1), 0.0
    vectors = name == "Embedding" or "Normalization" in name
    return 0.0 if vectors or not weights else _positions(y, options) * weights, 2 * _size(y)


def _found(known: Mapping[TensorRef, Shape], refs: Sequence[TensorRef]) -> list[Shape]:
    """The shapes of tensors; a further output of a call has the shape of the first if there is no rule."""
    found = (known.get(ref) or known.get(TensorRef(ref.layer, ref.call)) for ref in refs)
    return [shape for shape in found if shape is not None]


def _tensors(layer: Layer, shapes: Sequence[Shape]) -> Work:
    sizes = [_size(shape) for shape in shapes]
    return Work(values=sum(sizes), largest=max(sizes, default=0.0), widest=layer.path)


def _unknown(layer: Layer, x: Shape) -> Shape:
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
        return (x[0], int(_size(x) / (x[0] or 1) * _product(stated)))
    return (x[0], int(max(_size(x) / (x[0] or 1), _product(stated))))


def _units(cell: Layer | None, other: int | None) -> int | None:
    while cell is not None and cell.slots:
        cell = [*cell.slots.values()][-1]
    return other if cell is None else _integer(cell.config.get("units", cell.config.get("output_dim")), other)


def _integer(value: object, other: int | None) -> int | None:
    return value if isinstance(value, int) else other


def _size(shape: Shape) -> float:
    return math.prod(float(extent or 1) for extent in shape)


def _channels(shape: Shape, options: Mapping[str, Any]) -> int:
    first = options.get("data_format") == "channels_first" and len(shape) > 2
    return (shape[1] if first else shape[-1]) or 1


def _positions(shape: Shape, options: Mapping[str, Any]) -> float:
    return _size(shape) / _channels(shape, options)


def _attended(inputs: Sequence[Shape]) -> float:
    """Pairs of a query's and a value's position."""
    query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
    return _size(query[:-1]) * _size(value[1:-1])


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
