"""`h5ferry migrate MODEL...`: what `scan` and `migrate` would do one after the other, and it says so."""

import shutil

import pandas as pd
import pytest

from pipeline.audit.verify import VerifyRequest, verify
from pipeline.manifest.reader import read_manifest
from pipeline.scan.find import as_scanned
from tests.fixture_files import FOLDER
from tests.pipeline.cli.test_app import exit_status
from tests.pipeline.fakes import CONVERTER, VERIFIER

FAKE_PAIR = ("--converter", CONVERTER, "--verifier", VERIFIER)
MODEL = FOLDER / "keras-2.2.4/stateful.h5"


@pytest.fixture
def registry(tmp_path, monkeypatch):
    folder = tmp_path / "registry"
    (folder / "team").mkdir(parents=True)
    for name in ("a.h5", "team/b_v1.h5", "team/b_v2.h5"):
        shutil.copy(MODEL, folder / name)
    (folder / "team/notes.txt").write_text("no model")
    monkeypatch.chdir(tmp_path)
    return folder


def migrated(*arguments):
    assert exit_status("migrate", *arguments, "--output", "out", "--run-id", "r1", *FAKE_PAIR) == 0
    frame = pd.read_parquet("out/_h5ferry/runs/r1/report.parquet")
    return [f"{model}/{version}" for model, version in zip(frame["model"], frame["version"], strict=True)]


@pytest.mark.parametrize(
    "arguments, names",
    [
        (["registry/a.h5"], ["a/1"]),
        (["registry"], ["a/1", "team/b/1", "team/b/2"]),
        (["registry/"], ["a/1", "team/b/1", "team/b/2"]),
        (["registry/**/*.h5"], ["a/1", "team/b/1", "team/b/2"]),
        (["registry/team/b_v1.h5", "registry/team/b_v2.h5", "registry/a.h5"], ["b/1", "b/2", "a/1"]),
    ],
    ids=["model", "folder", "folder with slash", "pattern", "expanded by the shell"],
)
def test_models_in_place_of_a_manifest(registry, tmp_path, capsys, arguments, names):
    assert migrated(*arguments) == names
    said = capsys.readouterr().err
    assert f"{len(names)} models; " in said and "under the names that scan gives them" in said
    kept = read_manifest("out/_h5ferry/runs/r1/manifest.jsonl")
    assert [row.name for row in kept.rows] == names and kept.warnings == ()
    assert {row.source for row in kept.rows} <= {str(path) for path in registry.rglob("*.h5")}
    assert verify(VerifyRequest(tmp_path / "out", run_samples=False)).sound


def test_it_is_what_scan_and_migrate_do(registry):
    assert exit_status("scan", "registry", "-o", "manifest.jsonl", "--quiet") == 0
    migrated("registry")
    assert exit_status("migrate", "manifest.jsonl", "--output", "out", "--run-id", "r2", *FAKE_PAIR) == 0
    frame = pd.read_parquet("out/_h5ferry/runs/r2/report.parquet")
    assert list(frame["status"]) == ["unchanged"] * 3


def test_comments_are_shown(registry, capsys):
    (registry / "cut.h5").write_bytes(MODEL.read_bytes()[:512])
    assert exit_status("migrate", "registry", "--output", "out", *FAKE_PAIR) == 3
    assert "cut: HDF5 cannot read this file: it will be refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["manifest.csv", "registry"], "manifest.csv is no model file"),
        (["registry", "none.h5"], "none.h5 is no model file"),
        (["empty"], "There is no model in empty"),
        (["nothing/*.h5"], "neither exists nor is a pattern"),
        (["none.h5"], "cannot be read"),
    ],
)
def test_what_means_nothing(registry, tmp_path, capsys, arguments, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "manifest.csv").write_text("model,source\na,registry/a.h5\n")
    assert exit_status("migrate", *arguments, "--output", "out", *FAKE_PAIR) == 2
    assert says in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "argument, scanned",
    [
        ("manifest.csv", None),
        ("gs://bucket/m.csv", None),
        ("gs://bucket/*.csv", None),
        ("none", None),
        ("registry", "registry"),
        ("registry/a.h5", "registry/a.h5"),
        ("registry/team/notes.txt", None),
        ("*.none", "*.none"),
    ],
)
def test_what_is_scanned(registry, tmp_path, argument, scanned):
    (tmp_path / "manifest.csv").write_text("model,source\n")
    assert as_scanned(argument) == scanned


def test_a_report_folder_keeps_no_manifest_of_an_earlier_run(registry, tmp_path):
    """Its record would not list it."""
    report = ("--output", "out", "--report", "report", *FAKE_PAIR)
    assert exit_status("migrate", "registry", *report) == 0
    assert (tmp_path / "report/manifest.jsonl").exists()
    assert exit_status("scan", "registry", "-o", "manifest.csv", "--quiet") == 0
    assert exit_status("migrate", "manifest.csv", *report) == 0
    assert not (tmp_path / "report/manifest.jsonl").exists()
    assert verify(VerifyRequest(tmp_path / "report", run_samples=False)).sound
