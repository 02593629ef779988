"""Weights whose names and order disagree: golden outputs decide, else the row says what was assumed."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationRequest, Status

DRAW = np.random.default_rng(3)
KERNELS = {name: DRAW.normal(size=(4, 4)).astype("float32") for name in ("dense_1", "dense_2")}
X = DRAW.normal(size=(5, 4)).astype("float32")


@pytest.fixture
def request_of(tmp_path: Path) -> Any:
    """Weights listed as dense_2, dense_1 for a model of dense_1, dense_2."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs.update(keras_version="2.2.4", backend="tensorflow")
        file.attrs["layer_names"] = np.array(["dense_2", "dense_1"], "S")
        for name, kernel in KERNELS.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}/kernel:0"], "S")
            group[f"{name}/kernel:0"] = kernel
    layers = [
        {"class_name": "Dense", "config": {"name": name, "units": 4, "use_bias": False, "activation": activation}}
        for name, activation in (("dense_1", "tanh"), ("dense_2", "linear"))
    ]
    layers[0]["config"]["batch_input_shape"] = [None, 4]
    architecture = tmp_path / "w.json"
    architecture.write_text(json.dumps({"class_name": "Sequential", "config": layers, "keras_version": "2.2.4"}))

    def make(order: str = "") -> MigrationRequest:
        samples = tmp_path / "samples.npz"
        if order:
            first, second = (KERNELS[name] for name in order.split())
            np.savez(samples, x0=X, y0=np.tanh(X @ first) @ second)
        staging = tmp_path / "staging"
        staging.mkdir()
        return MigrationRequest("m", tmp_path / "w.h5", staging, architecture, samples if order else None)

    return make


def test_without_golden_outputs_the_order_is_assumed(request_of: Any) -> None:
    outcome = migrate_model(request_of())
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.ASSUMED), outcome.message
    assert "weights by position, not by name" in str(outcome.assumptions[0])


@pytest.mark.parametrize("order", ["dense_2 dense_1", "dense_1 dense_2"], ids=["as listed", "as named"])
def test_golden_outputs_decide(order: str, request_of: Any) -> None:
    outcome = migrate_model(request_of(order))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.GOLDEN), outcome.message
    assert any("golden outputs decide" in warning for warning in outcome.warnings)
