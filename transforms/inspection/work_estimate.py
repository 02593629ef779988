"""Estimates the work of running a model from its layers and shapes, before anything is run.

A file of a few kilobytes may need hours: a loop of a million steps, a window of 256 positions, models that call each
other twice. The counts are for one row and one length of the free axes, from the config and the sizes of the arrays;
nested models are evaluated once for each shape of their inputs, however often they are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture.config_values import config_errors
from transforms.architecture.graph import Graph, Layer, LayerPath, TensorRef, evaluation_order
from transforms.inspection.layer_work import loop_steps, products, size, unknown_shape
from transforms.inspection.least_lengths import least_length
from transforms.inspection.work import Work
from transforms.layer_specs.keras_1_options import prevailing_data_format
from transforms.layer_specs.layer_shapes import layer_shapes
from transforms.layer_specs.output_shapes import in_keras_2, merged_directions, stated_shape
from transforms.legacy.model import LegacyModel
from transforms.limits import Limits, over_budget
from transforms.records.inspection import Shape
from transforms.records.runtime import Runtime

#: The extent assumed for free axes, unless the layers need more: about that of drawn batches.
_FREE_EXTENT = 48


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
        outputs = self._shapes(name, options, inputs) or [unknown_shape(layer, x)]
        read, written = sum(map(size, inputs)), sum(map(size, outputs))
        steps = loop_steps(name, x)
        multiplications, operations = products(name, options, inputs, outputs[0], self._weights(layer))
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


def _found(known: Mapping[TensorRef, Shape], refs: Sequence[TensorRef]) -> list[Shape]:
    """The shapes of tensors; a further output of a call has the shape of the first if there is no rule."""
    found = (known.get(ref) or known.get(TensorRef(ref.layer, ref.call)) for ref in refs)
    return [shape for shape in found if shape is not None]


def _tensors(layer: Layer, shapes: Sequence[Shape]) -> Work:
    sizes = [size(shape) for shape in shapes]
    return Work(values=sum(sizes), largest=max(sizes, default=0.0), widest=layer.path)
