"""Weights that genuine runtimes saved apart, under another architecture: either assignment gives their outputs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.fixture_files import FixtureFile, fixture_files, weights_files
from tests.transforms.weights.stored_models import names
from transforms.architecture.source import read_architecture
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationRequest, Status
from transforms.reference import forward

APART = {each.name: each for each in weights_files()}
FROZEN = [each for each in fixture_files() if "frozen" in each.features]
OBJECTS = APART["tfkeras-2.15.1/weights_of_objects"]


def by_position(model: LegacyModel, path: tuple[str, ...]) -> Mapping[str, Any]:
    return {role: model.read_array(path, role) for role in model.arrays.get(path, {})}


@pytest.mark.parametrize("fixture", [*APART.values(), *FROZEN], ids=lambda fixture: fixture.name)
def test_each_assignment_gives_the_legacy_outputs(fixture: FixtureFile) -> None:
    architecture = read_architecture(fixture.architecture) if fixture.architecture else None
    with open_legacy_model(fixture.source, architecture) as model:
        assert "weights" not in {each.assumption.question for each in model.open_questions}
        for prefix in ("", "alt_"):
            inputs, golden = fixture.batch(prefix)
            for weights_of in (model.weights_of, lambda path: by_position(model, path)):
                outputs = forward(model.graph, weights_of, inputs, model.runtime)
                for output, wanted in zip(outputs, golden, strict=True):
                    np.testing.assert_allclose(output, wanted, rtol=2e-5, atol=5e-6)


def test_other_automatic_names_are_told_of() -> None:
    fixture = APART["keras-2.2.4/weights_of_another_session"]
    with open_legacy_model(fixture.source, read_architecture(fixture.architecture)) as model:
        assert any("paired by position and by rank" in warning for warning in model.warnings)


@pytest.mark.parametrize(
    "name",
    ["keras-2.3.1/weights_of_cudnn_for_lstm", "tfkeras-2.8.4/weights_of_lstm_for_cudnn", OBJECTS.name],
)
def test_they_migrate(name: str, tmp_path: Path) -> None:
    fixture = APART[name]
    for samples, evidence in ((fixture.samples, Evidence.GOLDEN), (None, Evidence.REFERENCE)):
        staging = tmp_path / evidence.value
        staging.mkdir()
        request = MigrationRequest("m", fixture.source, staging, fixture.architecture, samples)
        outcome = migrate_model(request)
        assert (outcome.status, outcome.evidence) == (Status.MIGRATED, evidence), outcome


def changed(change: Any) -> Any:
    architecture = json.loads(OBJECTS.architecture.read_text()) if OBJECTS.architecture else {}
    change(architecture["config"]["layers"])
    architecture["config"]["output_layers"] = [[architecture["config"]["layers"][-1]["config"]["name"], 0, 0]]
    return architecture


def wider(layers: list[Any]) -> None:
    layers[-1]["config"]["units"] += 1


def without_last(layers: list[Any]) -> None:
    layers[-1]["class_name"] = "Activation"
    kept = {key: layers[-1]["config"][key] for key in ("name", "trainable", "dtype")}
    layers[-1]["config"] = {**kept, "activation": "tanh"}


def with_another(layers: list[Any]) -> None:
    before = layers[-1]["config"]["name"]
    layers.append(json.loads(json.dumps(layers[-1]).replace(f'"{before}"', '"more"')))
    layers[-1]["inbound_nodes"] = [[[before, 0, 0, {}]]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (wider, "of shape"),
        (without_last, "no place for: layers/dense_1/vars/0"),
        (with_another, "no array layers/dense_2/vars/0"),
    ],
)
def test_objects_of_another_model_are_refused(change: Any, says: str) -> None:
    with pytest.raises(MigrationError, match=says) as refusal, open_legacy_model(OBJECTS.source, changed(change)):
        pass
    assert refusal.value.reason is Reason.WEIGHTS_MISMATCH


def test_objects_alone_need_an_architecture() -> None:
    with pytest.raises(MigrationError, match="layers/dense: ") as refusal, open_legacy_model(OBJECTS.source):
        pass
    assert refusal.value.reason is Reason.MISSING_ARCHITECTURE


def keras_3_pair(path: Path, noted: tuple[str, str]) -> Any:
    """Two Dense layers as Keras 3 stores them, each with a name noted beside its arrays; and their architecture."""
    with h5py.File(path, "w") as file:
        for entry, name, scale in zip(("dense", "dense_1"), noted, (1.0, 2.0), strict=True):
            group = file.create_group(f"layers/{entry}/vars")
            group.attrs["name"] = name
            group["0"] = np.full((4, 4), scale, "f4")
    layers = [{"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4]}}]
    layers += [
        {"class_name": "Dense", "config": {"name": name, "units": 4, "use_bias": False, "trainable": True}}
        for name in ("dense_1", "dense_2")
    ]
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": layers}}


@pytest.mark.parametrize(
    ("noted", "is_open"),
    [(("dense_1", "dense_2"), False), (("dense_7", "dense_8"), False), (("dense_2", "dense_1"), True)],
)
def test_noted_names_are_the_other_assignment(noted: tuple[str, str], is_open: bool, tmp_path: Path) -> None:
    architecture = keras_3_pair(tmp_path / "m.weights.h5", noted)
    with open_legacy_model(tmp_path / "m.weights.h5", architecture) as model:
        assert model.runtime.family == "keras_3"
        assert names(model.arrays)["dense_1:kernel"] == "layers/dense/vars/0"  # by rank, as Keras loads it
        assert ("weights" in {each.assumption.question for each in model.open_questions}) is is_open


@pytest.mark.parametrize(
    ("write", "reason", "says"),
    [
        (lambda file: file.attrs.update(nb_layers=3), Reason.UNSUPPORTED_DIALECT, "Keras 0.x"),
        (lambda file: file.attrs.update(PYTABLES_FORMAT_VERSION="2.1"), Reason.NOT_A_MODEL, "PyTables"),
        (lambda file: file.create_group("frames"), Reason.NOT_A_MODEL, "it holds frames"),
        (lambda file: None, Reason.NOT_A_MODEL, "it is empty"),
    ],
)
def test_what_is_no_model_is_told_apart(write: Any, reason: Reason, says: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        write(file)
    with pytest.raises(MigrationError, match=says) as refusal, open_legacy_model(tmp_path / "m.h5"):
        pass
    assert refusal.value.reason is reason
