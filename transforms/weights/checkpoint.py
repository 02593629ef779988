"""Assigns the tensors of an open checkpoint to layers; without an architecture, describes what they reveal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.architecture.config_json import parse_config
from transforms.architecture.graph import Graph, LayerPath
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.checkpoint.bundle import Bundle, CheckpointArray, Tensor
from transforms.source.stored_array import StoredArray
from transforms.weights.bounds import refuse_excess
from transforms.weights.checkpoint_by_name import place_by_name
from transforms.weights.checkpoint_by_object import place_by_object
from transforms.weights.checkpoint_object_graph import ObjectGraph, object_graph
from transforms.weights.layer_guess import revealed_layer
from transforms.weights.slots import ArraySlot, RolesOf, misplaced, role_in

_MOST_REVEALED = 6
_CELL = re.compile(r"[a-z0-9_]+_cell(_[0-9]+)?")


@dataclass(frozen=True)
class AssignedVariables:
    """The arrays by leaf layer path and role, and other contents of the checkpoint."""

    arrays: Mapping[LayerPath, Mapping[str, StoredArray]]
    warnings: tuple[str, ...] = ()


def assign_variables(bundle: Bundle, graph: Graph, roles: RolesOf, limits: Limits) -> AssignedVariables:
    """Every array of the architecture, unread, with checked shape and type.

    Raises:
        MigrationError: `weights_mismatch`, `unsafe_storage`, `over_budget`, `corrupt_checkpoint`,
            `unsupported_layer`.
    """
    objects = object_graph(bundle, limits)
    warnings: list[str] = []
    placed: list[tuple[ArraySlot, str, Tensor]]
    if objects is None:
        placed = [(slot, key, bundle.tensors[key]) for slot, key in place_by_name(graph, bundle.tensors, roles)]
    else:
        by_object, warnings = place_by_object(graph, objects, roles)
        placed = [(each.slot, each.variable.name, each.variable.tensor) for each in by_object]
    arrays: dict[LayerPath, dict[str, StoredArray]] = {}
    for slot, name, tensor in placed:
        array = bundle.array(tensor, name, limits)
        if not slot.role.admits(array.shape):
            raise misplaced(slot, array.name, array.shape)
        arrays.setdefault(slot.path, {})[slot.role.name] = array
    refuse_excess([array for held in arrays.values() for array in held.values()], limits)
    return AssignedVariables(arrays, tuple(warnings))


def stored_architecture(bundle: Bundle, limits: Limits) -> Any:
    """The config of the whole model, which TensorFlow 1.13 and 1.14 store with its weights; None if there is none.

    Raises MigrationError `invalid_config`, `over_budget`, `corrupt_checkpoint`.
    """
    objects = object_graph(bundle, limits)
    if objects is None or 0 not in objects.configs:
        return None
    text = bundle.text(objects.configs[0], limits.json_bytes)
    return parse_config(text.decode("utf-8", "replace"), "OBJECT_CONFIG_JSON", limits)


def assumed_version(bundle: Bundle, limits: Limits) -> str:
    """The assumed keras_version of a checkpoint that records none; "" if a checkpoint by name gives no indication.

    Only tf.keras stores objects. From TensorFlow 2.2 on the names of a recurrent layer's arrays contain its cell's
    name.
    """
    objects = object_graph(bundle, limits)
    if objects is None:
        return ""
    parents = {part for each in objects.variables.values() for part in each.name.split("/")[1:-1]}
    return "2.4.0" if any(_CELL.fullmatch(part) for part in parents) else "2.2.4-tf"


def missing_architecture(bundle: Bundle, limits: Limits) -> MigrationError:
    """The error for a checkpoint without an architecture, with what its variables reveal."""
    groups: dict[str, list[CheckpointArray]] = {}
    for name, tensor in _weights(bundle, object_graph(bundle, limits)):
        parent, _, _ = name.rpartition("/")
        groups.setdefault(parent, []).append(bundle.array(tensor, name, limits))
    shown = "; ".join(f"{name}: {revealed_layer(held)}" for name, held in [*groups.items()][:_MOST_REVEALED])
    more = f"; {len(groups) - _MOST_REVEALED} more" if len(groups) > _MOST_REVEALED else ""
    return MigrationError(
        Reason.MISSING_ARCHITECTURE,
        f"A checkpoint holds weights only: {len(groups)} layers with arrays ({shown}{more})",
        advice="Give the architecture (JSON or YAML) in the manifest's `architecture` column.",
    )


def _weights(bundle: Bundle, objects: ObjectGraph | None) -> Iterator[tuple[str, Tensor]]:
    """Variables that are weights of layers, judging by their names."""
    if objects is None:
        named = [(key, tensor) for key, tensor in bundle.tensors.items()]
    else:
        reached = objects.reach(0, ("optimizer",))
        own = sorted(node for node in reached if node in objects.variables and node not in objects.slots)
        named = [(objects.variables[node].name, objects.variables[node].tensor) for node in own]
    for name, tensor in named:
        if role_in(name) is not None and tensor.shape and tensor.dtype is not None and tensor.dtype.kind == "f":
            yield name, tensor
