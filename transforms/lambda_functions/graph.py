"""Translates the stored functions of a model, each for the inputs that it has in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.errors import MigrationError, Reason
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

    Where the file may be of TensorFlow 1 or 2 and a function depends on which, the translation is that of TensorFlow 2,
    with the other one beside it.

    Args:
        graph: of known classes and without cycles.
        era: the libraries that its functions were written for.
        constants: values that the operator gives to global names, by layer.
        limits: the budget of the model.

    Raises:
        MigrationError: `unsafe_lambda`, `custom_objects_needed` (a name that the file does not define), `over_budget`,
            `unsupported_layer`.
    """
    try:
        return _read_in(graph, era, constants, limits)
    except MigrationError as error:
        if era.tensorflow is not None or error.reason is Reason.OVER_BUDGET:
            raise
        readings = [_read_if_possible(graph, replace(era, tensorflow=each), constants, limits) for each in (1, 2)]
        if None in readings:
            raise error from None
    earlier, later = (_translations(each) for each in readings if each is not None)
    merged = {
        path: found if found == earlier[path] else replace(found, on_tensorflow_1=earlier[path])
        for path, found in later.items()
    }
    return with_translation_at(graph, merged)


def _translations(graph: Graph) -> dict[LayerPath, Translation]:
    return {layer.path: layer.config[TRANSLATION] for layer in graph.walk() if layer.class_name == LAMBDA}


def _read_if_possible(
    graph: Graph, era: Era, constants: Mapping[str, Mapping[str, Any]] | None, limits: Limits
) -> Graph | None:
    try:
        return _read_in(graph, era, constants, limits)
    except MigrationError:  # The refusal of the undetermined reading is raised.
        return None


def _read_in(graph: Graph, era: Era, constants: Mapping[str, Mapping[str, Any]] | None, limits: Limits) -> Graph:
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
    return with_translation_at(graph, {path: function.translation() for path, function in functions.items()})


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


def with_translation_at(graph: Graph, translations: Mapping[LayerPath, Translation]) -> Graph:
    """The graph with other translations of the Lambdas at some paths."""
    return replace(graph, layers=tuple(_with_translation(layer, translations) for layer in graph.layers))


def _with_translation(layer: Layer, translations: Mapping[LayerPath, Translation]) -> Layer:
    if layer.path in translations:
        return replace(layer, config={**layer.config, TRANSLATION: translations[layer.path]})
    slots = {slot: _with_translation(inner, translations) for slot, inner in layer.slots.items()}
    inner = None if layer.graph is None else with_translation_at(layer.graph, translations)
    return replace(layer, slots=slots, graph=inner)
