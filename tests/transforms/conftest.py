"""One migration of every fixture, shared by all tests that look at the artefacts."""

from __future__ import annotations

import gc
import importlib
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_ENABLE_ONEDNN_OPTS="0")

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixture_files import FixtureFile, fixture_file
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import MigrationOutcome, MigrationRequest


@dataclass(frozen=True)
class Migrated:
    """A fixture, its staged SavedModel and what was reported."""

    fixture: FixtureFile
    folder: Path
    outcome: MigrationOutcome


class Migrations:
    """Migrates a fixture when it is first asked for, blind: the golden outputs stay with the tests."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._done: dict[str, Migrated] = {}

    def __call__(self, name: str) -> Migrated:
        if name not in self._done:
            fixture = fixture_file(name)
            folder = self._root / name.replace("/", "_")
            folder.mkdir()
            outcome = migrate_model(MigrationRequest(name, fixture.source, folder))
            self._done[name] = Migrated(fixture, folder, outcome)
        return self._done[name]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrations:
    importlib.import_module("tf_keras")
    gc.freeze()  # every migration collects garbage: what was imported need not be looked at each time
    return Migrations(tmp_path_factory.mktemp("migrated"))
