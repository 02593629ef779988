"""`scan mlflow:`: the manifest that is proposed for a registry."""

import json

import numpy as np
import pytest

from pipeline.manifest.reader import read_manifest
from pipeline.registries.mlflow.source import propose_registry
from pipeline.registries.mlflow.versions import MlflowError, parse_location
from tests.pipeline.cli.test_app import exit_status
from tests.pipeline.registries.mlflow.registry_files import GENUINE, MLMODEL, database, logged

URI = f"mlflow:sqlite:///{GENUINE}/mlflow.db"


def test_the_registry_of_mlflow_1_30_becomes_a_manifest(tmp_path):
    assert exit_status("scan", URI, "-o", str(tmp_path / "manifest.csv"), "--quiet") == 0
    text = (tmp_path / "manifest.csv").read_text()
    assert "# credit_x20risk: registered as 'credit risk'; stage Production; samples: the inputs of" in text
    rows = read_manifest(str(tmp_path / "manifest.csv")).rows
    assert [(row.model, row.version, bool(row.samples), row.reason) for row in rows] == [
        ("credit_x20risk", 1, False, ""),
        ("credit_x20risk", 2, True, ""),
        ("credit_x20risk", 3, False, ""),
        ("tagger", 1, False, ""),
        ("tagger", 2, False, ""),
        ("tagger", 3, True, ""),
    ]
    table, tensors = (np.load(row.samples) for row in rows if row.samples)
    golden = [np.load(GENUINE / f"golden/{name}.npz") for name in ("credit_risk-2", "tagger-3")]
    np.testing.assert_array_equal(table["x0"], golden[0]["x0"])
    np.testing.assert_array_equal(tensors["words"], golden[1]["x0"])
    np.testing.assert_array_equal(tensors["case"], golden[1]["x1"])


@pytest.fixture
def proposed(tmp_path):
    """Proposes a manifest for one logged model, given by its artifacts."""

    def propose(mlmodel=MLMODEL, files=("data/model.h5",), **written):
        folder = logged(tmp_path / "artifacts", mlmodel, files=files)
        for name, data in written.items():
            path = folder / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        path = database(tmp_path / "mlflow.db", {("net", 1): "artifacts"})
        return propose_registry(f"mlflow:sqlite:///{path}", tmp_path / "downloads")

    return propose


@pytest.mark.parametrize(
    "mlmodel, files, reason",
    [
        ("flavors: {sklearn: {}}", ("model.h5",), "neither of flavor keras nor tensorflow"),
        ("flavors: {keras: {data: data, save_format: tf}}", (), "a SavedModel already"),
        ("flavors: {tensorflow: {data: data, save_format: keras}}", (), "Keras 3's .keras"),
        (MLMODEL, (), "no HDF5 file inside|h5"),
        (MLMODEL, ("a.h5", "b.hdf5"), "several HDF5 files: a.h5, b.hdf5"),
    ],
)
def test_a_version_without_one_hdf5_model_is_left_out_with_the_reason(proposed, mlmodel, files, reason):
    found = proposed(mlmodel, files)
    assert found.rows == () and len(found.oddities.versions) == 1
    name, why = found.oddities.versions[0]
    assert name == "net/1" and why in reason.split("|")


def test_what_is_called_h5_and_is_not_is_left_out(proposed):
    found = proposed(files=(), data__model_dot_h5=b"<html>")
    assert found.oddities.versions == [("net/1", "model.h5 is no HDF5")]


def test_a_pickle_of_custom_objects_is_named_and_not_loaded(proposed):
    (row,) = proposed(data__custom_objects_dot_cloudpickle=b"cos\nsystem\n").rows
    assert row.custom_objects is None and "pickle, which is not loaded" in row.notes[-1]


def test_the_only_python_file_logged_with_custom_objects_is_proposed(proposed, tmp_path):
    mlmodel = MLMODEL.replace("save_format: h5", "save_format: h5, code: code")
    written = {"data__custom_objects_dot_cloudpickle": b"x", "code__layers_dot_py": b"A = 1\n"}
    found = proposed(mlmodel, **written)
    assert found.rows[0].custom_objects == tmp_path / "artifacts/code/layers.py"
    assert json.loads(json.dumps(found.rows[0].columns(tmp_path)))["custom_objects"] == "artifacts/code/layers.py"


def test_samples_that_were_logged_with_the_model_are_proposed(proposed, tmp_path):
    np.savez(tmp_path / "recorded.npz", x0=np.ones((2, 3)), y0=np.ones((2, 1)))
    (row,) = proposed(samples_dot_npz=(tmp_path / "recorded.npz").read_bytes()).rows
    assert row.samples == tmp_path / "artifacts/samples.npz"


def test_other_arrays_that_were_logged_are_no_samples(proposed, tmp_path):
    np.savez(tmp_path / "embeddings.npz", words=np.ones((2, 3)))
    (row,) = proposed(embeddings_dot_npz=(tmp_path / "embeddings.npz").read_bytes()).rows
    assert row.samples is None


def test_an_example_that_cannot_be_used_is_told(proposed):
    mlmodel = f"{MLMODEL}saved_input_example_info: {{artifact_path: input_example.json}}\n"
    (row,) = proposed(mlmodel, input_example_dot_json=b'{"inputs": [[null]]}').rows
    assert row.samples is None and "cannot be used as samples" in row.notes[-1]


def test_artifacts_on_another_machine_or_behind_a_server_are_told(tmp_path):
    sources = {("a", 1): "/nowhere/model", ("b", 1): "mlflow-artifacts:/0/abc/artifacts/model"}
    path = database(tmp_path / "mlflow.db", sources)
    found = propose_registry(f"mlflow:sqlite:///{path}", tmp_path / "downloads")
    assert [why for _, why in found.oddities.versions] == [
        "there is no folder /nowhere/model on this machine",
        "mlflow-artifacts:/0/abc/artifacts/model is behind the MLflow server: scan its URL",
    ]


def test_two_registries_share_no_files_even_in_one_folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        folder = logged(
            tmp_path / name / "artifacts", f"{MLMODEL}saved_input_example_info: {{artifact_path: e.json}}\n"
        )
        (folder / "e.json").write_text(json.dumps({"inputs": [[ord(name)]]}))
        database(tmp_path / name / "mlflow.db", {("net", 1): "artifacts"})
    rows = [
        propose_registry(f"mlflow:sqlite:///{tmp_path}/{name}/mlflow.db", tmp_path / "downloads").rows[0]
        for name in ("a", "b")
    ]
    assert [int(np.load(row.samples)["x0"][0, 0]) for row in rows] == [ord("a"), ord("b")]


@pytest.mark.parametrize(
    "text, message",
    [
        ("mlflow:sqlite:////nowhere/mlflow.db", "there is no database"),
        ("mlflow:postgresql://user@host/db", "URL of the MLflow server"),
        ("mlflow:nowhere", "neither"),
        ("mlflow:ftp://host", "neither"),
    ],
)
def test_a_place_that_is_no_registry_is_refused(text, message, capsys):
    with pytest.raises(MlflowError, match=message):
        parse_location(text)
    assert exit_status("scan", text) == 2
    assert message in capsys.readouterr().err


def test_a_registry_is_scanned_by_itself(tmp_path, capsys):
    assert exit_status("scan", URI, str(tmp_path)) == 2
    assert "by itself" in capsys.readouterr().err
