"""Assigns the arrays of a file to weights by their order and by their names, and combines both.

`by_position` assigns like the legacy loaders, `by_name` by the names; they are independent. If they agree, the
canonicaliser uses the one and the reference the other. If both fit and differ:

- inside one group, names that give each array one place take precedence. A layer that was frozen when the weights were
  saved has moved to the end of the listing, and no config before TensorFlow 2.9 says so. An order that no freezing
  explains remains possible.
- between groups, either is possible: legacy loaders pair groups and layers by their order, whatever their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from transforms.architecture.config_values import config_errors
from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer, walk
from transforms.errors import MigrationError, Reason
from transforms.source.stored_array import StoredArray
from transforms.weights.by_name import groups_by_name
from transforms.weights.by_position import Assigned, in_loader_order
from transforms.weights.group_assignment import GroupAssignment, assign_group
from transforms.weights.slots import PAIR, ArraySlot, RolesOf, array_slots

#: The weight groups of a file by name, in its order.
Groups: TypeAlias = Mapping[str, Sequence[StoredArray]]

#: Names of layers with the names of their groups.
_Pairs: TypeAlias = Mapping[str, str]

_SHOWN = 5


@dataclass(frozen=True)
class Assignment:
    """The arrays of a model by leaf layer path and role.

    Attributes:
        by_position: as assigned by the runtime's loader; for the canonicaliser.
        by_name: as assigned by their names; for the reference.
        warnings: if only one of the two could be determined.
        question: why the file does not determine which array is which weight, "" if it does.
        answers: the chosen assignment and the possible alternative, in words.
        other: the alternative assignment, if there is a question.
    """

    by_position: Assigned
    by_name: Assigned
    warnings: tuple[str, ...] = ()
    question: str = ""
    answers: tuple[str, str] = ("", "")
    other: Assignment | None = None


#: Ways of assigning arrays, in words.
BY_POSITION, BY_NAME, BY_ANOTHER_ORDER = "by position", "by name", "by another order that fits"


def assign_groups(graph: Graph, groups: Groups, roles: RolesOf, keras_1: bool) -> Assignment:
    """The arrays of all groups of a file.

    Args:
        graph: the model.
        groups: the arrays of each weight group by its name, in the order of the file.
        roles: the arrays of a class, in the dialect of the file.
        keras_1: whether the file is of Keras 1.

    Raises:
        MigrationError: `weights_mismatch` if number, names or shapes do not fit, `unsupported_layer`.
    """
    held = {name: arrays for name, arrays in groups.items() if arrays}
    with config_errors():
        by_order = _paired_by_order(graph, held, roles)
        named = groups_by_name(graph, list(held), keras_1)
    by_name = named.groups if named is not None else None
    if by_order is None and by_name is None:
        raise _unpaired(graph, held, roles)
    in_order = _tried(graph, held, by_order, roles, keras_1)
    as_named = in_order if by_name == by_order else _tried(graph, held, by_name, roles, keras_1)
    if not isinstance(in_order, Assignment):
        if not isinstance(as_named, Assignment):
            raise in_order if by_order is None or by_name is None else as_named
        return _warned(
            as_named, "Weights are assigned by the names of their groups alone: in their order they do not fit."
        )
    if named is not None and by_name == by_order:
        renamed = "" if named.exact else f"{_renaming(named.groups)}: paired by position and by rank, which agree."
        return _warned(in_order, renamed)
    assert by_order is not None
    if isinstance(as_named, Assignment):
        question = f"{_renaming(by_order)} in the order of the file, as Keras loads it, and not as they are named"
        return _open(in_order, question, (BY_POSITION, BY_NAME), as_named)
    alone = f"{_renaming(by_order)}: paired by position alone, as Keras loads it"
    swapped = _another_order(graph, held, by_order, roles)
    reordered = None if swapped is None else _tried(graph, held, swapped, roles, keras_1)
    if not isinstance(reordered, Assignment):
        return _warned(in_order, f"{alone}; no other order fits.")
    return _open(in_order, alone, (BY_POSITION, BY_ANOTHER_ORDER), reordered)


def _open(found: Assignment, question: str, answers: tuple[str, str], other: Assignment) -> Assignment:
    return replace(found, question=_joined(question, found.question), answers=answers, other=other)


def _paired_by_order(graph: Graph, held: Groups, roles: RolesOf) -> _Pairs | None:
    """Pairs layers and groups in order, without those that have no arrays; None if their numbers differ.

    Whether a custom layer, or an unused and unknown one, owns arrays is known only from the file: by a group of its
    name, else by the number of groups.
    """
    layers = in_loader_order(graph)
    unused = {layer.name for _, layer in graph.unused}
    owns = {layer.name: _owns_arrays(layer, roles, layer.name in unused) for layer in layers}
    sure = {name for name, answer in owns.items() if answer}
    perhaps = {name for name, answer in owns.items() if answer is None}
    for owners in (sure | (perhaps & set(held)), sure | perhaps):
        if len(owners) == len(held):
            return dict(zip((layer.name for layer in layers if layer.name in owners), held, strict=True))
    return None


def _owns_arrays(layer: Layer, roles: RolesOf, unused: bool) -> bool | None:
    """Whether a layer owns arrays; None if the config does not determine it."""
    try:
        if next(array_slots(layer, roles), None) is not None:
            return True
    except MigrationError:
        if not unused:
            raise
        return None
    return None if any(is_custom(each.class_name) for each in walk(layer)) else False


def _tried(
    graph: Graph, held: Groups, pairs: _Pairs | None, roles: RolesOf, keras_1: bool
) -> Assignment | MigrationError:
    """The arrays of all layers for a pairing of groups and layers, or the error if they do not fit."""
    if pairs is None:
        return _unpaired(graph, held, roles)
    found: list[GroupAssignment] = []
    errors: list[MigrationError] = []
    for layer in graph.layers:
        try:
            with config_errors():
                found.append(assign_group(layer, held.get(pairs.get(layer.name, ""), ()), roles, keras_1))
        except MigrationError as error:
            errors.append(error)
    if errors:
        return _all_of(errors)
    assigned = Assignment(
        _merged([each.by_position for each in found]),
        _merged([each.by_name for each in found]),
        tuple(each.warning for each in found if each.warning),
    )
    asked = [each for each in found if each.other is not None]
    if not asked:
        return assigned
    others = _merged([each.other if each.other is not None else each.by_name for each in found])
    answers = (BY_NAME, BY_POSITION) if asked[0].names_chosen else (BY_POSITION, BY_NAME)
    return _open(assigned, _joined(*(each.question for each in asked)), answers, Assignment(others, others))


def _merged(parts: Sequence[Assigned]) -> Assigned:
    return {path: held for part in parts for path, held in part.items()}


def _all_of(errors: Sequence[MigrationError]) -> MigrationError:
    """The first error, with the names of the further layers that do not fit."""
    first, *others = errors
    if not others:
        return first
    shown = ", ".join("/".join(error.layer) or error.message for error in others[:_SHOWN])
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    message = f"{first.message}; nor do the arrays of {shown}{more} fit"
    return MigrationError(first.reason, message, layer=first.layer, advice=first.advice)


def _unpaired(graph: Graph, held: Groups, roles: RolesOf) -> MigrationError:
    """The error for groups and layers that cannot be paired."""
    owners = [layer.name for layer in graph.layers if _owns_arrays(layer, roles, unused=False)]
    missing = [name for name in owners if name not in held]
    strangers = [name for name in held if name not in owners]
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The config has {len(owners)} layers with arrays, the file {len(held)} groups of arrays; "
        f"without a group: {_listed(missing)}; without a layer: {_listed(strangers)}",
        advice=PAIR,
    )


def _another_order(graph: Graph, held: Groups, pairs: _Pairs, roles: RolesOf) -> _Pairs | None:
    """Another pairing of groups and layers that fits by shape; None if there is none.

    Any two pairings differ by cycles of layers, each of which takes the group of the next.
    """
    slots = {layer.name: list(array_slots(layer, roles)) for layer in graph.layers if layer.name in pairs}
    shapes = {layer: [array.shape for array in held[pairs[layer]]] for layer in slots}
    takes = {
        layer: [other for other in slots if other != layer and _admit(slots[layer], shapes[other])] for layer in slots
    }
    ends = [layer for layer, others in takes.items() if not others]
    while ends:
        end = ends.pop()
        del takes[end]
        for layer, others in takes.items():
            if end in others:
                others.remove(end)
                if not others:
                    ends.append(layer)
    if not takes:
        return None
    way = [next(iter(takes))]
    while (following := takes[way[-1]][0]) not in way:
        way.append(following)
    circle = way[way.index(following) :]
    return {**pairs, **{layer: pairs[takes[layer][0]] for layer in circle}}


def _admit(slots: Sequence[ArraySlot], shapes: Sequence[tuple[int, ...]]) -> bool:
    return len(slots) == len(shapes) and all(slot.role.admits(shape) for slot, shape in zip(slots, shapes, strict=True))


def _renaming(pairs: _Pairs) -> str:
    """The pairs of layers and groups whose names differ, in words."""
    differing = [f"{group[:60]} for {layer[:60]}" for layer, group in pairs.items() if layer != group]
    return f"Weights are taken from other names ({_listed(differing)})"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:130] for name in names[:_SHOWN]) or "none"
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _joined(*questions: str) -> str:
    return "; ".join(question for question in questions if question)


def _warned(assignment: Assignment, warning: str) -> Assignment:
    return replace(assignment, warnings=(warning, *assignment.warnings)) if warning else assignment
