"""Reads manifests (CSV, JSON lines or Parquet, from any Beam file system) into checked rows."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.manifest.row import COLUMNS, COMMENT, REQUIRED, ManifestRow, parse_row, refused_entry
from pipeline.storage.paths import absolute_path, is_remote
from pipeline.storage.regular_file import read_regular
from transforms.errors import Reason

_MANIFEST_BYTES = 256 << 20


class ManifestError(Exception):
    """The manifest as a whole is invalid; nothing is done."""


@dataclass(frozen=True)
class Manifest:
    """A manifest and its checked rows.

    Attributes:
        path: absolute path or URL.
        sha256: digest of its bytes.
        rows: one for each entry, in order; an unacceptable one carries its reason.
        warnings: oddities that do not prevent a run.
    """

    path: str
    sha256: str
    rows: tuple[ManifestRow, ...]
    warnings: tuple[str, ...] = ()


def read_manifest(path: str, *, folds_case: bool = False) -> Manifest:
    """Reads and checks a manifest.

    Args:
        path: local or a URL.
        folds_case: whether the output's file system ignores case in names.

    Raises:
        ManifestError: it cannot be read, has none of the three formats, lacks a required column or has no entry.
    """
    path = absolute_path(path)
    return parse_manifest(path, _read_bytes(path), folds_case=folds_case)


def parse_manifest(path: str, data: bytes, *, folds_case: bool = False) -> Manifest:
    """Parses the manifest `data`, whose present or future place is an absolute path or URL. Raises as
    `read_manifest`.
    """
    columns, entries = _entries(path, data)
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise ManifestError(f"{path} lacks the required column {' and '.join(missing)}.")
    if not entries:
        raise ManifestError(f"{path} has no entry.")
    base = path.rpartition("/")[0] if is_remote(path) else os.path.dirname(path)
    rows = [
        parse_row(line, fields, base) if isinstance(fields, Mapping) else refused_entry(line, {}, fields)
        for line, fields in entries
    ]
    ignored = [str(column) for column in columns if column not in (*COLUMNS, COMMENT)]
    warnings = [f"Column {column!a} is not known and is ignored." for column in ignored]
    return Manifest(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        rows=tuple(refuse_duplicates(rows, folds_case=folds_case)),
        warnings=(*warnings, *(() if folds_case else case_clashes(rows))),
    )


def refuse_duplicates(rows: Sequence[ManifestRow], *, folds_case: bool = False) -> Iterator[ManifestRow]:
    """Refuses all rows that would write to one output, into another row's version folder, or beside the versions of
    another row's model under a name that readers take for a version.
    """

    def folded(place: str) -> str:
        return place.casefold() if folds_case else place

    by_place: dict[str, list[int]] = defaultdict(list)
    sound = [index for index, row in enumerate(rows) if not row.reason]
    for index in sound:
        by_place[folded(rows[index].name)].append(index)
    for index in sound:  # The folder of a model's versions: "a/2" would be one of the versions of "a".
        by_place[folded(f"{rows[index].model}/*")].append(index)
    rivals: dict[int, int] = {}
    for index in sound:
        places = map(folded, _places(rows[index]))
        others = [other for place in places for other in by_place.get(place, ()) if other != index]
        for other in others[:1]:
            rivals[index] = other
        for other in others:
            rivals.setdefault(other, index)
    for index, row in enumerate(rows):
        yield _duplicate(row, rows[rivals[index]]) if index in rivals else row


def case_clashes(rows: Iterable[ManifestRow]) -> tuple[str, ...]:
    """Warnings about outputs that differ only in case, which are one folder on some file systems."""
    seen: dict[str, str] = {}
    warnings = []
    for row in rows:
        first = seen.setdefault(row.name.casefold(), row.name)
        if first != row.name and not row.reason:
            warnings.append(f"Outputs {first} and {row.name} differ only in case: some file systems see one folder.")
    return tuple(warnings)


def _places(row: ManifestRow) -> Iterator[str]:
    """What no other row may publish at: the output, the version folders around it, and models whose version the name
    would be taken for.
    """
    yield row.name
    name = row.name
    while "/" in name:
        name, _, part = name.rpartition("/")
        yield name
        if name != row.model and part.isdecimal():
            yield f"{name}/*"


def _duplicate(row: ManifestRow, rival: ManifestRow) -> ManifestRow:
    return replace(
        row,
        reason=Reason.DUPLICATE_OUTPUT.value,
        message=f"{_who(row, rival)} write to one place, or one into the other's"
        f" ({row.name} and {rival.name})."
        " Give each a model and version of its own.",
    )


def _who(row: ManifestRow, rival: ManifestRow) -> str:
    return f"Manifest line {row.line} and line {rival.line}" if row.line and rival.line else "Two rows"


def _read_bytes(path: str) -> bytes:
    if not is_remote(path):
        try:
            return read_regular(Path(os.path.realpath(path)), _MANIFEST_BYTES)
        except OSError as error:
            raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    from apache_beam.io.filesystems import FileSystems

    try:
        with FileSystems.open(path) as stream:
            data = bytes(stream.read(_MANIFEST_BYTES + 1))
    except Exception as error:  # Beam's file systems and codecs raise types of their own.
        raise ManifestError(f"{path} cannot be read: {error}") from error
    if len(data) > _MANIFEST_BYTES:
        raise ManifestError(f"{path} cannot be read: it has more than {_MANIFEST_BYTES:,} bytes")
    return data


def _entries(path: str, data: bytes) -> tuple[Sequence[Any], list[tuple[int, Any]]]:
    """The columns found, and (line, fields) of each entry; for an unreadable entry, a message in place of fields."""
    try:
        if data[:4] == b"PAR1":
            return _parquet_entries(data)
        text = data.decode("utf-8-sig", "surrogateescape")
        return _json_entries(text) if text.lstrip()[:1] == "{" else _csv_entries(text)
    except (csv.Error, OSError, ValueError) as error:
        raise ManifestError(f"{path} is no manifest in CSV, JSON lines or Parquet: {error}") from error


class _RecordLines:
    """The lines of a CSV text without comments: lines that begin with "#" at the start of a record.

    Within quotes such a line is data, so the record reader signals the start of a record.
    """

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.record_begins = True
        self.number = 0
        self.first = 1

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            if self.record_begins and line.startswith("#"):
                continue
            if self.record_begins:
                self.record_begins, self.first = False, self.number
            yield line


def _csv_entries(text: str) -> tuple[Sequence[Any], list[tuple[int, Any]]]:
    lines = _RecordLines(text)
    reader = csv.reader(iter(lines), strict=True)
    header = [column.strip() for column in next(reader, [])]
    twice = {column for column in header if column and header.count(column) > 1}
    if twice:
        raise ValueError(f"column {min(twice)} is there twice")
    entries: list[tuple[int, Any]] = []
    lines.record_begins = True
    for cells in reader:
        if any(cell.strip() for cell in cells):
            fields: dict[Any, Any] = dict(zip(header, cells, strict=False))
            fields[None] = [cell for cell in cells[len(header) :] if cell.strip()]
            entries.append((lines.first, fields))
        lines.record_begins = True
    return [column for column in header if column], entries


def _json_entries(text: str) -> tuple[Sequence[Any], list[tuple[int, Any]]]:
    entries: list[tuple[int, Any]] = []
    columns: dict[str, None] = {}
    for line, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        entry = _json_entry(source)
        if isinstance(entry, dict):
            columns.update(dict.fromkeys(entry))
        entries.append((line, entry))
    return list(columns), entries


def _json_entry(source: str) -> dict[str, Any] | str:
    """The fields of one line, or a message if it has none."""
    try:
        fields = json.loads(source)
    except (ValueError, RecursionError) as error:
        return f"is not JSON ({error})"
    return fields if isinstance(fields, dict) else "is not a JSON object"


def _parquet_entries(data: bytes) -> tuple[Sequence[Any], list[tuple[int, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
        return table.column_names, list(enumerate(table.to_pylist(), start=1))
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
