"""The registry in an SQLite database, as MLflow 1.30 wrote it and as others do, which stays as it is."""

import hashlib
import shutil
import sqlite3

import pytest

from pipeline.registries.mlflow.database import read_database
from pipeline.registries.mlflow.versions import MlflowError
from tests.pipeline.registries.mlflow.registry_files import GENUINE, database


def test_the_versions_of_mlflow_1_30_are_read():
    found = read_database(GENUINE / "mlflow.db")
    assert [(each.name, each.version, each.stage) for each in found] == [
        ("credit risk", 1, "Archived"),
        ("credit risk", 2, "Production"),
        ("credit risk", 3, ""),
        ("tagger", 1, ""),
        ("tagger", 2, ""),
        ("tagger", 3, "Staging"),
    ]
    assert all((GENUINE / each.source / "MLmodel").is_file() and each.run_id in each.source for each in found)
    assert [each.tags for each in found if each.tags] == [{"team": "language"}]


def files_in(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_the_database_and_its_folder_stay_as_they_are(tmp_path, mode):
    shutil.copy(GENUINE / "mlflow.db", tmp_path / "mlflow.db")
    writer = sqlite3.connect(tmp_path / "mlflow.db")
    writer.execute(f"PRAGMA journal_mode={mode}")
    writer.execute("UPDATE model_versions SET current_stage = 'Staging' WHERE version = 1")
    writer.commit()
    before = files_in(tmp_path)
    assert (len(before) > 1) == (mode == "wal")
    assert read_database(tmp_path / "mlflow.db")[0].stage == "Staging"
    assert files_in(tmp_path) == before
    writer.close()


def test_aliases_locations_and_logged_models_of_later_releases_are_read(tmp_path):
    sources = {("a", 1): "models:/m-1", ("a", 2): "models:/m-2", ("b", 10): "s3://bucket/b"}
    path = database(tmp_path / "mlflow.db", sources)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE registered_model_aliases (name, alias, version)")
        connection.execute("INSERT INTO registered_model_aliases VALUES ('a', 'champion', 2), ('a', 'best', 2)")
        connection.execute("CREATE TABLE logged_models (model_id, artifact_location)")
        connection.execute("INSERT INTO logged_models VALUES ('m-1', 'mlflow-artifacts:/0/models/m-1/artifacts')")
    connection.close()
    found = read_database(path)
    assert [each.source for each in found] == [
        "mlflow-artifacts:/0/models/m-1/artifacts",
        "models:/m-2",
        "s3://bucket/b",
    ]
    assert [each.aliases for each in found] == [(), ("best", "champion"), ()]


def test_deleted_versions_are_left_out(tmp_path):
    path = database(tmp_path / "mlflow.db", {("a", 1): "x"}, current_stage="Deleted_Internal")
    assert read_database(path) == []


def test_what_is_no_registry_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("no database" * 100)
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE other (x)").connection.close()
    for name in ("text.db", "empty.db"):
        with pytest.raises(MlflowError, match="cannot be read as a database of MLflow"):
            read_database(tmp_path / name)


def test_one_name_in_two_workspaces_is_refused(tmp_path):
    path = database(tmp_path / "mlflow.db", {("a", 1): "x"})
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO model_versions VALUES ('a', 1, 'y')")
    connection.close()
    with pytest.raises(MlflowError, match="several workspaces"):
        read_database(path)
