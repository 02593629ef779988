"""Checks one manifest entry: from raw fields to a `ManifestRow`, which carries the reason if it is unacceptable."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.publication.layout import RESERVED
from pipeline.storage.paths import resolve_path
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.constants import parse_constants
from transforms.records.outcome import DEFAULT_ATOL, DEFAULT_RTOL

REQUIRED = ("model", "source")
PATHS = ("source", "architecture", "samples", "custom_objects")
BACKENDS = ("tensorflow", "theano", "cntk")
COLUMNS = (
    "model",
    "source",
    "version",
    "architecture",
    "samples",
    "backend",
    "custom_objects",
    "outputs",
    "constants",
    "sha256",
    "rtol",
    "atol",
)
#: Separator of the names in column `outputs`.
OUTPUTS_APART = ";"
#: A column for human readers, which is ignored.
COMMENT = "comment"

_MODEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_INTEGER = re.compile(r"[0-9]{1,18}(\.0*)?")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_PART_BYTES = 255


class _ColumnError(Exception):
    """One value is unacceptable; args are the column and the problem."""


def parse_row(line: int, fields: Mapping[Any, Any], base: str) -> ManifestRow:
    """Checks one entry.

    Args:
        line: its line in the manifest, from 1.
        fields: column -> text, number or None (absent). Other columns are ignored; the key None holds surplus fields.
        base: folder of the manifest.

    Returns:
        The row; with reason `invalid_row` and a message naming line and column when it is unacceptable.
    """
    values = {column: _absent_as_empty(fields.get(column)) for column in COLUMNS}
    try:
        if fields.get(None):
            raise _ColumnError("model", "belongs to an entry with more fields than the header has")
        model = _model(_text(values, "model"))
        paths = {column: _path(values, column, base) for column in PATHS}
        return ManifestRow(
            line=line,
            model=model,
            source=paths["source"],
            version=_version(values["version"]),
            architecture=paths["architecture"],
            samples=paths["samples"],
            backend=_backend(_text(values, "backend")),
            custom_objects=paths["custom_objects"],
            outputs=_outputs(_text(values, "outputs")),
            constants=_constants(values["constants"]),
            sha256=_sha256(_text(values, "sha256")),
            rtol=_tolerance(values, "rtol", ManifestRow.rtol),
            atol=_tolerance(values, "atol", ManifestRow.atol),
        )
    except _ColumnError as error:
        return refused_entry(line, values, "column {} {}".format(*error.args))


def checked_row(entry: ManifestRow | Mapping[str, Any], base: str) -> ManifestRow:
    """Checks a row of any origin as if it came from a manifest.

    Args:
        entry: a row, or a mapping of its columns and optionally its `line`.
        base: folder that relative paths are relative to.

    Raises:
        TypeError: `entry` is neither.
    """
    if isinstance(entry, ManifestRow):
        if entry.reason:
            return entry
        return parse_row(entry.line, entry.columns, base)
    if isinstance(entry, Mapping):
        return parse_row(int(entry.get("line", 0)), entry, base)
    raise TypeError(f"{type(entry).__name__} is no row of a manifest: give a ManifestRow or a mapping.")


def as_manifest(entries: Iterable[ManifestRow | Mapping[str, Any]], base: str) -> bytes:
    """Formats rows as a manifest in JSON lines, with absolute paths.

    Args:
        entries: rows, or mappings of their columns.
        base: folder that relative paths are relative to.
    """
    lines = []
    for entry in entries:
        columns = entry.columns if isinstance(entry, ManifestRow) else dict(entry)
        for column in PATHS:
            if path := columns.get(column):
                columns[column] = resolve_path(base, os.fspath(path))
        lines.append(json.dumps({name: value for name, value in columns.items() if value is not None}) + "\n")
    return "".join(lines).encode()


def refused_entry(line: int, values: Mapping[str, Any], problem: str) -> ManifestRow:
    """A refused row with the readable part of the entry and the problem."""
    try:
        version = _version(values.get("version", ""))
    except _ColumnError:
        version = 0
    return ManifestRow(
        line=line,
        model=_printable(values.get("model", "")),
        source=_printable(values.get("source", "")),
        version=version,
        reason=Reason.INVALID_ROW.value,
        message=f"{_place(line)}: {problem}. Correct the entry and run again.",
    )


def _place(line: int) -> str:
    return f"Manifest line {line}" if line else "This row"


def _absent_as_empty(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.strip(" \t") if isinstance(value, str) else value


def _printable(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _text(values: Mapping[str, Any], column: str) -> str:
    value = values[column]
    if not isinstance(value, str):
        raise _ColumnError(column, f"should be text, not {_quoted(value)}")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _ColumnError(column, "is not valid UTF-8 text")
    if not value and column in REQUIRED:
        raise _ColumnError(column, "is empty")
    return value


def _model(name: str) -> str:
    if not _MODEL.fullmatch(name):
        raise _ColumnError(
            "model",
            f"is {_quoted(name)}: a name has letters, digits, '.', '_', '-', and '/' between parts"
            " that begin with a letter, a digit or '_'",
        )
    parts = name.split("/")
    if parts[0].casefold() == RESERVED:
        raise _ColumnError("model", f"begins with {RESERVED}, which is kept for reports")
    if max(map(len, parts)) > _PART_BYTES:
        raise _ColumnError("model", f"has a part of more than {_PART_BYTES} bytes")
    return name


def _path(values: Mapping[str, Any], column: str, base: str) -> str:
    path = _text(values, column)
    return resolve_path(base, path) if path else ""


def _outputs(text: str) -> str:
    names = [name.strip() for name in text.split(OUTPUTS_APART)] if text else []
    if not all(names) or len(set(names)) != len(names):
        raise _ColumnError("outputs", f"is {_quoted(text)}: names of layers, each once, with ';' between them")
    return OUTPUTS_APART.join(names)


def _constants(value: object) -> str:
    """Values of global names by layer, as JSON text; a manifest in JSON lines may hold the object itself."""
    text = json.dumps(value) if isinstance(value, Mapping) else _text({"constants": value}, "constants")
    try:
        given = parse_constants(text)
    except MigrationError as error:
        raise _ColumnError("constants", f"is {_quoted(text)}: {ascii(error.message)[1:-1]}") from error
    return json.dumps(given, sort_keys=True) if given else ""


def _version(value: object) -> int:
    if value == "":
        return ManifestRow.version
    text = str(value)
    if isinstance(value, bool) or not _INTEGER.fullmatch(text) or int(float(text)) < 1:
        raise _ColumnError("version", f"is {_quoted(value)}, not a positive integer")
    return int(text.partition(".")[0])


def _backend(name: str) -> str:
    if name and name not in BACKENDS:
        raise _ColumnError("backend", f"is {_quoted(name)}, not one of {', '.join(BACKENDS)}")
    return name


def _sha256(digest: str) -> str:
    if digest and not _SHA256.fullmatch(digest):
        raise _ColumnError("sha256", f"is {_quoted(digest)}, not 64 hexadecimal digits")
    return digest.lower()


def _tolerance(values: Mapping[str, Any], column: str, default: float) -> float:
    value = values[column]
    if value == "":
        return default
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise _ColumnError(column, f"is {_quoted(value)}, not a finite number of at least 0")
    return number


def _quoted(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True)
class ManifestRow:
    """One entry of the manifest. Paths are absolute, or URLs of a Beam file system.

    Attributes:
        line: line of the entry in the manifest (in a Parquet file: row number), from 1; 0 for a row from elsewhere.
        model, source, version, …: the columns of the manifest, "" for an absent text.
        reason, message: set if the row itself is unacceptable; such a row goes directly to the report.
    """

    line: int
    model: str
    source: str
    version: int = 1
    architecture: str = ""
    samples: str = ""
    backend: str = ""
    custom_objects: str = ""
    outputs: str = ""
    constants: str = ""
    sha256: str = ""
    rtol: float = DEFAULT_RTOL
    atol: float = DEFAULT_ATOL
    reason: str = ""
    message: str = ""

    @property
    def output_layers(self) -> tuple[str, ...]:
        """The layers that column `outputs` names."""
        return tuple(self.outputs.split(OUTPUTS_APART)) if self.outputs else ()

    @property
    def name(self) -> str:
        """The row's display name: model and version."""
        return f"{self.model}/{self.version}"

    def as_entry(self) -> str:
        """The row as one JSON line of a manifest that repeats it; its paths are absolute, or URLs."""
        return json.dumps({name: value for name, value in self.columns.items() if value != ""})

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the manifest by name."""
        return {column: getattr(self, column) for column in COLUMNS}
