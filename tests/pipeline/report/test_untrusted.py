"""Reports that somebody else wrote: a small file that stands for gigabytes ends the reading child, and nothing else."""

import io
import resource

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.isolation.policy import Isolation, Role
from pipeline.report.row import report_schema
from pipeline.report.table import MOST_ROWS, ReportError
from pipeline.report.untrusted import audit_page, changes, reported_outputs

#: A child may take this much, and this long.
READING = Isolation(timeout=60.0, memory_bytes=1 << 30, role=Role.READING)
READERS = {
    "verify": lambda data: reported_outputs(data, READING),
    "report": lambda data: audit_page(data, READING),
    "diff": lambda data: changes(data, data, 10.0, READING),
}


def parquet(table, **options):
    held = io.BytesIO()
    pq.write_table(table, held, store_schema=False, **options)  # without it, the columns are of another type
    return held.getvalue()


def rows(count, message):
    """A report of one value for each row, stored once: a dictionary of one text, and its number repeated."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), [message])
    number = pa.array([1] * count, pa.int64())
    return pa.table({"model": text, "version": number, "status": text, "message": text})


MIB = "x" * (1 << 20)
BOMBS = {
    "a long text in many rows": lambda: rows(5_000, MIB),
    "shorter texts in all rows": lambda: rows(MOST_ROWS, "x" * 10_000),
    "more rows than any report": lambda: rows(MOST_ROWS + 1, "x"),
    "a column that nobody asks for": lambda: rows(5_000, "x").append_column("more", rows(5_000, MIB)["message"]),
}


@pytest.fixture(scope="module")
def bombs():
    return {name: parquet(make(), compression="zstd") for name, make in BOMBS.items()}


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_its_reader_alone(name, command, bombs):
    assert len(bombs[name]) < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name == "a column that nobody asks for":
        READERS[command](bombs[name])
    else:
        with pytest.raises(ReportError):
            READERS[command](bombs[name])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB


def test_a_genuine_report_is_read():
    assert set(report_schema().names) >= {"model", "version", "status"}
    data = parquet(rows(3, "x"))
    assert reported_outputs(data, READING) == []
    assert "<html" in audit_page(data, READING)
    assert changes(data, data, 10.0, READING) == []
