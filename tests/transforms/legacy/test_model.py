"""Whole files as they were written."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.fixture_files import MIGRATABLE, FixtureFile, fixture_file
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import open_legacy_model
from transforms.records.runtime import Family

PRODUCERS = {
    "keras-2.2.4": (Family.KERAS, (2, 2, 4)),
    "keras-2.3.1": (Family.KERAS, (2, 3, 1)),
    "tfkeras-1.13.1": (Family.TF_KERAS, (2, 2, 4)),
    "tfkeras-1.15.5": (Family.TF_KERAS, (2, 2, 4)),
    "tfkeras-2.3.4": (Family.TF_KERAS, (2, 4, 0)),
    "tfkeras-2.8.4": (Family.TF_KERAS, (2, 8, 0)),
    "tfkeras-2.15.1": (Family.TF_KERAS, (2, 15, 0)),
}


@pytest.mark.parametrize(
    "fixture",
    [each for each in MIGRATABLE if each.name.split("/")[0] in PRODUCERS and "lambda" not in each.features],
    ids=lambda fixture: fixture.name,
)
def test_producer_and_arrays(fixture: FixtureFile) -> None:
    with open_legacy_model(fixture.source) as model:
        assert (model.runtime.family, model.runtime.version) == PRODUCERS[fixture.name.split("/")[0]]
        read = {(path, role): model.read_array(path, role) for path, held in model.arrays.items() for role in held}
    assert model.parameters == sum(array.size for array in read.values())
    assert all(np.isfinite(array).all() for array in read.values())


def test_training_state_is_data() -> None:
    with open_legacy_model(fixture_file("keras-2.2.4/fitted_custom_loss").source) as model:
        assert model.training_config is not None
        assert model.training_config["optimizer_config"]["class_name"] == "Adam"
        shapes = [array.shape for array in model.optimizer_arrays]
    assert shapes[0] == ()  # Adam's step counter
    assert len(shapes) > 2


def test_the_operator_s_word_on_the_backend_counts() -> None:
    with open_legacy_model(fixture_file("keras-2.2.4/conv1d").source, backend="theano") as model:
        assert model.runtime.backend == "theano"


def test_weights_without_an_architecture_say_what_they_are(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"rnn_1"])
        group = file.create_group("rnn_1")
        shapes = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (32,)}
        group.attrs["weight_names"] = np.array([f"rnn_1/{role}:0".encode() for role in shapes])
        for role, shape in shapes.items():
            group[f"rnn_1/{role}:0"] = np.zeros(shape, "f4")
    with (
        pytest.raises(MigrationError, match="rnn_1: CuDNNLSTM with 4 units") as refusal,
        open_legacy_model(tmp_path / "w.h5"),
    ):
        pass
    assert refusal.value.reason is Reason.MISSING_ARCHITECTURE
