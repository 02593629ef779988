"""Assigns the variables of a TensorFlow 1 checkpoint (`tf.train.Saver`), which stores variables only by name.

Keras names a variable `<layer>/<role>`, and those inside a wrapper `<layer>/forward_<inner>/<role>` (tf.keras) or
`<layer>/<role>_<n>`, counted by TensorFlow in the order of creation (standalone Keras; cells of an RNN). Scopes may
precede: the operator's own, and those of models that were built when they were called. Names must identify every array;
nothing is guessed from shapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.architecture.graph import Graph, Layer, LayerPath, walk
from transforms.errors import MigrationError, Reason
from transforms.source.checkpoint.bundle import Tensor
from transforms.weights.slots import ArraySlot, RolesOf, array_slots

_PAIR = "Architecture and checkpoint belong to different models: pair the right ones."
_OPTIMIZERS = (
    "SGD|RMSprop|Adam|Adamax|Adagrad|Adadelta|Nadam|TFOptimizer|Momentum|RMSProp|Ftrl|GradientDescent|"
    "AdamOptimizer|RMSPropOptimizer|AdagradOptimizer|MomentumOptimizer"
)
_TRAINING_SCOPE = re.compile(rf"(training|{_OPTIMIZERS}|metrics|loss)(_[0-9]+)?")
_COUNTERS = re.compile(
    r"(global_step|save_counter|iter(ations)?|beta[12]_power|beta_[12]|decay|lr|learning_rate|momentum|rho|total|count)"
    r"(_[0-9]+)?"
)
_CELL = re.compile(r"[a-z0-9_]+_cell(_[0-9]+)?")
_DEEPEST = 32
_ANONYMOUS = re.compile(r"Variable(_[0-9]+)?")


@dataclass(frozen=True)
class _Named:
    """A variable's name split at a layer: `scope... / layer / inside... / role _ number`."""

    key: str
    scope: tuple[str, ...]
    inside: tuple[str, ...]
    number: int


def place_by_name(graph: Graph, tensors: Mapping[str, Tensor], roles: RolesOf) -> list[tuple[ArraySlot, str]]:
    """Every array of the architecture with the key of its variable.

    Raises:
        MigrationError: `weights_mismatch` if an array is missing, if names do not identify its variable, or if the
            checkpoint has variables of neither the model nor a known optimizer.
    """
    below: dict[str, list[str]] = {}
    for key in tensors:
        for parent in dict.fromkeys(key.split("/")[:-1]):
            below.setdefault(parent, []).append(key)
    placed: list[tuple[ArraySlot, str]] = []
    taken: dict[str, LayerPath] = {}
    for owner, models in _owners(graph, ()):
        for slot, key in _owned(owner, models, below.get(owner.name, ()), tensors, roles):
            if key in taken:
                raise _ambiguous(slot, [key], f"belongs by its name to {'/'.join(taken[key])} too")
            taken[key] = slot.path
            placed.append((slot, key))
    strangers = sorted(set(tensors) - set(taken) - set(_training_state(graph, tensors, taken)))
    if strangers:
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The checkpoint holds {len(strangers)} variables that the architecture lacks: {', '.join(strangers[:5])}",
            advice=_PAIR,
        )
    return placed


def _owners(graph: Graph, models: tuple[str, ...]) -> Iterator[tuple[Layer, tuple[str, ...]]]:
    """The layers whose names variables have, with the names of the models they are in."""
    for layer in graph.stored_layers:
        inner = next((held for held in walk(layer) if held.graph is not None), None)
        if inner is not None and inner.graph is not None:
            yield from _owners(inner.graph, (*models, layer.name, inner.name, inner.graph.name))
        else:
            yield layer, models


def _owned(
    owner: Layer, models: tuple[str, ...], keys: Sequence[str], tensors: Mapping[str, Tensor], roles: RolesOf
) -> Iterator[tuple[ArraySlot, str]]:
    slots = list(array_slots(owner, roles))
    for role in dict.fromkeys(slot.role.name for slot in slots):
        wanted = [slot for slot in slots if slot.role.name == role]
        named = [name for key in keys for name in _named(key, owner.name, role)]
        own = [name for name in named if not name.inside or any(_leads_to(slot, owner, name.inside) for slot in slots)]
        found = _in_one_scope(wanted[0], own, models)
        if len(found) != len(wanted):
            raise _missing(wanted, found, tensors)
        yield from _matched(owner, wanted, found)


def _named(key: str, layer: str, role: str) -> Iterator[_Named]:
    """The reading of a variable's name as an array of this layer and role, if there is one."""
    *parents, last = key.split("/")
    match = re.fullmatch(rf"{re.escape(role)}(?:_([0-9]+))?", last)
    if match and layer in parents:
        place = len(parents) - 1 - parents[::-1].index(layer)
        yield _Named(key, tuple(parents[:place]), tuple(parents[place + 1 :]), int(match[1] or 0))


