"""Assigns the arrays of a file by their names: layer names, scopes and roles, independent of order.

A variable is named after the layer that made it, `dense_1/kernel:0` (Keras 1: `dense_1_W`), wherever that layer is: in
a nested model, in `time_distributed_1/kernel:0`, in `bidirectional_1/forward_lstm_1/kernel:0`. TensorFlow numbers a
scope that already exists (`dense_1_1/kernel:0`), and Keras restarts the numbers of its automatic names in each session,
so that `dense_5` to `dense_7` may be `dense_1` to `dense_3` in another session.

This file and the assignment by position share no code: the canonicaliser uses the one, the reference the other, so that
a mistake in either causes a difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.source.stored_array import StoredArray
from transforms.weights.named_roles import owned_roles, stated_roles

#: Arrays of a weight group by leaf layer path and role.
Named: TypeAlias = Mapping[LayerPath, Mapping[str, StoredArray]]

#: Whether the name of a layer is in the scope of an array.
_Stands: TypeAlias = Callable[[str, str], bool]


@dataclass(frozen=True)
class NamedArrays:
    """The arrays of one weight group.

    Attributes:
        arrays: by leaf layer path and role.
        exact: whether the names are those of the layers; else they are other automatic names of the same rank.
    """

    arrays: Named
    exact: bool


@dataclass(frozen=True)
class NamedGroups:
    """The groups of a file by the name of the layer that they belong to; `exact` as above."""

    groups: Mapping[str, str]
    exact: bool


@dataclass(frozen=True)
class _Leaf:
    """A layer that owns arrays.

    Attributes:
        path: of the layer.
        class_name: of the layer.
        names: that its arrays' names may contain: its own name first, then those of the layers around it.
        unit: the name that Keras numbered: that of the layer itself in Keras 1, of its outermost wrapper later.
    """

    path: LayerPath
    class_name: str
    names: tuple[str, ...]
    unit: str


def groups_by_name(graph: Graph, groups: Sequence[str], keras_1: bool) -> NamedGroups | None:
    """The layer of the outermost graph for each group, by its name; None if names do not determine it.

    Args:
        graph: the outermost one.
        groups: names of the groups with arrays.
        keras_1: whether the model is of Keras 1.
    """
    unused = {layer.name for _, layer in graph.unused}  # of any class, possibly an unknown one
    owners = [layer.name for layer in graph.stored_layers if layer.name in unused or _may_own(layer, keras_1)]
    if set(groups) <= set(owners):
        return NamedGroups({name: name for name in groups}, exact=True)
    by_rank = _by_rank(groups, owners)
    return None if by_rank is None else NamedGroups({by_rank[name]: name for name in groups}, exact=False)


def arrays_by_name(layer: Layer, arrays: Sequence[StoredArray], keras_1: bool) -> NamedArrays | None:
    """The arrays of one weight group by their names; None if the names do not give each one place.

    Args:
        layer: the layer of the outermost graph that the group belongs to.
        arrays: those that the group lists, in any order, without those of custom layers.
        keras_1: whether names are those of Keras 1.
    """
    leaves = [leaf for leaf in _leaves(layer, (), layer.name, keras_1) if owned_roles(leaf.class_name, keras_1)]
    for stands in (_stands, _stands_numbered, _stands_either_way):
        found = _matched(leaves, [(array.name, array) for array in arrays], keras_1, stands)
        if found is not None:
            return NamedArrays(found, exact=True)
    tokens = {array.name: _token(array.name, leaves, keras_1) for array in arrays}
    renamed = _by_rank(list(dict.fromkeys(tokens.values())), list(dict.fromkeys(leaf.unit for leaf in leaves)))
    if renamed is None:
        return None
    names = [array.name.replace(tokens[array.name], renamed[tokens[array.name]], 1) for array in arrays]
    found = _matched(leaves, list(zip(names, arrays, strict=True)), keras_1, _stands)
    return None if found is None else NamedArrays(found, exact=False)


def _may_own(layer: Layer, keras_1: bool) -> bool:
    return any(
        is_custom(leaf.class_name) or owned_roles(leaf.class_name, keras_1) for leaf in _leaves(layer, (), "", keras_1)
    )


def _leaves(layer: Layer, around: tuple[str, ...], unit: str, keras_1: bool) -> Iterator[_Leaf]:
    if layer.graph is not None:
        for inner in layer.graph.stored_layers:
            yield from _leaves(inner, (layer.name, *around), inner.name, keras_1)
    elif layer.class_name == "Bidirectional":
        forward = layer.slots["forward"]
        for side, wrapped in (("forward", forward), ("backward", layer.slots.get("backward", forward))):
            for leaf in _leaves(wrapped, (layer.name, *around), unit, keras_1):
                yield _on_one_side(leaf, side, wrapped, layer)
    elif layer.slots:
        for inner in layer.slots.values():
            yield from _leaves(inner, (layer.name, *around), unit, keras_1)
    else:
        yield _Leaf(layer.path, layer.class_name, (layer.name, *around), layer.name if keras_1 else unit)


def _on_one_side(leaf: _Leaf, side: str, wrapped: Layer, layer: Layer) -> _Leaf:
    """A leaf inside a Bidirectional, which prefixes the wrapped layer's name with its direction."""
    own = wrapped.name if wrapped.name.startswith(f"{side}_") else f"{side}_{wrapped.name}"
    first, *others = (own if name == wrapped.name else name for name in leaf.names)
    path = (*layer.path, side, *leaf.path[len(wrapped.path) :])
    return replace(leaf, path=path, names=(first, f"{side}_", *others))


