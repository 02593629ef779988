"""The report of a run as one table: joined from the workers' shards, written as Parquet, CSV and HTML."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.printable import printable
from pipeline.report.row import COLUMNS, ReportRow, report_schema
from pipeline.storage.durable_file import write_file

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PARQUET, CSV, HTML = "report.parquet", "report.csv", "report.html"
#: Of a report that is read again.
MOST_ROWS = 1_000_000
#: What spreadsheets begin a formula with, in the width of East Asian texts as well.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


class ReportError(Exception):
    """A report cannot be read."""


def as_parquet(rows: Sequence[ReportRow]) -> bytes:
    """The rows as the content of a Parquet file, in their order."""
    import pyarrow as pa

    return _parquet(pa.Table.from_pylist([row.as_record() for row in rows], schema=report_schema()))


def _parquet(table: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


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

    from pipeline.report.page import render_page

    # Arrow would ask pandas for the values of dates with a zone, which pandas 4 answers in another way.
    rows = frame[list(COLUMNS)].assign(finished_at=frame["finished_at"].dt.tz_convert(None))
    table = pa.Table.from_pandas(rows, schema=report_schema(), preserve_index=False)
    contents = {
        PARQUET: _parquet(table),
        CSV: as_csv(frame).encode(),
        HTML: render_page(frame).encode(),
    }
    for name, content in contents.items():
        write_file(f"{folder}/{name}", content)
    return contents


def read_report(path: str) -> pd.DataFrame:
    """Reads a report of one's own, given report.parquet or its folder. Others' are for `pipeline.report.untrusted`.

    Raises:
        ReportError: there is none, or it is not a report.
    """
    file = Path(path, PARQUET) if os.path.isdir(path) else Path(path)
    try:
        return checked_report(file.read_bytes())
    except (OSError, ReportError) as error:
        raise ReportError(f"{file} cannot be read as a report: {error}") from error


def checked_report(data: bytes) -> pd.DataFrame:
    """The table in a report's bytes: its known columns, each of the type it should have and without absent values.

    Columns that an older version did not write may lack. Texts are "" and numbers 0 or nan where the file has none.

    Raises:
        ReportError: it is no report, or one of too many rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        if file.metadata.num_rows > MOST_ROWS:
            raise ReportError(f"it has more than {MOST_ROWS:,} rows")
        known = [field for field in report_schema() if field.name in file.schema_arrow.names]
        missing = {"model", "version", "status"} - {field.name for field in known}
        if missing:
            raise ReportError(f"it has no column {min(missing)}")
        twice = [field.name for field in known if file.schema_arrow.names.count(field.name) > 1]
        if twice:
            raise ReportError(f"it has column {twice[0]} twice")
        wrong = [field.name for field in known if not _is_of_type(file.schema_arrow.field(field.name).type, field.type)]
        if wrong:
            raise ReportError(f"its column {wrong[0]} is of another type than it should be")
        table = file.read(columns=[field.name for field in known])
        columns = [_without_absent(table[field.name], field.type) for field in known]
    except pa.ArrowException as error:
        raise ReportError(f"it is no readable Parquet file ({error})") from error
    frame: pd.DataFrame = pa.table(columns, schema=pa.schema(known)).to_pandas()
    return frame


def _is_of_type(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column is of the report's type, or of one that says the same in another width."""
    import pyarrow.types as types

    if types.is_list(wanted):
        return bool(types.is_list(found) or types.is_large_list(found)) and _is_of_type(
            found.value_type, wanted.value_type
        )
    if types.is_string(wanted):
        return bool(types.is_string(found) or types.is_large_string(found))
    alike = (types.is_integer, types.is_floating, types.is_boolean, types.is_timestamp)
    return any(is_kind(found) and is_kind(wanted) for is_kind in alike)


def _without_absent(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.types as types

    column = column.cast(wanted)
    if types.is_list(wanted):
        lists = [[text or "" for text in item or ()] for item in column.to_pylist()]
        return pa.chunked_array([pa.array(lists, wanted)])
    if types.is_timestamp(wanted) or types.is_floating(wanted):
        return column
    return column.fill_null("" if types.is_string(wanted) else pa.scalar(0).cast(wanted))


def as_csv(frame: pd.DataFrame) -> str:
    """The table as CSV; lists are joined by "; ". Formulas, control characters and direction marks are escaped."""
    plain = frame.copy()
    for column in plain.columns:
        if plain[column].dtype == object or str(plain[column].dtype) in ("str", "string"):
            plain[column] = plain[column].map(_cell)
    text: str = plain.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return text


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else "; ".join(map(str, value)) if value is not None else ""
    shown = printable(text)
    return f"'{shown}" if text.lstrip().startswith(_FORMULA) else shown
