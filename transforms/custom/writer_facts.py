"""Reads facts about a source that custom code needs first: the Keras that wrote it, and its weight groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transforms.limits import Limits
from transforms.records.runtime import Runtime, runtime_of
from transforms.source.checkpoint.bundle import open_bundle
from transforms.source.checkpoint.files import local_checkpoint
from transforms.source.hdf5.file import open_hdf5
from transforms.source.hdf5.objects import group_at, has_group, list_attribute, text_attribute
from transforms.weights.checkpoint import assumed_version

#: Assumed for a file that records no version: the defaults of Keras 1 and early Keras 2 are the same.
_UNRECORDED = "2.0"


@dataclass(frozen=True)
class StoredGroups:
    """The weight groups of a source.

    Attributes:
        runtime: the Keras that wrote it.
        weighted: names of the groups with arrays, in stored order; None for a checkpoint, which has no groups.
    """

    runtime: Runtime
    weighted: tuple[str, ...] | None


def stored_groups(path: Path, backend: str, limits: Limits) -> StoredGroups:
    """Reads the attributes of a source. Raises MigrationError if it cannot be opened."""
    prefix = local_checkpoint(path)
    if prefix is not None:
        with open_bundle(prefix, limits) as bundle:
            return StoredGroups(runtime_of(assumed_version(bundle, limits) or _UNRECORDED, backend), None)
    with open_hdf5(path, limits, "") as (file, _):
        weights = group_at(file, "model_weights") if has_group(file, "model_weights") else file
        recorded = next(filter(None, (text_attribute(each, "keras_version", limits) for each in (weights, file))), "")
        names = list_attribute(weights, "layer_names", limits) or ()
        weighted = tuple(name for name in names if list_attribute(group_at(weights, name), "weight_names", limits))
        return StoredGroups(runtime_of(recorded or _UNRECORDED, backend), weighted)
