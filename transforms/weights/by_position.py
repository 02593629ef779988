"""Assigns the arrays of a weight group by their position, as the runtime that wrote the file loads them.

A group lists `Layer.weights`: the trainable arrays of all layers inside it, then the others, each in the order of the
layers (`Network.weights` in keras/engine/network.py, 2.3.1; `_legacy_weights` in
tensorflow/python/keras/saving/hdf5_format.py, 2.3). The config does not determine for certain which layers were frozen
when the weights were saved: before TensorFlow 2.9 no model stores its own `trainable`, and a JSON may be older than the
weights. So the listing is tried with the stored flags, and with those inferred from the order of the file.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.errors import MigrationError, Reason
from transforms.source.stored_array import StoredArray
from transforms.weights.slots import (
    PAIR,
    ArraySlot,
    RolesOf,
    array_slots,
    backward_slots,
    fits,
    layer_roles,
    misplaced,
    role_in,
)

#: Arrays of a weight group by leaf layer path and role.
Assigned: TypeAlias = Mapping[LayerPath, Mapping[str, StoredArray]]

#: Maximum number of nested models of one group that may be frozen, tried in every combination.
_MOST_MODELS = 6


def readings_by_position(layer: Layer, arrays: Sequence[StoredArray], roles: RolesOf) -> list[Assigned]:
    """The assignments by position whose roles and shapes fit, the one with the stored flags first.

    Args:
        layer: the layer of the outermost graph that the group belongs to.
        arrays: what the group lists, in the order of its `weight_names`, without those of custom layers.
        roles: which arrays a class owns, in the dialect of the file.

    Raises:
        MigrationError: `weights_mismatch` if none fits, `unsupported_layer`.
    """
    stored = {each.path for each in _inside(layer) if each.config.get("trainable") is False}
    first = _listing(layer, roles, stored)
    if len(first) != len(arrays):
        raise _miscounted(layer, first, arrays)
    orders = [first]
    for frozen in _betrayed_freezings(layer, arrays, roles):
        orders.append(_listing(layer, roles, frozen))
    orders.append(list(array_slots(layer, roles)))
    fitting = [order for order in _distinct(orders) if _all_fit(order, arrays)]
    if not fitting:
        raise _misfit(first, arrays)
    return [_assigned(order, arrays) for order in fitting]


def in_loader_order(graph: Graph) -> list[Layer]:
    """All stored layers of a graph in the runtime's order, including those that no output depends on."""
    layers = {layer.name: layer for layer in graph.stored_layers}
    return [layers.pop(name) for name in graph.listed if name in layers] + list(layers.values())


def _inside(layer: Layer) -> Iterator[Layer]:
    """The layer and all layers inside it."""
    yield layer
    for inner in (*layer.slots.values(), *(in_loader_order(layer.graph) if layer.graph is not None else ())):
        yield from _inside(inner)


def _listing(layer: Layer, roles: RolesOf, frozen: set[LayerPath]) -> list[ArraySlot]:
    """`Layer.weights` if the layers of these paths are frozen."""
    trainable, others = _weights(layer, roles, frozen)
    return trainable + others


def _weights(layer: Layer, roles: RolesOf, frozen: set[LayerPath]) -> tuple[list[ArraySlot], list[ArraySlot]]:
    """`trainable_weights` and `non_trainable_weights` of a layer.

    A frozen model lists its layers' trainable arrays among the latter, before their non-trainable ones
    (`Network.non_trainable_weights`, 2.3.1); a frozen leaf layer lists all its arrays in the order of creation.
    """
    if layer.graph is not None:
        parts = [_weights(inner, roles, frozen) for inner in in_loader_order(layer.graph)]
    elif layer.class_name == "Bidirectional":
        forward = layer.slots["forward"]
        trainable, others = _weights(layer.slots.get("backward", forward), roles, frozen)
        parts = [
            _weights(forward, roles, frozen),
            (backward_slots(layer, trainable), backward_slots(layer, others)),
        ]
    elif layer.slots:
        parts = [_weights(inner, roles, frozen) for inner in layer.slots.values()]
    else:
        own = [ArraySlot(layer.path, role, role.trainable) for role in layer_roles(layer, roles)]
        parts = [([slot for slot in own if slot.trainable], [slot for slot in own if not slot.trainable])]
    trainable = [slot for part, _ in parts for slot in part]
    others = [slot for _, part in parts for slot in part]
    return ([], trainable + others) if layer.path in frozen else (trainable, others)


