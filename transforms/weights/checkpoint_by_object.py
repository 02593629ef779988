"""Assigns the variables of an object-based checkpoint (TensorFlow 2, and 1.13 on) to the layers of an architecture.

`Model.save_weights` and `tf.train.Checkpoint` store a model under the attribute names of its objects:
`layer-3` for each layer in the model's order, and `layer_with_weights-1` besides for those that have any
(`Network._layer_checkpoint_dependencies` in tensorflow/python/keras/engine/network.py, 1.15); below a layer its
attributes (`kernel`, `cell`, `forward_layer`). Position decides, as when TensorFlow loads; shapes, and names if they
are those of the architecture, must not contradict it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.spec import Role
from transforms.weights.checkpoint_object_graph import ObjectGraph, Variable
from transforms.weights.custom_weights import role_of
from transforms.weights.slots import ArraySlot, RolesOf, array_slots, layer_roles

#: Attributes of a model or layer that are not weights: training state, and the states of stateful layers.
_NOT_WEIGHTS = ("optimizer", "keras_api", "states", "_random_generator", "root")
_PAIR = "Architecture and checkpoint belong to different models: pair the right ones."
_NUMBERED = re.compile(r"layer-([0-9]{1,6})")
_WEIGHTED = "layer_with_weights-"


@dataclass(frozen=True)
class Placed:
    """A variable at its place; `owner` is the layer of the graph that contains the leaf."""

    slot: ArraySlot
    owner: Layer
    node: int
    variable: Variable


def place_by_object(graph: Graph, objects: ObjectGraph, roles: RolesOf) -> tuple[list[Placed], list[str]]:
    """Every array of the architecture with its variable, and other contents of the checkpoint.

    Raises:
        MigrationError: `weights_mismatch` if no model in the checkpoint fits the architecture, if several do, if an
            array is missing, or if the model there has variables that the architecture lacks.
    """
    found: dict[str, tuple[int, list[Placed]]] = {}
    errors: dict[str, MigrationError] = {}
    for name, node in _models(objects).items():
        try:
            found[name] = node, _placed(graph, node, objects, roles)
        except MigrationError as error:
            errors[name] = error
    if len(found) > 1:
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The checkpoint holds several models that fit the architecture: {', '.join(sorted(found))}",
            advice="Save only the intended one, with save_weights.",
        )
    if not found:
        raise _none_fits(errors, objects)
    ((name, (node, placed)),) = found.items()
    return placed, _beside(name, node, objects)


def _models(objects: ObjectGraph) -> Mapping[str, int]:
    """The Keras models in the saved object, or itself, by attribute name."""
    candidates = {"": 0, **objects.children[0]}
    models: dict[str, int] = {}
    for name, node in candidates.items():
        if "layer-0" in objects.children[node] and node not in models.values():
            models[name] = node
    return {"": 0} if "" in models else models


def _placed(graph: Graph, node: int, objects: ObjectGraph, roles: RolesOf) -> list[Placed]:
    placed = list(_graph(graph, node, objects, roles))
    _refuse_crossed_names(placed)
    own = {each.node for each in placed} | objects.slots
    strangers = [
        objects.variables[other].name
        for other in objects.reach(node, _NOT_WEIGHTS)
        if other in objects.variables and other not in own
    ]
    if strangers:
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The checkpoint's model has {len(strangers)} variables that the architecture lacks: "
            f"{', '.join(sorted(strangers)[:5])}",
            advice=_PAIR,
        )
    return placed


def _graph(graph: Graph, node: int, objects: ObjectGraph, roles: RolesOf) -> Iterator[Placed]:
    for layer, child in _layers(graph, node, objects, roles):
        yield from _layer(layer, child, objects, roles)


def _layers(graph: Graph, node: int, objects: ObjectGraph, roles: RolesOf) -> list[tuple[Layer, int]]:
    """The layers of a graph with their objects, with and without the input layer of a Sequential."""
    children = objects.children[node]
    numbered = {int(match[1]): children[name] for name in children if (match := _NUMBERED.fullmatch(name))}
    weighted = {child for name, child in children.items() if name.startswith(_WEIGHTED)}
    candidates = [graph.stored_layers]
    if graph.class_name == "Sequential" and graph.layers[0].class_name == "InputLayer":
        candidates.append(graph.layers[1:])
    for layers in candidates:
        if sorted(numbered) == list(range(len(layers))):
            pairs = [(layer, numbered[index]) for index, layer in enumerate(layers)]
            if all(_has_weights(layer, roles) in (None, child in weighted) for layer, child in pairs):
                return pairs
    wanted = [layer for layer in candidates[-1] if _has_weights(layer, roles)]
    raise MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The architecture has {len(candidates[-1])} layers, {len(wanted)} with weights; the checkpoint has "
        f"{len(numbered)}, {len(weighted)} with weights, or has them in another order",
        layer=graph.path,
        advice=_PAIR,
    )


def _has_weights(layer: Layer, roles: RolesOf) -> bool | None:
    """Whether a layer has weights; None if only custom code determines it."""
    if next(array_slots(layer, roles), None) is not None:
        return True
    return None if any(map(is_custom, _classes(layer))) else False


def _classes(layer: Layer) -> Iterator[str]:
    yield layer.class_name
    for inner in (*layer.slots.values(), *(layer.graph.stored_layers if layer.graph else ())):
        yield from _classes(inner)


def _layer(layer: Layer, node: int, objects: ObjectGraph, roles: RolesOf) -> Iterator[Placed]:
    if layer.graph is not None:
        yield from _graph(layer.graph, node, objects, roles)
    elif layer.class_name == "Bidirectional":
        forward = layer.slots["forward"]
        backward = layer.slots.get("backward", forward)
        yield from _owned(layer, _layer(forward, _child(layer, node, "forward_layer", objects), objects, roles))
        for placed in _layer(backward, _child(layer, node, "backward_layer", objects), objects, roles):
            path = (*layer.path, "backward", *placed.slot.path[len(backward.path) :])
            yield replace(placed, slot=replace(placed.slot, path=path), owner=layer)
    elif layer.class_name == "StackedRNNCells":
        cells = _child(layer, node, "cells", objects)
        for slot, cell in layer.slots.items():
            yield from _owned(layer, _layer(cell, _child(cell, cells, slot, objects), objects, roles))
    elif layer.slots:
        for slot, inner in layer.slots.items():
            held = _layer(inner, _child(layer, node, slot, objects), objects, roles)
            yield from held if inner.graph is not None else _owned(layer, held)
    elif is_custom(layer.class_name):
        yield from _custom(layer, node, objects)
    else:
        for role in layer_roles(layer, roles):
            yield _leaf(layer, role, node, objects)


def _owned(owner: Layer, placed: Iterator[Placed]) -> Iterator[Placed]:
    for each in placed:
        yield replace(each, owner=owner)


def _child(layer: Layer, node: int, name: str, objects: ObjectGraph) -> int:
    if name not in objects.children[node]:
        raise _missing(layer.path, name, objects, node)
    return objects.children[node][name]


def _leaf(layer: Layer, role: Role, node: int, objects: ObjectGraph) -> Placed:
    """The arrays of a leaf: a recurrent layer stores them in its `cell`, a CuDNN layer and every other in itself."""
    holders = (node, objects.children[node].get("cell", node))
    for holder in holders:
        variable = objects.children[holder].get(role.name, -1)
        if variable in objects.variables and variable not in objects.slots:
            return Placed(ArraySlot(layer.path, role, role.trainable), layer, variable, objects.variables[variable])
    raise _missing(layer.path, role.name, objects, node)


def _custom(layer: Layer, node: int, objects: ObjectGraph) -> Iterator[Placed]:
    """The variables of a custom layer in the order of its attributes, by the names that its code gave them."""
    held = [each for each in objects.reach(node, _NOT_WEIGHTS) if each in objects.variables]
    own = [each for each in sorted(held) if each not in objects.slots]
    names = [objects.variables[each].name for each in own]
    roles = [role_of(index, name) for index, name in enumerate(names)]
    last = [role.partition(":")[2] for role in roles]
    if len(set(last)) != len(last):
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The checkpoint names two variables of a custom layer alike: {', '.join(names[:6])}",
            layer=layer.path,
            advice="Save the model as HDF5, which keeps their order.",
        )
    for each, role in zip(own, roles, strict=True):
        yield Placed(ArraySlot(layer.path, Role(role), True), layer, each, objects.variables[each])


def _missing(path: LayerPath, name: str, objects: ObjectGraph, node: int) -> MigrationError:
    holds = ", ".join(sorted(objects.children[node])[:8]) or "nothing"
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The checkpoint has no {name!r} at this layer's place, which holds {holds}",
        layer=path,
        advice=_PAIR,
    )


def _refuse_crossed_names(placed: Sequence[Placed]) -> None:
    """Refuses names that are the architecture's own, each once, but at other places.

    Other names, such as those numbered in another session, are ignored.
    """
    holders: dict[str, set[str]] = {}
    for each in placed:
        for part in each.variable.name.split("/")[:-1]:
            holders.setdefault(part, set()).add("/".join(each.owner.path))
    owners = {each.owner.name: "/".join(each.owner.path) for each in placed}
    if any(len(holders.get(name, ())) != 1 for name in owners):
        return
    for name, path in owners.items():
        if holders[name] != {path}:
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"By its place the checkpoint's layer {name!r} belongs to {min(holders[name])!r}",
                layer=tuple(path.split("/")),
                advice="Provide the architecture in the order of layers in which the checkpoint was saved.",
            )


def _none_fits(errors: Mapping[str, MigrationError], objects: ObjectGraph) -> MigrationError:
    if len(errors) == 1:
        return next(iter(errors.values()))
    if errors:
        told = "; ".join(f"{name}: {error.message}" for name, error in sorted(errors.items()))
        return MigrationError(
            Reason.WEIGHTS_MISMATCH, f"No model in the checkpoint fits the architecture ({told})", advice=_PAIR
        )
    parts = ", ".join(sorted(objects.children[0])[:8])
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The checkpoint holds no Sequential or functional Keras model; its parts are {parts}",
        advice="Load it with the code that wrote it, and save the weights of a functional model.",
    )


def _beside(name: str, model: int, objects: ObjectGraph) -> list[str]:
    """Contents of the saved object besides the model, counters and training state."""
    if not name:
        return []
    own = set(objects.reach(model, ("root",))) | objects.slots
    others = [
        other
        for other, node in objects.children[0].items()
        if node != model
        and other not in _NOT_WEIGHTS
        and any(
            each in objects.variables and not objects.variables[each].tensor.is_scalar
            for each in objects.reach(node, _NOT_WEIGHTS)
            if each not in own
        )
    ]
    listed = ", ".join(sorted(others))
    return [f"The checkpoint holds more than this model ({name}), which is left out: {listed}."] if others else []