def _in_one_scope(slot: ArraySlot, found: Sequence[_Named], models: tuple[str, ...]) -> list[_Named]:
    """Those in the scope that matches the models around the layer best, since a name without scope may be ambiguous."""
    scopes = sorted({name.scope for name in found})
    if len(scopes) < 2:
        return list(found)
    agreeing = {scope: sum(part in models for part in scope) for scope in scopes}
    best = [scope for scope in scopes if agreeing[scope] == max(agreeing.values())]
    if len(best) > 1 or not agreeing[best[0]]:
        raise _ambiguous(slot, [name.key for name in found], "are in different scopes")
    return [name for name in found if name.scope == best[0]]


def _matched(owner: Layer, wanted: Sequence[ArraySlot], found: Sequence[_Named]) -> Iterator[tuple[ArraySlot, str]]:
    """One variable for each array of one role: by the names inside the layer, or by number in creation order."""
    if len(wanted) == 1:
        yield wanted[0], found[0].key
        return
    if len({name.inside for name in found}) == 1:
        ordered = sorted(found, key=lambda name: name.number)
        if [name.number for name in ordered] != list(range(len(ordered))):
            raise _ambiguous(wanted[0], [name.key for name in found], "are not numbered from the first on")
        yield from zip(wanted, (name.key for name in ordered), strict=True)
        return
    for slot in wanted:
        fitting = [name.key for name in found if _leads_to(slot, owner, name.inside)]
        if len(fitting) != 1:
            raise _ambiguous(slot, fitting or [name.key for name in found], "do not identify the array")
        yield slot, fitting[0]


def _leads_to(slot: ArraySlot, owner: Layer, inside: tuple[str, ...]) -> bool:
    """Whether the names inside a layer are those of the path to an array; TensorFlow 2 adds that of a layer's cell."""
    names: list[str] = []
    layer = owner
    for step in slot.path[len(owner.path) :]:
        if layer.class_name == "Bidirectional":
            layer = layer.slots.get(step, layer.slots["forward"])
            names.append(f"{step}_{layer.name.removeprefix('forward_').removeprefix('backward_')}")
        else:
            layer = layer.slots[step]
            names.append(layer.name)
    if inside[: len(names)] == tuple(names):
        rest = inside[len(names) :]
        return not rest or (len(rest) == 1 and _CELL.fullmatch(rest[0]) is not None)
    return bool(names) and inside[-1] == names[-1]


def _training_state(graph: Graph, tensors: Mapping[str, Tensor], taken: Mapping[str, LayerPath]) -> Iterator[str]:
    """Variables that do not affect outputs: counters, optimizer slots, metrics, states of stateful layers."""
    stateful = {layer.name for layer in graph.walk() if layer.config.get("stateful")}
    for key, tensor in tensors.items():
        *parents, last = parts = key.split("/")
        in_training = bool(_TRAINING_SCOPE.fullmatch(parts[0]))
        if (
            (tensor.is_scalar and (in_training or _COUNTERS.fullmatch(last)))
            or (in_training and _ANONYMOUS.fullmatch(last))
            or (_ANONYMOUS.fullmatch(last) and stateful & set(parents))
            or any(run in taken for run in _runs(parents))
        ):
            yield key


def _runs(parts: Sequence[str]) -> Iterator[str]:
    """Every run of parts, joined, up to a depth beyond that of real scopes."""
    for start in range(min(len(parts), _DEEPEST)):
        for end in range(start + 1, min(len(parts), _DEEPEST) + 1):
            yield "/".join(parts[start:end])


def _missing(wanted: Sequence[ArraySlot], found: Sequence[_Named], tensors: Mapping[str, Tensor]) -> MigrationError:
    role = wanted[0].role.name
    there = ", ".join(name.key for name in found[:4])
    like = there or ", ".join([key for key in tensors if key.rsplit("/", 1)[-1].startswith(role)][:4]) or "none"
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The architecture has {len(wanted)} {role} here, the checkpoint {len(found)} of such a name "
        f"({'found' if there else 'elsewhere'}: {like})",
        layer=wanted[0].path,
        advice="Provide the architecture whose layers have the variables' names.",
    )


def _ambiguous(slot: ArraySlot, keys: Sequence[str], why: str) -> MigrationError:
    return MigrationError(
        Reason.WEIGHTS_MISMATCH,
        f"The checkpoint's names do not identify the variable for {slot.role.name}: {', '.join(keys[:4])} {why}",
        layer=slot.path,
        advice="Save the model's weights with save_weights, which keeps the order of its layers.",
    )
