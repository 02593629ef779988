"""Assigns the arrays of one weight group by position and by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transforms.architecture.graph import Layer, LayerPath, walk
from transforms.errors import MigrationError, Reason
from transforms.source.stored_array import StoredArray
from transforms.weights.by_name import arrays_by_name
from transforms.weights.by_position import Assigned, readings_by_position
from transforms.weights.custom_weights import split_custom_arrays
from transforms.weights.slots import ArraySlot, RolesOf, array_slots

#: Arrays that only training uses: further statistics of a BatchNormalization with `renorm`, and the vector by which
#: SpectralNormalization scales the kernel of its layer; the stored kernel is scaled already.
_RENORM = frozenset("moving_stddev renorm_mean renorm_mean_weight renorm_stddev renorm_stddev_weight".split())
_SPECTRAL = frozenset({"vector_u", "sn_u"})


@dataclass(frozen=True)
class GroupAssignment:
    """The arrays of one group, and the open question: like `Assignment` for the whole file.

    Attributes:
        names_chosen: whether, of two possible assignments, that by name was chosen.
    """

    by_position: Assigned
    by_name: Assigned
    warning: str = ""
    question: str = ""
    names_chosen: bool = False
    other: Assigned | None = None


def assign_group(layer: Layer, arrays: Sequence[StoredArray], roles: RolesOf, keras_1: bool) -> GroupAssignment:
    """The arrays of the group of one layer of the outermost graph.

    Args:
        layer: the layer.
        arrays: what the group lists, in the order of its `weight_names`.
        roles: which arrays a class owns, in the dialect of the file.
        keras_1: whether the file is of Keras 1.

    Raises:
        MigrationError: `weights_mismatch` if number, names or shapes do not fit the layer's config,
            `unsupported_layer`.
    """
    custom, arrays = split_custom_arrays(layer, _used_in_inference(layer, arrays))
    slots = list(array_slots(layer, roles))
    named = arrays_by_name(layer, arrays, keras_1)
    by_name = named.arrays if named is not None and _complete(named.arrays, slots) else None
    if by_name is not None:
        _refuse_disorder(by_name, arrays, slots, layer)
    try:
        readings = readings_by_position(layer, arrays, roles)
    except MigrationError:
        if by_name is None:
            raise
        readings = []
    found = _settled(layer, readings, by_name, exact=named is not None and named.exact)
    unused = list(_unused(layer))

    def used(assigned: Assigned) -> Assigned:
        held = {**custom, **assigned}
        return {path: held[path] for path in held if not any(path[: len(each)] == each for each in unused)}

    return GroupAssignment(
        used(found.by_position),
        used(found.by_name),
        found.warning,
        found.question,
        found.names_chosen,
        None if found.other is None else used(found.other),
    )


def _unused(layer: Layer) -> Iterator[LayerPath]:
    """The layers inside that no output depends on."""
    for inner in walk(layer):
        if inner.graph is not None:
            yield from (left_out.path for _, left_out in inner.graph.unused)


def _settled(layer: Layer, readings: Sequence[Assigned], by_name: Assigned | None, exact: bool) -> GroupAssignment:
    name = "/".join(layer.path)
    if by_name is None:
        warning = f"The names of the arrays of {name} do not identify them: assigned by position alone."
        return GroupAssignment(readings[0], readings[0], warning if readings[0] else "")
    same = next((reading for reading in readings if reading == by_name), None)
    if same is not None:
        return GroupAssignment(same, by_name)
    if not readings:
        warning = f"The arrays of {name} are assigned by their names alone: in their order they do not fit."
        return GroupAssignment(by_name, by_name, warning)
    question = f"The arrays of {name} are named for one order of its layers and listed in another"
    chosen, other = (by_name, readings[0]) if exact else (readings[0], by_name)
    return GroupAssignment(chosen, chosen, question=question, names_chosen=exact, other=other)


def _used_in_inference(layer: Layer, arrays: Sequence[StoredArray]) -> Sequence[StoredArray]:
    held = list(walk(layer))
    unused = _RENORM if any(each.config.get("renorm") for each in held) else frozenset()
    if any(each.class_name == "SpectralNormalization" for each in held):
        unused |= _SPECTRAL
    return [array for array in arrays if array.name.rsplit("/", 1)[-1].split(":", 1)[0] not in unused]


def _complete(by_name: Assigned, slots: Sequence[ArraySlot]) -> bool:
    """Whether names give every slot of the config an array of its shape, and no other."""
    wanted = {(slot.path, slot.role.name): slot.role for slot in slots}
    found = {(path, role): array for path, held in by_name.items() for role, array in held.items()}
    return set(found) == set(wanted) and all(wanted[place].admits(array.shape) for place, array in found.items())


def _refuse_disorder(
    by_name: Assigned, arrays: Sequence[StoredArray], slots: Sequence[ArraySlot], layer: Layer
) -> None:
    """Refuses a listing with the names of one layer's arrays in an order that no Keras uses.

    Raises MigrationError `weights_mismatch`: either order or names were changed, and it is unknown which.
    """
    places = {id(array): (path, role) for path, held in by_name.items() for role, array in held.items()}
    trained = {(slot.path, slot.role.name): slot.role.trainable for slot in slots}
    created: dict[tuple[LayerPath, bool], list[str]] = {}
    listed: dict[tuple[LayerPath, bool], list[str]] = {}
    for path, role in trained:
        created.setdefault((path, trained[path, role]), []).append(role)
    for path, role in (places[id(array)] for array in arrays):
        listed.setdefault((path, trained[path, role]), []).append(role)
    for (path, kind), roles in listed.items():
        wanted = created[path, kind]
        if roles != wanted:
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"The file lists the arrays of {'/'.join(path)} as {', '.join(roles)}, where Keras lists "
                f"{', '.join(wanted)}: names and order contradict each other",
                layer=layer.path,
                advice="The file was altered: restore it from its origin.",
            )
