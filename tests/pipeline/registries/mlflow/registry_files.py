"""Registries of MLflow for tests: the one that MLflow 1.30 wrote, and small ones made by hand."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from tests.fixture_files import FOLDER

#: Written by MLflow 1.30.1 under Keras 2.15: scripts/legacy_fixtures/mlflow_registry.py.
GENUINE = FOLDER / "mlflow-1.30"
MODEL = FOLDER / "keras-2.2.4/stateful.h5"
MLMODEL = "flavors:\n  keras: {data: data, save_format: h5}\n"


def logged(folder: Path, mlmodel: str = MLMODEL, *, files: tuple[str, ...] = ("data/model.h5",)) -> Path:
    """The artifacts of one logged model: MLmodel, and copies of a genuine HDF5 model."""
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(mlmodel)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MODEL, folder / name)
    return folder


def database(path: Path, sources: dict[tuple[str, int], str], **columns: str) -> Path:
    """A database with the tables that are read, each version with a source and the same further columns."""
    with sqlite3.connect(path) as connection:
        names = ["name", "version", "source", *columns]
        connection.execute(f"CREATE TABLE model_versions ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        rows = [(*key, source, *columns.values()) for key, source in sources.items()]
        connection.executemany(f"INSERT INTO model_versions VALUES ({marks})", rows)
    connection.close()
    return path