def _matched(
    leaves: Sequence[_Leaf], named: Sequence[tuple[str, StoredArray]], keras_1: bool, stands: _Stands
) -> Named | None:
    """One array for each leaf and role that the names state; None if one has no place, or two have the same."""
    claims: dict[tuple[tuple[int, ...], str], dict[int, StoredArray]] = {}
    for name, array in named:
        claim = _claim(leaves, name, keras_1, stands)
        if claim is None:
            return None
        owners, role, number = claim
        numbered = claims.setdefault((owners, role), {})
        if number in numbered:
            return None
        numbered[number] = array
    found: dict[LayerPath, dict[str, StoredArray]] = {}
    for (owners, role), numbered in claims.items():
        paths = [leaves[owner].path for owner in owners]
        held = [numbered[number] for number in sorted(numbered)]
        if len(held) == 1 and len({leaves[owner].names[0] for owner in owners}) == 1:
            held *= len(owners)  # of one layer that several nested models share, and that is stored once
        if len(held) != len(owners) or any(role in found.get(path, {}) for path in paths):
            return None
        for path, array in zip(paths, held, strict=True):
            found.setdefault(path, {})[role] = array
    return found


def _claim(
    leaves: Sequence[_Leaf], name: str, keras_1: bool, stands: _Stands
) -> tuple[tuple[int, ...], str, int] | None:
    """The leaves that an array's name may denote (several if ambiguous), with role and number."""
    best: tuple[bool, ...] = ()
    readings: dict[tuple[str, int], list[int]] = {}
    longest = max((len(leaf.names) for leaf in leaves), default=0)
    for index, leaf in enumerate(leaves):
        for scope, role, number in stated_roles(name, leaf.class_name, keras_1):
            said = tuple(stands(each, scope) for each in leaf.names)
            if not any(said) and scope and len(leaves) > 1:
                continue
            agreement = said + (False,) * (longest - len(said))
            if agreement > best:
                best, readings = agreement, {}
            if agreement == best:
                readings.setdefault((role, number), []).append(index)
    if len(readings) != 1:
        return None
    (((role, number), owners),) = readings.items()
    return tuple(owners), role, number


def _stands(name: str, scope: str) -> bool:
    """Whether a scope contains the name unchanged; a Bidirectional's direction may precede any name."""
    return re.search(rf"(?:^|/){re.escape(name)}{'' if name in _SIDES else '(?:/|$)'}", scope) is not None


def _stands_numbered(name: str, scope: str) -> bool:
    """Whether a scope contains the name with a number appended by TensorFlow."""
    return _stands(name, scope) if name in _SIDES else _numbered(name, scope)


def _stands_either_way(name: str, scope: str) -> bool:
    return _stands(name, scope) or _numbered(name, scope)


def _numbered(name: str, scope: str) -> bool:
    return re.search(rf"(?:^|/){re.escape(name)}_[0-9]+(?:/|$)", scope) is not None


_SIDES = ("forward_", "backward_")


def _token(name: str, leaves: Sequence[_Leaf], keras_1: bool) -> str:
    """The part of an array's name that Keras numbered."""
    if keras_1:
        scopes = {scope for leaf in leaves for scope, _, _ in stated_roles(name, leaf.class_name, keras_1)}
        return re.sub(r"^(?:forward|backward)_", "", min(scopes, key=len, default=name))
    models = {around for leaf in leaves for around in leaf.names[1:] if around != leaf.unit}
    parts = name.split("/")
    return next((part for part in parts[:-1] if part not in models), parts[0])


def _by_rank(found: Sequence[str], wanted: Sequence[str]) -> Mapping[str, str] | None:
    """Maps automatic names of one session to those of another: the same count of each kind, in order.

    A name that occurs in both maps to itself, and a single remaining name to the single missing one.
    """
    kinds_found, kinds_wanted = _kinds(found), _kinds(wanted)
    renamed: dict[str, str] = {}
    for kind, names in kinds_found.items():
        others = kinds_wanted.get(kind, [])
        if set(names) <= set(others):
            renamed |= {name: name for name in names}
        elif len(names) == len(others):
            renamed |= dict(zip(names, others, strict=True))
    left = [name for name in found if name not in renamed]
    missing = [name for name in wanted if name not in renamed.values()]
    if len(left) == len(missing) == 1:
        renamed[left[0]] = missing[0]
    return renamed if len(renamed) == len(found) else None


def _kinds(names: Sequence[str]) -> Mapping[str, list[str]]:
    """Names by the part before their number, in the order of their numbers."""
    kinds: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = re.fullmatch(r"(.*?)(?:_([0-9]{1,9}))?", name, re.DOTALL)
        assert match is not None
        kinds.setdefault(match[1], []).append((int(match[2] or 0), name))
    return {kind: [name for _, name in sorted(numbered)] for kind, numbered in kinds.items()}
