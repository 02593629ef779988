"""One Lambda called several times."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.transforms.hostile_models import called, dense, dumped, functional, layer, write_model
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationRequest, Status


def test_inputs_of_several_ranks(tmp_path: Path) -> None:
    """As in models that sum over fields, then over the sum: each rank has a form of its own."""
    import tf_keras

    halved = layer("Lambda", name="f", function=dumped(lambda x: x * 0.5), function_type="lambda", arguments={})
    shared = {**halved, "name": "f", "inbound_nodes": [[[name, 0, 0, {}]] for name in ("d1", "r", "g")]}
    layers = [
        called(dense(), "x"),
        called(layer("Reshape", name="r", target_shape=[2, 2]), "d1"),
        shared,
        called(layer("Flatten", name="g", data_format="channels_last"), "r"),
        {
            "class_name": "Add",
            "name": "a",
            "config": {"name": "a"},
            "inbound_nodes": [[["f", 0, 0, {}], ["f", 2, 0, {}]]],
        },
    ]
    config = functional(*layers, outputs=[["a", 0, 0], ["f", 1, 0]])
    staging = tmp_path / "staged"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("m", write_model(tmp_path / "m.h5", config), staging))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.message
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    d1 = x @ np.arange(12, dtype=np.float32).reshape(3, 4) + 1.0
    loaded = tf_keras.models.load_model(staging, compile=False)(x)
    np.testing.assert_allclose(np.asarray(loaded[0]), d1, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(loaded[1]), 0.5 * d1.reshape(1, 2, 2), rtol=1e-6)
