import csv
import io
from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.printable import printable
from pipeline.report.row import COLUMNS, report_schema
from pipeline.report.table import ReportError, as_csv, gather, read_report, with_rows, write_report
from tests.pipeline.many_rows import row_of

CONTRACT = """
model version source status reason message evidence max_abs_error max_rel_error rtol atol samples keras_version backend
source_sha256 source_bytes output output_bytes output_sha256 parameters rewrites warnings architecture template_reused
seconds run_id finished_at h5ferry_version tensorflow_version tensorflow_min
"""
NOW = datetime(2026, 1, 31, 14, 25, tzinfo=UTC)


def report_row(line, model="m", seconds=0, **values):
    finished = NOW + timedelta(seconds=seconds)
    known = {"model": model, "version": 1, "source": "/m.h5", "status": "migrated"}
    return row_of(**(known | values), finished_at=finished, line=line)


def shard(folder, name, rows):
    table = pa.Table.from_pylist([row.as_record() for row in rows], schema=report_schema())
    pq.write_table(table, folder / name)
    return str(folder / name)


def frame_of(*rows):
    return pa.Table.from_pylist([row.as_record() for row in rows], schema=report_schema()).to_pandas()


def test_columns_are_the_contracts():
    further = "reference_max_abs_error line manifest_row graph_sha256 tolerance_used assumptions"
    latest = "signature_inputs signature_outputs receipt_sha256"
    assert list(COLUMNS) == [*CONTRACT.split(), *further.split(), *latest.split()]


def test_gather_orders_rows_and_drops_what_a_retry_wrote_twice(tmp_path):
    shards = [
        shard(tmp_path, "1", [report_row(4, "c"), report_row(2, "a", 5, status="unchanged")]),
        shard(tmp_path, "2", [report_row(3, "b"), report_row(2, "a", 1)]),
    ]
    frame = gather(shards, [2, 3, 4])
    assert list(zip(frame["line"], frame["model"], frame["status"], strict=True)) == [
        (2, "a", "unchanged"),
        (3, "b", "migrated"),
        (4, "c", "migrated"),
    ]


@pytest.mark.parametrize(("lines", "found"), [([2], [2]), ([2, 3, 4], [2, 3]), ([3, 4], [3])])
def test_gather_takes_the_rows_of_the_manifest_alone(tmp_path, lines, found):
    assert list(gather([shard(tmp_path, "1", [report_row(2), report_row(3)])], lines)["line"]) == found


def test_rows_are_added_in_the_manifests_order(tmp_path):
    frame = gather([shard(tmp_path, "1", [report_row(2), report_row(4)])], [2, 3, 4])
    joined = with_rows(frame, [report_row(3, status="failed")])
    assert list(joined["line"]) == [2, 3, 4] and list(joined["status"]) == ["migrated", "failed", "migrated"]
    assert list(joined.columns) == list(frame.columns) and with_rows(frame, []) is frame


def test_written_report_reads_back(tmp_path):
    rows = [report_row(2, rewrites=("lstm: cudnn (x)", "b: c"), warnings=("w",)), report_row(3, status="failed")]
    write_report(frame_of(*rows), str(tmp_path / "r"))
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["report.csv", "report.html", "report.parquet"]
    frame = read_report(str(tmp_path / "r"))
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame["rewrites"][0]) == ["lstm: cudnn (x)", "b: c"]
    assert frame["finished_at"].dt.tz is not None and frame["template_reused"].dtype == bool
    cells = list(csv.DictReader((tmp_path / "r/report.csv").open()))
    assert cells[0]["rewrites"] == "lstm: cudnn (x); b: c" and cells[1]["rewrites"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=x", "\n=x", "\r\n =x", "\u2028=x", "\uff1d1+1"])
def test_csv_holds_no_formula(text):
    for values in ({"message": text}, {"warnings": (text,)}):
        cells = next(csv.DictReader(io.StringIO(as_csv(frame_of(report_row(1, **values))), newline="")))
        assert cells[next(iter(values))] == f"'{printable(text)}"


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=30))
def test_csv_holds_nothing_that_acts(text):
    """No control character, direction mark or line break, and no formula, whatever a file is called."""
    written = as_csv(frame_of(report_row(1, message=text)))
    assert all(character.isprintable() for line in written.rstrip("\n").split("\n") for character in line)
    assert len(written.rstrip("\n").split("\n")) == 2
    cell = next(csv.DictReader(io.StringIO(written, newline="")))["message"]
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_no_report(tmp_path):
    (tmp_path / "x.parquet").write_text("x")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "y.parquet")
    for name in ("none", "x.parquet", "y.parquet"):
        with pytest.raises(ReportError):
            read_report(str(tmp_path / name))
