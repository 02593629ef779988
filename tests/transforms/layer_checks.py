"""Checks one layer class in all its aspects: arrays, output shape, rebuilt layer, evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from transforms.layer_specs.layer_shapes import layer_shapes
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Status
from transforms.records.runtime import Family, runtime_of
from transforms.releases.table import family_facts
from transforms.weights.roles import roles_of


def check_layer(
    folder: Path,
    class_name: str,
    options: Mapping[str, Any],
    *,
    input_shape: Sequence[int | None],
    weights: Mapping[str, npt.NDArray[Any]] | None = None,
    output_shape: Sequence[int | None] | None = None,
    evidence: Evidence = Evidence.REFERENCE,
    keras_version: str = "2.8.0",
) -> MigrationOutcome:
    """Migrates a model of this one layer.

    Args:
        folder: an empty folder.
        class_name, options: the layer; options that its release always stores and that are not given are null.
        input_shape: without the batch.
        weights: by role, in Keras creation order.
        output_shape: what `inspect` shows, with the batch; None where it shows none.
        evidence: what its outputs are compared with.
        keras_version: as a file records it; the backend is TensorFlow.
    """
    weights = weights or {}
    stored = family_facts(Family.TF_KERAS).class_facts(class_name, runtime_of(keras_version, "tensorflow").version[:2])
    unstated = dict.fromkeys(sorted(stored[0].stores)) if stored else {}
    config = {**unstated, "name": "checked", "trainable": True, "dtype": "float32", **options}
    roles = roles_of(class_name, config)
    assert [role.name for role in roles] == list(weights)
    assert all(role.admits(array.shape) for role, array in zip(roles, weights.values(), strict=True))

    shapes = layer_shapes(class_name, config, [(None, *input_shape)])
    assert (tuple(shapes[0]) if shapes else None) == (None if output_shape is None else tuple(output_shape))

    source = _written(folder / "model.h5", class_name, config, input_shape, weights, keras_version)
    staging = folder / "staged"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("checked", source, staging))
    assert outcome.status is Status.MIGRATED, outcome
    assert outcome.evidence is evidence
    return outcome


def _written(
    path: Path,
    class_name: str,
    config: Mapping[str, Any],
    input_shape: Sequence[int | None],
    weights: Mapping[str, npt.NDArray[Any]],
    keras_version: str,
) -> Path:
    given = {"batch_input_shape": [None, *input_shape], "dtype": "float32", "sparse": False, "ragged": False}
    layers = [
        {"class_name": "InputLayer", "config": {**given, "name": "x"}},
        {"class_name": class_name, "config": config},
    ]
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": layers}})
        file.attrs["keras_version"], file.attrs["backend"] = keras_version, "tensorflow"
        groups = file.create_group("model_weights")
        groups.attrs["layer_names"] = np.array([b"checked"])
        group = groups.create_group("checked")
        group.attrs["weight_names"] = np.array([f"checked/{role}:0".encode() for role in weights])
        for role, array in weights.items():
            group[f"checked/{role}:0"] = array
    return path
