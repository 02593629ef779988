"""The Python API, with stand-ins for what the children run: tests/h5ferry/test_documented.py uses the real ones."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import h5ferry
from pipeline.manifest.reader import ManifestError
from pipeline.publication.receipt import read_receipt
from pipeline.settings import MigrateSettings, migrate_settings
from tests.fixture_files import fixture_file
from tests.pipeline.fakes import FAKE_CHILDREN

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    def settings(output: str, **options: Any) -> MigrateSettings:
        return replace(migrate_settings(output, **options), children=FAKE_CHILDREN)

    monkeypatch.setattr(h5ferry, "migrate_settings", settings)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "m.h5"
    path.write_text("lstm weights")
    return path


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, h5ferry\n"
        "heavy = {'tensorflow', 'tf_keras', 'apache_beam', 'pandas', 'pyarrow', 'h5py', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "h5ferry.MigrateModels\n"
        "assert 'apache_beam' in sys.modules and 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_name_that_is_listed_is_there() -> None:
    assert sorted(h5ferry.__all__) == h5ferry.__all__
    assert [name for name in h5ferry.__all__ if not hasattr(h5ferry, name)] == []
    assert {"Status", "Evidence", "Reason", "ManifestRow", "ReportRow", "MigrationError"} <= set(h5ferry.__all__)


@pytest.mark.parametrize("name", ["pipeline", "transforms"])
def test_somebody_elses_package_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """A script with a module of that name beside it."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('executed')\n")
    (tmp_path / "script.py").write_text("import h5ferry\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, tmp_path / "script.py"], cwd="/", env=environment, capture_output=True, text=True
    )
    assert run.returncode == 1 and f"would import {tmp_path}/{name}/__init__.py" in run.stderr.splitlines()[-1]


def test_a_model_is_published_with_a_receipt_and_found_again(fakes: None, source: Path, tmp_path: Path) -> None:
    place = tmp_path / "out/team/good-1/3"
    outcome = h5ferry.migrate_model(source, place, model="team/good-1", run_id="r1")
    assert (outcome.status, outcome.reason, outcome.evidence) == ("migrated", None, h5ferry.Evidence.REFERENCE)
    assert outcome.published and outcome.max_abs_error == 1e-7 and outcome.output == str(place)
    assert outcome.rewrites == ("lstm: cudnn_lstm (two biases added)",) and outcome.warnings == ("a warning",)
    receipt = read_receipt(place)
    assert receipt is not None and (receipt.model, receipt.version, receipt.run_id) == ("team/good-1", 3, "r1")
    again = h5ferry.migrate_model(source, place, model="team/good-1")
    assert again.status is h5ferry.Status.UNCHANGED and again.require_published() is again
    assert h5ferry.verify_output(tmp_path / "out", run_samples=False).sound


@pytest.mark.parametrize(
    "model, status, reason",
    [("mismatch-1", "mismatch", "weak_evidence"), ("refuse-1", "refused", "unsupported_layer"),
     ("crash-1", "failed", "crashed"), ("broken-1", "failed", "internal_error")],
)  # fmt: skip
def test_what_stops_a_model_is_in_its_outcome(
    fakes: None, source: Path, tmp_path: Path, model: str, status: str, reason: str
) -> None:
    outcome = h5ferry.migrate_model(source, tmp_path / "out" / model / "1")
    assert (outcome.status, outcome.output, outcome.published) == (status, "", False) and outcome.message
    with pytest.raises(h5ferry.MigrationError) as caught:
        outcome.require_published()
    assert caught.value.reason == reason
    assert not (tmp_path / "out" / model).exists()


def test_a_row_that_breaks_a_rule_is_refused_before_any_process(tmp_path: Path) -> None:
    outcome = h5ferry.migrate_model(tmp_path / "m.h5", tmp_path / "out/m/1", backend="caffe")
    assert outcome.reason is h5ferry.Reason.INVALID_ROW and "column backend" in outcome.message


@pytest.mark.parametrize("output", ["out", "out/m", "out/m/0", "out/m/x", "1", "", "out/b/1"])
def test_an_output_ends_in_name_and_version(source: Path, output: str) -> None:
    with pytest.raises(ValueError, match="does not end in"):
        h5ferry.migrate_model(source, output, model="a" if output == "out/b/1" else "")


@pytest.mark.parametrize("options", [{"require_evidence": ""}, {"require_evidence": "some"}, {"run_id": "../x"}])
def test_an_unusable_option(source: Path, tmp_path: Path, options: Any) -> None:
    with pytest.raises(h5ferry.SettingsError):
        h5ferry.migrate_model(source, tmp_path / "out/m/1", **options)


def test_a_registry_of_rows(
    fakes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Mappings and rows, relative paths from where the caller is; the manifest is kept, and the record lists it."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.h5").write_text(f"lstm {name}")
    rows = [
        {"model": "good-a", "source": "a.h5"},
        {"model": "refuse-b", "source": Path("b.h5"), "version": 2, "samples": None},
        h5ferry.ManifestRow(7, "good-c", str(tmp_path / "c.h5")),
        {"model": "no such name", "source": "c.h5"},
    ]
    with caplog.at_level(logging.INFO, "h5ferry"):
        report = h5ferry.migrate_registry(rows, "out", run_id="r1")  # type: ignore[arg-type]
    assert list(report["model"]) == ["good-a", "refuse-b", "good-c", "no such name"]
    assert list(report["status"]) == ["migrated", "refused", "migrated", "refused"]
    place = tmp_path / "out/_h5ferry/runs/r1"
    assert report.attrs == {"report": str(place), "run_id": "r1", "exit_status": 3}
    kept = [json.loads(line) for line in (place / "manifest.jsonl").read_text().splitlines()]
    assert [row["source"] for row in kept] == [str(tmp_path / f"{name}.h5") for name in "abcc"]
    assert h5ferry.verify_output("out", run_samples=False).sound
    assert any("2 migrated" in record.message for record in caplog.records)
    (place / "manifest.jsonl").write_text("{}")
    assert [each.path for each in h5ferry.verify_output("out", run_samples=False).findings] == [
        "_h5ferry/runs/r1/manifest.jsonl"
    ]


def test_a_registry_that_is_unusable(tmp_path: Path) -> None:
    for manifest in (tmp_path / "none.csv", []):
        with pytest.raises(ManifestError):
            h5ferry.migrate_registry(manifest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_scan_and_inspect(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/stateful").source
    (tmp_path / "registry").mkdir()
    os.symlink(fixture, tmp_path / "registry/tagger.h5")
    (row,) = h5ferry.scan(tmp_path / "registry")
    assert (row.model, row.version, row.source) == ("tagger", 1, tmp_path / "registry/tagger.h5")
    assert "LSTM" in {layer.class_name for layer in h5ferry.inspect_model(row.source).layers}
    (tmp_path / "no.h5").write_text("no")
    with pytest.raises(h5ferry.MigrationError) as caught:
        h5ferry.inspect_model(tmp_path / "no.h5")
    assert caught.value.reason is h5ferry.Reason.NOT_HDF5
    with pytest.raises(h5ferry.SettingsError, match="allow_custom_code"):
        h5ferry.inspect_model(fixture, custom_objects="code.py")
