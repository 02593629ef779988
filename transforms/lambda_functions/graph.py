"""Translates the stored functions of a model, each for the inputs that it has in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.lambda_functions.constants import constants_of, refuse_strangers
from transforms.lambda_functions.layer_function import LayerFunction
from transforms.lambda_functions.stored_function import is_function
from transforms.lambda_functions.trace import Era
from transforms.layer_specs.output_shapes import output_shapes
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.assumptions import Assumption
from transforms.records.expression import AS_LIST, TRANSLATION, Translation

#: The class of a layer that holds a function.
LAMBDA = "Lambda"


def with_functions_of_merge(graph: Graph) -> Graph:
    """Replaces `Merge(mode=function)` of Keras 1 and 2 by the equivalent Lambda, which is called with a list, even of
    one tensor.
    """
    return replace(graph, layers=tuple(map(_as_lambda, graph.layers)))


def _as_lambda(layer: Layer) -> Layer:
    if layer.graph is not None:
        return replace(layer, graph=with_functions_of_merge(layer.graph))
    config = layer.config
    if layer.class_name != "Merge" or not is_function(config.get("mode"), config.get("mode_type")):
        return replace(layer, slots={slot: _as_lambda(inner) for slot, inner in layer.slots.items()})
    renamed = {"mode": "function", "mode_type": "function_type", "output_mask": "mask", "output_mask_type": "mask_type"}
    options = {renamed.get(key, key): value for key, value in config.items() if key != "layers"}
    return replace(layer, class_name=LAMBDA, config={**options, AS_LIST: True})


def with_translations(
    graph: Graph,
    era: Era,
    constants: Mapping[str, Mapping[str, Any]] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Graph:
    """The graph, with the translation of each Lambda in its config.

    Args:
        graph: of known classes and without cycles.
        era: the libraries that its functions were written for.
        constants: values that the operator gives to global names, by layer.
        limits: the budget of the model.

    Raises:
        MigrationError: `unsafe_lambda`, `custom_objects_needed` (a name that the file does not define), `over_budget`,
            `unsupported_layer`.
    """
    lambdas = {layer.path: layer for layer in graph.walk() if layer.class_name == LAMBDA}
    given = constants or {}
    refuse_strangers(given, lambdas.values())
    if not lambdas:
        return graph
    makes_masks = any(_makes_mask(layer) for layer in graph.walk())
    functions = {
        path: LayerFunction(layer, era, constants_of(layer, given), makes_masks, limits)
        for path, layer in lambdas.items()
    }
    output_shapes(graph, era.runtime, lambda layer, inputs: functions[layer.path].results(inputs))
    return _translated(graph, functions)


def taken_for_granted(graph: Graph) -> Iterator[Assumption]:
    """The assumptions about each Lambda: the meanings of its global names, which the file does not record."""
    for layer in graph.walk():
        translation = layer.config.get(TRANSLATION)
        if isinstance(translation, Translation):
            for note in translation.assumed:
                name, _, meaning = note.partition(" is ")
                yield Assumption(name, "/".join(layer.path), meaning, (), "the file records the name, not its meaning")


def _makes_mask(layer: Layer) -> bool:
    """Whether a layer may output a mask where none came in, or names one in a call."""
    if layer.class_name == LAMBDA:
        return layer.config.get("mask") is not None
    named = any(call.kwargs.get("mask") is not None for call in layer.calls)
    return named or layer.class_name == "Masking" or bool(layer.config.get("mask_zero"))


def _translated(graph: Graph, functions: Mapping[LayerPath, LayerFunction]) -> Graph:
    return replace(graph, layers=tuple(_with_translation(layer, functions) for layer in graph.layers))


def _with_translation(layer: Layer, functions: Mapping[LayerPath, LayerFunction]) -> Layer:
    if layer.class_name == LAMBDA:
        return replace(layer, config={**layer.config, TRANSLATION: functions[layer.path].translation()})
    slots = {slot: _with_translation(inner, functions) for slot, inner in layer.slots.items()}
    return replace(layer, slots=slots, graph=None if layer.graph is None else _translated(layer.graph, functions))
