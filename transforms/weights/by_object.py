"""Assigns the arrays of a `.weights.h5` file to the layers of a model: by the place of each object, and by its name.

The place is a path of attributes (`layers/bidirectional/forward_layer/cell`), in which the layers of a model are
distinguished by class and rank: `dense`, `dense_1`, in the order of `Model.layers` (`_save_container_state` in
keras/src/saving/saving_lib.py). Later releases of Keras 3 store the layer's name beside its arrays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from transforms.architecture.custom_names import custom_name, is_custom
from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.architecture.keras_3 import OPERATION
from transforms.errors import MigrationError, Reason
from transforms.source.hdf5.object_store import ObjectStore
from transforms.source.stored_array import StoredArray
from transforms.weights.assignment import BY_NAME, BY_POSITION, Assignment
from transforms.weights.by_name import groups_by_name
from transforms.weights.by_position import Assigned, in_loader_order
from transforms.weights.slots import PAIR, RolesOf, array_slots, misplaced

#: The entry of a container for each layer, by layer name.
_Entries: TypeAlias = Callable[[Graph, str], Mapping[str, str]]

#: Layers that store their arrays in a cell inside them.
_WITH_CELL = frozenset("SimpleRNN LSTM UnifiedLSTM GRU UnifiedGRU ConvLSTM1D ConvLSTM2D ConvLSTM3D".split())
_PROJECTIONS = {"query": "query_dense", "key": "key_dense", "value": "value_dense", "attention_output": "output_dense"}
#: States of random generators and stateful layers, which are not weights.
_STATES = re.compile(r"seed_generator|states|_states|_random_generator")


def assign_objects(graph: Graph, store: ObjectStore, roles: RolesOf) -> Assignment:
    """The arrays of all layers.

    Raises:
        MigrationError: `weights_mismatch` if an array is missing, left over or of another shape,
            `unsupported_layer`.
    """
    places = _place_of_layers(graph, store, roles)
    by_position = dict(_assigned(graph, store.container, store, roles, places))
    _refuse_leftovers(store, by_position, tuple(_unused(graph, store.container, store, places)))
    if not store.names:
        return Assignment(by_position, by_position)
    try:
        by_name = dict(_assigned(graph, store.container, store, roles, _entries_by_name(store, places)))
    except MigrationError:
        warning = "The names in the file are not this model's: its layers are identified by class and rank alone."
        return Assignment(by_position, by_position, (warning,))
    if by_name == by_position:
        return Assignment(by_position, by_name)
    question = "The names of the layers in the file give another assignment than their places"
    return Assignment(by_position, by_position, (), question, (BY_POSITION, BY_NAME), Assignment(by_name, by_name))


def _assigned(
    graph: Graph, path: str, store: ObjectStore, roles: RolesOf, entries: _Entries
) -> Iterator[tuple[LayerPath, Mapping[str, StoredArray]]]:
    names = entries(graph, path)
    for layer in graph.layers:
        if layer.name in names:
            yield from _of_layer(layer, f"{path}/{names[layer.name]}", store, roles, entries)


def _of_layer(
    layer: Layer, path: str, store: ObjectStore, roles: RolesOf, entries: _Entries
) -> Iterator[tuple[LayerPath, Mapping[str, StoredArray]]]:
    if layer.graph is not None:
        yield from _assigned(layer.graph, f"{path}/{store.container}", store, roles, entries)
    elif layer.class_name == "Bidirectional":
        forward = layer.slots["forward"]
        yield from _of_layer(forward, f"{path}/forward_layer", store, roles, entries)
        backward = layer.slots.get("backward", forward)
        for half, held in _of_layer(backward, f"{path}/backward_layer", store, roles, entries):
            yield (*layer.path, "backward", *half[len(backward.path) :]), held
    elif layer.class_name == "StackedRNNCells":
        names = _ranked([cell.class_name for cell in layer.slots.values()])
        for cell, name in zip(layer.slots.values(), names, strict=True):
            yield from _of_layer(cell, f"{path}/cells/{name}", store, roles, entries)
    elif layer.slots:
        for slot, inner in layer.slots.items():
            yield from _of_layer(inner, f"{path}/{slot}", store, roles, entries)
    elif is_custom(layer.class_name):
        own = store.arrays.get(path, ())
        yield layer.path, {f"{index}:{index}": array for index, array in enumerate(own)}
    else:
        held = dict(_of_leaf(layer, path, store, roles))
        if held:
            yield layer.path, held


def _of_leaf(layer: Layer, path: str, store: ObjectStore, roles: RolesOf) -> Iterator[tuple[str, StoredArray]]:
    """Each array of a leaf layer by role: those of one object are numbered in creation order."""
    taken: dict[str, int] = {}
    for slot in array_slots(layer, roles):
        home = _home(layer, path, slot.role.name, store)
        index = taken.get(home, 0)
        taken[home] = index + 1
        own = store.arrays.get(home, ())
        if index >= len(own):
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"The file has no array {home}/vars/{index}, where {slot.role.name} belongs",
                layer=layer.path,
                advice=PAIR,
            )
        if not slot.role.admits(own[index].shape):
            raise misplaced(slot, own[index].name, own[index].shape)
        yield slot.role.name, own[index]


def _home(layer: Layer, path: str, role: str, store: ObjectStore) -> str:
    """The object with an array of a leaf layer: the layer itself, or one inside it."""
    if layer.class_name == "MultiHeadAttention":
        part = _PROJECTIONS[role.rpartition("_")[0]]
        return next(
            (f"{path}/{name}" for name in (part, f"_{part}") if f"{path}/{name}" in store.arrays), f"{path}/{part}"
        )
    if role == "alpha" and layer.class_name != "PReLU":
        return f"{path}/activation"
    return f"{path}/cell" if layer.class_name in _WITH_CELL and f"{path}/cell" in store.arrays else path


def _place_of_layers(graph: Graph, store: ObjectStore, roles: RolesOf) -> _Entries:
    """Entries by class and rank. tf.keras 2.12 and 2.13 count a layer with weights twice."""

    def once(graph: Graph, path: str) -> Mapping[str, str]:
        layers = [layer for layer in in_loader_order(graph) if not layer.class_name.startswith(OPERATION)]
        return dict(zip((layer.name for layer in layers), _ranked([each.class_name for each in layers]), strict=True))

    def twice(graph: Graph, path: str) -> Mapping[str, str]:
        layers = in_loader_order(graph)
        counted = [each for layer in layers for each in [layer] * (2 if _owns(layer, roles) else 1)]
        ranked = zip(counted, _ranked([each.class_name for each in counted]), strict=True)
        return {layer.name: name for layer, name in reversed(list(ranked))}

    if store.container == "layers":
        return once
    entries = {path.split("/")[1] for path in store.arrays}
    return once if entries <= set(once(graph, "").values()) else twice


def _owns(layer: Layer, roles: RolesOf) -> bool:
    return next(array_slots(layer, roles), None) is not None or is_custom(layer.class_name)


def _entries_by_name(store: ObjectStore, places: _Entries) -> _Entries:
    """Entries by the names in the file; within a model without stored names, by place."""

    def named(graph: Graph, path: str) -> Mapping[str, str]:
        held = {other.removeprefix(f"{path}/").split("/")[0] for other in store.arrays if other.startswith(f"{path}/")}
        noted = {store.names[f"{path}/{entry}"]: entry for entry in held if f"{path}/{entry}" in store.names}
        if not noted:
            return places(graph, path)
        found = groups_by_name(graph, list(noted), keras_1=False)
        if found is None or len(noted) != len(held):
            raise MigrationError(Reason.WEIGHTS_MISMATCH, "The stored names are others", layer=graph.path)
        return {layer: noted[name] for layer, name in found.groups.items()}

    return named


def _ranked(classes: Sequence[str]) -> list[str]:
    """Classes in snake case, numbered from the second of a kind on (`naming.to_snake_case`)."""
    counts: dict[str, int] = {}
    ranked = []
    for class_name in classes:
        name = re.sub(r"\W+", "", custom_name(class_name).rpartition(">")[2])
        name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
        name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
        count = counts.get(name, 0)
        counts[name] = count + 1
        ranked.append(f"{name}_{count}" if count else name)
    return ranked


def _unused(graph: Graph, path: str, store: ObjectStore, entries: _Entries) -> Iterator[str]:
    """The objects of layers that no output depends on."""
    names = entries(graph, path)
    yield from (f"{path}/{names[layer.name]}" for _, layer in graph.unused if layer.name in names)
    for layer in graph.layers:
        inner = layer.slots.get("layer", layer)
        if inner.graph is not None and layer.name in names:
            place = f"{path}/{names[layer.name]}" + ("" if inner is layer else "/layer")
            yield from _unused(inner.graph, f"{place}/{store.container}", store, entries)


def _refuse_leftovers(store: ObjectStore, assigned: Assigned, unused: tuple[str, ...]) -> None:
    used = {array.name for held in assigned.values() for array in held.values()}
    left = [
        array.name
        for path, held in sorted(store.arrays.items())
        for array in held
        if array.name not in used
        and not f"{path}/".startswith(tuple(f"{each}/" for each in unused))
        and not any(_STATES.fullmatch(part) for part in path.split("/"))
    ]
    if left:
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The file holds {len(left)} arrays that the architecture has no place for: {', '.join(left[:5])}",
            advice=PAIR,
        )


def object_architecture_needed(store: ObjectStore) -> MigrationError:
    """The error for a file of this kind without an architecture; it names the arrays."""
    held = [
        f"{path}: {', '.join(str(list(array.shape)) for array in own)}" for path, own in sorted(store.arrays.items())
    ]
    more = f" and {len(held) - _SHOWN} more" if len(held) > _SHOWN else ""
    return MigrationError(
        Reason.MISSING_ARCHITECTURE,
        f"A .weights.h5 file holds weights only ({'; '.join(held[:_SHOWN])}{more})",
        advice="Give the architecture (`model.to_json()`) in the manifest's `architecture` column.",
    )


_SHOWN = 6
