"""Marks objects of a graph that custom code defines, before the graph is admitted. By names only; no code is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from transforms.admission.classes import ACTIVATION_KEYS, KNOWN_ACTIVATIONS, WRAPPERS, is_foreign
from transforms.architecture.config_values import activation_name
from transforms.architecture.custom_names import CustomNames, custom_name, is_custom, marked
from transforms.architecture.graph import MODEL_CLASSES, Graph, Layer
from transforms.errors import MigrationError, Reason
from transforms.records.runtime import Runtime
from transforms.releases.ownership import is_stored_by_keras

#: Structural classes of the graph, which no custom class may replace.
_STRUCTURE = frozenset({*WRAPPERS, *MODEL_CLASSES, "InputLayer"})


def with_custom_objects(graph: Graph, names: CustomNames, runtime: Runtime) -> Graph:
    """The graph, with each class and function that custom code defines marked.

    In layers the class name is marked; in activations the stored value, in any form; in Lambda layers the class name
    and, as `function`, the name of the function: the stored one, else the layer's own. Stored bytecode is dropped
    unread.
    """
    return _marked_graph(graph, names, runtime, is_stored_by_keras(graph))


def _marked_graph(graph: Graph, names: CustomNames, runtime: Runtime, complete: bool) -> Graph:
    return replace(
        graph,
        layers=tuple(_layer(layer, names, runtime, complete) for layer in graph.layers),
        unused=tuple((place, _layer(layer, names, runtime, complete)) for place, layer in graph.unused),
    )


def overridden(graph: Graph, runtime: Runtime) -> Iterator[str]:
    """One line for each custom layer whose class has the name of one of Keras's."""
    complete = is_stored_by_keras(graph)
    for layer in graph.walk():
        name = custom_name(layer.class_name)
        if (
            is_custom(layer.class_name)
            and name != "Lambda"
            and not is_foreign(replace(layer, class_name=name), runtime, complete)
        ):
            yield f"{'/'.join(layer.path)}: {name} is the class of the custom file, not Keras's own."


def _layer(layer: Layer, names: CustomNames, runtime: Runtime, complete: bool) -> Layer:
    if any(map(is_custom, (layer.class_name, *layer.config.values()))):
        raise MigrationError(Reason.INVALID_CONFIG, "The stored config contains a reserved name", layer=layer.path)
    if layer.graph is not None:
        return replace(layer, graph=_marked_graph(layer.graph, names, runtime, complete))
    slots = {slot: _layer(inner, names, runtime, complete) for slot, inner in layer.slots.items()}
    if layer.class_name == "Lambda":
        return _lambda(layer, names)
    name = layer.class_name.rpartition(">")[2]
    replaceable = layer.class_name not in _STRUCTURE
    if replaceable and name in names.classes and (name in names.own or is_foreign(layer, runtime, complete)):
        return replace(layer, class_name=marked(name))
    return replace(layer, slots=slots, config=_config(layer, names))


def _lambda(layer: Layer, names: CustomNames) -> Layer:
    stored = layer.config.get("function")
    for name in (stored, layer.name):
        if isinstance(name, str) and name in names.functions:
            config = {key: value for key, value in layer.config.items() if not key.startswith(("function", "output_"))}
            return replace(layer, class_name=marked("Lambda"), config={**config, "function": marked(name)})
    return layer


def _config(layer: Layer, names: CustomNames) -> Mapping[str, Any]:
    changed = {}
    for key in ACTIVATION_KEYS:
        value = layer.config.get(key)
        name = activation_name(value).rpartition(">")[2]
        if isinstance(value, Mapping) and value.get("class_name") != "function":
            continue
        if name in names.functions and (name in names.own or name not in KNOWN_ACTIVATIONS):
            changed[key] = marked(name)
    return {**layer.config, **changed} if changed else layer.config
