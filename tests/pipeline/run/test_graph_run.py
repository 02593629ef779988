"""Each manifest row has its report row, whatever becomes of the graph."""

from pathlib import Path

import apache_beam as beam
import pytest

from pipeline.graph import MigrateRegistry, WriteReport
from pipeline.manifest.reader import read_manifest
from pipeline.report.row import ReportRow, stopped_row
from pipeline.report.table import write_report
from pipeline.run.graph_run import rows_of_all
from pipeline.run.migrate import run_registry
from tests.pipeline.many_rows import frame_of
from tests.pipeline.registry import fake_run, write_registry
from transforms.records.outcome import Status

LINES = frozenset({3, 4})


def came_back(row: ReportRow, marker: str, times: int) -> bool:
    """Whether a row of LINES is let through: not the first `times` times."""
    if row.line not in LINES:
        return True
    marks = Path(f"{marker}-{row.line}")
    seen = len(marks.read_text()) if marks.exists() else 0
    marks.write_text("x" * (seen + 1))
    return seen >= times


@pytest.fixture
def losing(monkeypatch, tmp_path):
    """Makes the runner lose rows so many times, or raise."""
    expand = WriteReport.expand

    def plant(times):
        marker = str(tmp_path / "seen")
        monkeypatch.setattr(
            WriteReport, "expand", lambda self, rows: expand(self, rows | beam.Filter(came_back, marker, times))
        )

    return plant


def test_a_row_that_was_lost_once_is_run_again(tmp_path, losing):
    path = write_registry(tmp_path, ["a-1", "b-1", "refuse-1", "d-1"])
    losing(1)
    run = run_registry(fake_run(path, tmp_path / "out"))
    assert dict(zip(run.frame["model"], run.frame["status"], strict=True)) == {
        "a-1": "migrated",
        "b-1": "migrated",  # published the first time, by this very run
        "refuse-1": "refused",
        "d-1": "migrated",
    }
    assert list(run.frame["line"]) == [2, 3, 4, 5]


def test_a_row_that_is_lost_twice_costs_no_other(tmp_path, losing):
    path = write_registry(tmp_path, ["a-1", "b-1", "refuse-1", "d-1"])
    losing(2)
    run = run_registry(fake_run(path, tmp_path / "out"))
    assert list(run.frame["reason"]) == ["", "row_lost", "row_lost", ""]
    assert list(run.frame["line"]) == [2, 3, 4, 5] and run.exit_status == 3
    assert (tmp_path / "out/b-1/1/saved_model.pb").exists()
    again = run_registry(fake_run(path, tmp_path / "out"))
    assert list(again.frame["status"]) == ["unchanged", "unchanged", "refused", "unchanged"]


@pytest.mark.parametrize("shards", [0, 1])
def test_a_graph_that_raises_leaves_its_shards(tmp_path, shards):
    """A runner that gives up, before any row or after some."""
    path = write_registry(tmp_path, ["a-1", "b-1", "c-1"])
    manifest, said = read_manifest(str(path)), []

    def run_lines(lines, prefix):
        if shards and lines is None:
            found = stopped_row(manifest.rows[0], "run", Status.REFUSED, "not_hdf5", "")
            write_report(frame_of([found]), str(tmp_path / "written"))
            Path(prefix).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "written/report.parquet").rename(f"{prefix}-00000")
        raise RuntimeError("Traceback …\nConnectionError: the worker is gone")

    frame = rows_of_all(run_lines, manifest, str(tmp_path / "shards"), "run", said.append)
    assert list(frame["reason"]) == ["not_hdf5" if shards else "row_lost", "row_lost", "row_lost"]
    assert all("the worker is gone" in text for text in said) and len(said) == 2
    assert frame["message"][2] == (
        "The row did not come back from the workers: RuntimeError: ConnectionError: the worker is gone. Run again."
    )


def test_a_graph_over_some_lines(tmp_path):
    path = write_registry(tmp_path, ["a-1", "b-1", "c-1"])
    request = fake_run(path, tmp_path / "out")
    digest = read_manifest(str(path)).sha256
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        pipeline | MigrateRegistry(str(path), digest, request.settings, str(tmp_path / "rows"), frozenset({3}))
    assert sorted(found.parent.name for found in (tmp_path / "out").glob("*/1")) == ["b-1"]
