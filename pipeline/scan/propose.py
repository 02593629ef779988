"""`h5ferry scan`: proposes a manifest for the files found, with comments on what is uncertain."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.printable import printable
from pipeline.scan.companions import pair
from pipeline.scan.duplicates import duplicates
from pipeline.scan.find import FoundFile, Oddities, find_files, with_kinds
from pipeline.scan.model_names import propose
from transforms.records.file_kind import FileKind

COLUMNS = ("model", "source", "version", "architecture", "samples", "custom_objects")
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_LINES_SHOWN = 10
_WEIGHTS = frozenset({FileKind.WEIGHTS, FileKind.KERAS_3_WEIGHTS})
_ROWS = frozenset({FileKind.MODEL, FileKind.DAMAGED, FileKind.CHECKPOINT}) | _WEIGHTS
_LEFT_OUT = {FileKind.OTHER: "HDF5, but not saved by Keras"}
_DAMAGED = "HDF5 cannot read this file: it will be refused"


@dataclass(frozen=True)
class ProposedRow:
    """One entry of the proposed manifest. `notes` say what the reader should check."""

    model: str
    source: Path
    version: int
    architecture: Path | None
    samples: Path | None
    notes: tuple[str, ...] = ()
    custom_objects: Path | None = None

    def columns(self, folder: Path | None = None) -> dict[str, str | int]:
        """The filled columns of the manifest, and the notes as `comment`.

        Args:
            folder: that paths are relative to, None for absolute ones.
        """
        filled = {column: value for column, value in _cells(self, folder).items() if value != ""}
        return {**filled, **({"comment": "; ".join(self.notes)} if self.notes else {})}


@dataclass(frozen=True)
class Proposal:
    """The result of a scan.

    Attributes:
        rows: of the proposed manifest.
        files: all files found, models or not.
        oddities: what was skipped.
    """

    rows: tuple[ProposedRow, ...]
    files: tuple[FoundFile, ...]
    oddities: Oddities

    def passed_over(self, folder: Path) -> list[str]:
        """A line for each file without a row and each skipped folder, paths relative to `folder`."""
        return [*left_out(self.files, self.oddities, folder), *_not_seen(self.oddities)]

    def remarks(self) -> list[str]:
        """A line for each row with something to check."""
        return [printable(f"{row.model}: {'; '.join(row.notes)}") for row in self.rows if row.notes]

    def summary(self, folder: Path, where: str = "") -> list[str]:
        """The summary for the operator, in lines; `where` is the place of the manifest."""
        unsure = sum(bool(row.notes) for row in self.rows)
        first = f"{len(self.rows)} models{where}; {unsure} of them with a comment to check."
        return [printable(line) for line in (first, *_shortened(self.passed_over(folder)))]


def propose_rows(paths: Sequence[str]) -> Proposal:
    """Scans files, folders and patterns.

    Raises:
        ScanError: a path does not exist, or a pattern matches nothing.
    """
    oddities = Oddities()
    files = with_kinds(find_files(paths, oddities))
    return Proposal(tuple(proposed_rows(files)), tuple(files), oddities)


def propose_manifest(paths: Sequence[str], output: Path | None) -> list[str]:
    """Scans `paths` and writes the manifest to a file (JSON lines if its suffix says so), or to standard output.

    Returns:
        The summary for the operator, in lines.

    Raises:
        ScanError: a path does not exist, or a pattern matches nothing.
        OSError: the manifest cannot be written.
    """
    return write_proposal(propose_rows(paths), output)


def write_proposal(found: Proposal, output: Path | None) -> list[str]:
    """Writes the manifest of a scan as `propose_manifest` does; returns the summary. Raises OSError."""
    folder = output.parent if output else Path.cwd()
    if output is not None and output.suffix.lower() in _JSON_SUFFIXES:
        text = as_json_lines(found.rows, folder)
    else:
        text = as_csv(found.rows, found.passed_over(folder), folder)
    data = text.encode("utf-8", "surrogateescape")
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(data)
    return found.summary(folder, f" in {output}" if output else "")


def _not_seen(oddities: Oddities) -> Iterator[str]:
    for path in oddities.unreadable:
        yield f"not looked into: {path} (no permission)"
    for path in oddities.hidden:
        yield f"not looked into: {path} (hidden)"


def _shortened(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LINES_SHOWN
    return [*lines[:_LINES_SHOWN], *([f"… and {more} more, in the manifest's last lines."] if more > 0 else [])]


def proposed_rows(files: Sequence[FoundFile]) -> list[ProposedRow]:
    """A row for each file that is a model, holds weights, or cannot be read, in order. No two share an output."""
    kept = [file for file in files if file.kind in _ROWS]
    names = propose([(file.root.name, PurePosixPath(file.path.relative_to(file.root).as_posix())) for file in kept])
    companions = pair([(file.path, file.kind in _WEIGHTS) for file in kept])
    twins = duplicates([file.path for file in kept if file.kind is not FileKind.CHECKPOINT])
    return [
        ProposedRow(
            model=name.model,
            source=file.path,
            version=name.version,
            architecture=file.architecture or beside.architecture,
            samples=beside.samples,
            notes=(
                *((_DAMAGED,) if file.kind is FileKind.DAMAGED else ()),
                *((f"the same bytes as {twins[file.path].name}",) if file.path in twins else ()),
                *beside.notes,
                *name.notes,
            ),
        )
        for file, name, beside in zip(kept, names, companions, strict=True)
    ]


def left_out(files: Iterable[FoundFile], oddities: Oddities, folder: Path) -> Iterator[str]:
    """A line for each file without a row, its path relative to `folder`."""
    for file in files:
        if file.kind in _LEFT_OUT:
            yield f"left out: {_relative(file.path, folder)} ({_LEFT_OUT[file.kind]})"
    for path, appearance in oddities.foreign:
        yield f"left out: {_relative(Path(path), folder)} ({appearance})"
    for version, reason in oddities.versions:
        yield f"left out: {version} ({reason})"


def as_csv(rows: Sequence[ProposedRow], remarks: Iterable[str], folder: Path) -> str:
    """A CSV manifest for `folder`: a comment line before each row that has notes, remarks at the end.

    Columns that no row fills are omitted.
    """
    cells = [_cells(row, folder) for row in rows]
    columns = [column for column in COLUMNS if column in COLUMNS[:3] or any(cell[column] for cell in cells)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row, cell in zip(rows, cells, strict=True):
        if row.notes:
            text.write(_comment(f"{row.model}: {'; '.join(row.notes)}"))
        writer.writerow([cell[column] for column in columns])
    for remark in remarks:
        text.write(_comment(remark))
    return text.getvalue()


def as_json_lines(rows: Sequence[ProposedRow], folder: Path) -> str:
    """The same as JSON lines, notes in the field `comment`."""
    return "".join(json.dumps(row.columns(folder)) + "\n" for row in rows)


def _cells(row: ProposedRow, folder: Path | None) -> dict[str, str | int]:
    return {
        "model": row.model,
        "source": _relative(row.source, folder),
        "version": row.version,
        "architecture": _relative(row.architecture, folder) if row.architecture else "",
        "samples": _relative(row.samples, folder) if row.samples else "",
        "custom_objects": _relative(row.custom_objects, folder) if row.custom_objects else "",
    }


def _comment(text: str) -> str:
    return f"# {printable(text)}\n"


def _relative(path: Path, folder: Path | None) -> str:
    return str(path) if folder is None else os.path.relpath(path, folder)
