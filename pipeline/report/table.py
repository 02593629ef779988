"""The report of a run as one table: joined from the workers' shards, written as Parquet, CSV and HTML."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.report.row import COLUMNS, ReportRow, report_schema
from pipeline.storage.durable_file import write_file

if TYPE_CHECKING:
    import pandas as pd

PARQUET, CSV, HTML = "report.parquet", "report.csv", "report.html"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ReportError(Exception):
    """A report cannot be read."""


def gather(shards: Sequence[str], lines: Sequence[int]) -> pd.DataFrame:
    """Joins the shards (paths or URLs) into a table with at most one row for each manifest line, in that order.

    A bundle that a runner retried may have written a row twice; the later one is used. Rows of other lines are left
    out; lines without a row are for the caller to find.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from apache_beam.io.filesystems import FileSystems

    schema = report_schema()
    tables = []
    for shard in shards:
        with FileSystems.open(shard) as stream:
            tables.append(pq.read_table(pa.BufferReader(stream.read()), schema=schema))
    rows = pa.concat_tables(tables) if tables else schema.empty_table()
    frame: pd.DataFrame = rows.to_pandas()
    frame = frame.sort_values("finished_at", kind="stable").drop_duplicates("line", keep="last").sort_values("line")
    frame = frame[frame["line"].isin(set(lines))].copy()
    # Which worker traced a graph first is random; that two rows share their graph, byte for byte, is not.
    frame["template_reused"] = (frame["graph_sha256"] != "") & frame["graph_sha256"].duplicated()
    return frame.reset_index(drop=True)


def with_rows(frame: pd.DataFrame, rows: Sequence[ReportRow]) -> pd.DataFrame:
    """The table with further rows, in the manifest's order."""
    import pyarrow as pa

    if not rows:
        return frame
    more = pa.Table.from_pylist([row.as_record() for row in rows], schema=report_schema())
    table = pa.concat_tables([pa.Table.from_pandas(frame, schema=report_schema(), preserve_index=False), more])
    joined: pd.DataFrame = table.to_pandas()
    return joined.sort_values("line").reset_index(drop=True)


def write_report(frame: pd.DataFrame, folder: str) -> dict[str, bytes]:
    """Writes report.parquet, report.csv and report.html into a folder, local or of a Beam file system.

    Returns:
        The written files, by name.

    Raises:
        OSError: a file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipeline.report.page import render_page

    # Arrow would ask pandas for the values of dates with a zone, which pandas 4 answers in another way.
    rows = frame[list(COLUMNS)].assign(finished_at=frame["finished_at"].dt.tz_convert(None))
    table = pa.Table.from_pandas(rows, schema=report_schema(), preserve_index=False)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    contents = {
        PARQUET: sink.getvalue().to_pybytes(),
        CSV: as_csv(frame).encode(),
        HTML: render_page(frame).encode(),
    }
    for name, content in contents.items():
        write_file(f"{folder}/{name}", content)
    return contents


def read_report(path: str) -> pd.DataFrame:
    """Reads report.parquet, given as a file or its folder.

    Raises:
        ReportError: there is none, or it is not a report.
    """
    import pandas as pd
    import pyarrow as pa

    file = Path(path, PARQUET) if os.path.isdir(path) else Path(path)
    try:
        frame = pd.read_parquet(file)
    except (OSError, pa.ArrowException) as error:
        raise ReportError(f"{file} cannot be read as a report: {error}") from error
    missing = [column for column in ("model", "version", "status") if column not in frame]
    if missing:
        raise ReportError(f"{file} is no report: it has no column {missing[0]}.")
    return frame


def as_csv(frame: pd.DataFrame) -> str:
    """The table as CSV; lists are joined by "; ", and texts that spreadsheets would read as formulas are escaped."""
    plain = frame.copy()
    for column in plain.columns:
        if plain[column].dtype == object or str(plain[column].dtype) in ("str", "string"):
            plain[column] = plain[column].map(_cell)
    text: str = plain.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return text


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else "; ".join(map(str, value)) if value is not None else ""
    return f"'{text}" if text.startswith(_FORMULA) else text