def _betrayed_freezings(layer: Layer, arrays: Sequence[StoredArray], roles: RolesOf) -> Iterator[set[LayerPath]]:
    """The frozen layers, inferred from the names at the beginning of the listing.

    There the trained layers are in order: the first array out of order, or of a role that is never trained, ends that
    part, and layers that are not in it were frozen, individually or with the model around them. Frozen layers at the
    end give the same listing whether they are read as trained or not.
    """
    units = list(_units(layer))
    owners = [_owner(array.name, units) for array in arrays]
    if len(units) < 2 or None in owners:
        return
    trained: list[int] = []
    for array, owner in zip(arrays, owners, strict=True):
        if owner is None or (trained and owner < trained[-1]) or role_in(array.name) in _NEVER_TRAINED:
            break
        trained.append(owner)
    frozen = {unit.path for index, unit in enumerate(units) if index not in trained}
    models = [each for each in _inside(layer) if each.graph is not None and _all_within(each, units, frozen)]
    for count in range(min(len(models), _MOST_MODELS) + 1):
        for chosen in itertools.combinations(models[:_MOST_MODELS], count):
            within = {path for path in frozen if any(path[: len(model.path)] == model.path for model in chosen)}
            yield (frozen - within) | {model.path for model in chosen}


_NEVER_TRAINED = frozenset(
    {"moving_mean", "moving_variance", "running_mean", "running_std", "mean", "variance", "count"}
)


def _units(layer: Layer) -> Iterator[Layer]:
    """The layers that can be frozen individually: those of the innermost graphs, in the loader's order."""
    models = [each for each in _inside(layer) if each.graph is not None]
    if not models:
        yield layer
    for model in models[:1]:
        assert model.graph is not None
        for inner in in_loader_order(model.graph):
            yield from _units(inner)


def _all_within(model: Layer, units: Sequence[Layer], frozen: set[LayerPath]) -> bool:
    inside = [unit.path for unit in units if unit.path[: len(model.path)] == model.path]
    return bool(inside) and all(path in frozen for path in inside)


@dataclass(frozen=True)
class _Claim:
    length: int
    unit: int


def _owner(name: str, units: Sequence[Layer]) -> int | None:
    """The unit whose name, or that of a layer inside it, is in an array's name, possibly numbered by TensorFlow."""
    claims = [
        _Claim(len(each.name), index)
        for index, unit in enumerate(units)
        for each in _inside(unit)
        if re.search(rf"(?:^|/)(?:forward_|backward_)?{re.escape(each.name)}(?:_[0-9]+)?(?:/|_[a-zA-Z]|$)", name)
    ]
    longest = max((claim.length for claim in claims), default=0)
    owners = {claim.unit for claim in claims if claim.length == longest}
    return owners.pop() if len(owners) == 1 else None


def _distinct(orders: Sequence[list[ArraySlot]]) -> list[list[ArraySlot]]:
    places = [[(slot.path, slot.role.name) for slot in order] for order in orders]
    return [order for index, order in enumerate(orders) if places[index] not in places[:index]]


def _all_fit(order: Sequence[ArraySlot], arrays: Sequence[StoredArray]) -> bool:
    return all(fits(slot, array.name, array.shape) for slot, array in zip(order, arrays, strict=True))


def _assigned(order: Sequence[ArraySlot], arrays: Sequence[StoredArray]) -> Assigned:
    assigned: dict[LayerPath, dict[str, StoredArray]] = {}
    for slot, array in zip(order, arrays, strict=True):
        assigned.setdefault(slot.path, {})[slot.role.name] = array
    return assigned


def _miscounted(layer: Layer, order: Sequence[ArraySlot], arrays: Sequence[StoredArray]) -> MigrationError:
    implied = ", ".join(f"{'/'.join(slot.path)}:{slot.role.name}" for slot in order[:6])
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The config implies {len(order)} arrays ({implied}), the file holds {len(arrays)} "
        f"({', '.join(array.name for array in arrays[:6])})",
        layer=layer.path,
        advice=PAIR,
    )


def _misfit(order: Sequence[ArraySlot], arrays: Sequence[StoredArray]) -> MigrationError:
    pairs = zip(order, arrays, strict=True)
    return next(
        misplaced(slot, array.name, array.shape) for slot, array in pairs if not fits(slot, array.name, array.shape)
    )
