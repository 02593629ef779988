"""Output shapes of all layers of a model, as far as its stored config determines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from transforms.architecture.graph import Graph, Layer, LayerPath, TensorRef, evaluation_order
from transforms.layer_specs.keras_1_options import CLASSES, prevailing_data_format, upgraded_options
from transforms.layer_specs.layer_shapes import layer_shapes
from transforms.records.expression import TRANSLATION, Translation
from transforms.records.inspection import Shape
from transforms.records.runtime import Runtime

#: Maps the known shapes of a Lambda's inputs to those of its results.
FunctionShapes: TypeAlias = Callable[[Layer, Sequence[Shape | None]], Sequence[Shape | None]]


def translated_shapes(layer: Layer, inputs: Sequence[Shape | None]) -> Sequence[Shape | None]:
    """The shapes from the translation of a Lambda; empty if there is none."""
    translation = layer.config.get(TRANSLATION)
    if not isinstance(translation, Translation):
        return []
    return next((each.results for each in translation.variants if each.meant_for(tuple(inputs))), ())


def output_shapes(
    graph: Graph, runtime: Runtime, of_function: FunctionShapes = translated_shapes
) -> dict[LayerPath, Shape]:
    """The shape of each layer's first output at its first call, by path; layers without a known one are absent.

    `of_function` computes those of a Lambda, and is called for each one in the graph.
    """
    shapes = _Shapes(runtime, prevailing_data_format(graph), of_function)
    shapes.run(graph, [])
    return shapes.first


class _Shapes:
    """One pass over a model."""

    def __init__(self, runtime: Runtime, data_format: str, of_function: FunctionShapes) -> None:
        self._of_function = of_function
        self.first: dict[LayerPath, Shape] = {}
        self._nested: dict[tuple[LayerPath, tuple[Shape | None, ...]], list[Shape | None]] = {}
        self._runtime = runtime
        self._data_format = data_format

    def run(self, graph: Graph, inputs: Sequence[Shape | None]) -> list[Shape | None]:
        """The output shapes of a graph for these input shapes, by default those that its input layers state."""
        known: dict[TensorRef, Shape | None] = {}
        given = dict(zip(graph.inputs, inputs, strict=False))
        for layer in graph.layers:
            if not layer.calls:
                ref = TensorRef(layer.name)
                known[ref] = self._seen(layer, [given.get(ref) or stated_shape(layer.config)])[0]
        for layer, call in evaluation_order(graph):
            if layer.calls:
                sources = [known.get(ref) for ref in layer.calls[call].inputs]
                for index, shape in enumerate(self._outputs(layer, sources)):
                    known[TensorRef(layer.name, call, index)] = shape
        return [known.get(ref) for ref in graph.outputs]

    def _outputs(self, layer: Layer, inputs: Sequence[Shape | None]) -> list[Shape | None]:
        if layer.graph is not None:
            key = layer.path, tuple(inputs)
            if key not in self._nested:
                self._nested[key] = self._seen(layer, self.run(layer.graph, inputs))
            return self._nested[key]
        if layer.class_name == "Lambda":
            return self._seen(layer, list(self._of_function(layer, inputs)))
        known = [shape for shape in inputs if shape is not None]
        if not known or len(known) < len(inputs):
            return []
        try:
            return self._seen(layer, self._of_known(layer, known))
        except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
            return []  # Invalid options are refused by the canonicaliser; here they give no shape.

    def _of_known(self, layer: Layer, inputs: Sequence[Shape]) -> list[Shape | None]:
        x = inputs[0]
        match layer.class_name:
            case "TimeDistributed":
                inner = self._outputs(layer.slots["layer"], [(x[0], *x[2:])])
                return [shape and (shape[0], x[1], *shape[1:]) for shape in inner]
            case "SpectralNormalization":
                return self._outputs(layer.slots["layer"], inputs[:1])
            case "Bidirectional":
                directions = [self._outputs(slot, inputs[:1]) for slot in layer.slots.values()]
                return merged_directions(directions[0], directions[-1], layer.config.get("merge_mode", "concat"))
        return list(layer_shapes(*in_keras_2(layer, self._runtime, self._data_format), inputs))

    def _seen(self, layer: Layer, shapes: list[Shape | None]) -> list[Shape | None]:
        if shapes and shapes[0] is not None:
            self.first.setdefault(layer.path, shapes[0])
        return shapes


def in_keras_2(layer: Layer, runtime: Runtime, data_format: str) -> tuple[str, Mapping[str, Any]]:
    """Class and options of a layer with the names of Keras 2. `data_format` applies if Keras 1 stored none."""
    if not runtime.is_keras_1:
        return layer.class_name, layer.config
    options = upgraded_options(layer.class_name, layer.config, data_format)
    return CLASSES.get(layer.class_name, layer.class_name), options


def merged_directions(
    forward: list[Shape | None], backward: list[Shape | None], mode: str | None
) -> list[Shape | None]:
    """The outputs of both directions, then the states of the one and of the other."""
    if not forward or forward[0] is None or not backward or backward[0] is None:
        return []
    states = [*forward[1:], *backward[1:]]
    if mode is None:
        return [forward[0], backward[0], *states]
    *rest, one = forward[0]
    other = backward[0][-1]
    last = one + other if mode == "concat" and one is not None and other is not None else one
    return [(*rest, last), *states]


def stated_shape(config: Mapping[str, Any]) -> Shape | None:
    """The shape that an input layer states, None if it states none."""
    shape = config.get("batch_input_shape", config.get("batch_shape"))
    return tuple(shape) if isinstance(shape, (list, tuple)) else None
