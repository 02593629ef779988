"""Reads the weight groups of an HDF5 file, for the outermost graph's layers, without reading arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import h5py

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits, over_budget
from transforms.source.hdf5.aliases import StorageMap
from transforms.source.hdf5.objects import HDF5Array, array_at, group_at, list_attribute
from transforms.weights.layer_guess import revealed_layer

_RESTORE = "The file's index and content disagree: restore it from its origin."


def weight_groups(
    weights: h5py.Group, layer_names: Sequence[str], limits: Limits, skipped: frozenset[str]
) -> Mapping[str, tuple[HDF5Array, ...]]:
    """The arrays of every weight group, by layer name, without the groups named in `skipped`.

    Raises:
        MigrationError: `unsafe_storage` if groups or arrays share their place in the file, `over_budget`,
            `weights_mismatch`, and the errors of `array_at`.
    """
    groups: dict[str, tuple[HDF5Array, ...]] = {}
    places = StorageMap()
    count = 0
    for name in layer_names:
        places.add_object(name, group_at(weights, name))
        groups[name] = _group_arrays(weights, name, limits, skipped)
        for array in groups[name]:
            places.add_array(array)
        count += len(groups[name])
        if count > limits.attribute_items:
            raise over_budget(f"The file lists {count:,} arrays", "attribute_items", limits)
    places.refuse_overlaps()
    return groups


def architecture_needed(weights: h5py.Group, layer_names: Sequence[str], limits: Limits) -> MigrationError:
    """The error for a file with weights only; it names the layers that the arrays reveal."""
    groups = {name: _group_arrays(weights, name, limits) for name in layer_names[:200]}
    weighted = {name: held for name, held in groups.items() if held}
    shown = "; ".join(f"{name}: {revealed_layer(held)}" for name, held in list(weighted.items())[:6])
    return MigrationError(
        Reason.MISSING_ARCHITECTURE,
        f"The file holds weights only: {len(layer_names)} groups, {len(weighted)} with arrays ({shown})",
        advice="Give the architecture (JSON or YAML) in the manifest's `architecture` column.",
    )


def _group_arrays(
    weights: h5py.Group, name: str, limits: Limits, skipped: frozenset[str] = frozenset()
) -> tuple[HDF5Array, ...]:
    group = group_at(weights, name)
    names = list_attribute(group, "weight_names", limits)
    if names is None:
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH, f"The group {name!r} lists no weight_names", layer=(name,), advice=_RESTORE
        )
    wanted = [weight for weight in names if weight.rsplit("/", 1)[-1] not in skipped]
    return tuple(array_at(group, weight, limits) for weight in wanted)
