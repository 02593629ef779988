"""Reports of unknown origin: checked, rendered and compared in a confined child, never by the process that asks.

A Parquet file of two thousand bytes can stand for gigabytes, and its columns may hold anything. What comes back from
the child is a page, a list of differences or a list of outputs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.isolation.policy import Isolation, Role
from pipeline.isolation.process import ConfinedProcess
from pipeline.report.diff import Change, compare_reports
from pipeline.report.table import PARQUET, ReportError, checked_report
from pipeline.storage.regular_file import read_regular
from transforms.errors import MigrationError
from transforms.limits import GIB
from transforms.records.outcome import PUBLISHED

#: A row takes some hundred bytes.
REPORT_BYTES = 512 << 20
#: A report of a hundred thousand rows takes less.
READING = Isolation(timeout=300.0, memory_bytes=2 * GIB, role=Role.READING)


@dataclass(frozen=True)
class Unreadable:
    """Why a child could not read a report."""

    why: str


@dataclass(frozen=True)
class ReportedOutput:
    """One published row of a report."""

    model: str
    version: int
    output: str
    run_id: str
    output_sha256: str
    receipt_sha256: str


def report_bytes(path: Path) -> bytes:
    """The bytes of report.parquet, given itself or its folder.

    Raises:
        ReportError: there is none, it is no regular file, or it is too large.
    """
    file = path / PARQUET if path.is_dir() else path
    try:
        return read_regular(Path(os.path.realpath(file)), REPORT_BYTES)
    except OSError as error:
        raise ReportError(f"{file} cannot be read as a report: it {error.strerror}.") from error


def reported_outputs(report: bytes, isolation: Isolation = READING) -> list[ReportedOutput]:
    """The rows of a report that are published. Raises ReportError."""
    outputs: list[ReportedOutput] = _in_child(isolation, list[ReportedOutput], "outputs_of", report)
    return outputs


def audit_page(report: bytes, isolation: Isolation = READING) -> str:
    """The audit page of a report. Raises ReportError."""
    page: str = _in_child(isolation, str, "page_of", report)
    return page


def changes(old: bytes, new: bytes, factor: float, isolation: Isolation = READING) -> list[Change]:
    """What changed from one report to the other, as `compare_reports` tells it. Raises ReportError."""
    found: list[Change] = _in_child(isolation, list[Change], "changes_of", old, new, factor)
    return found


def outputs_of(report: bytes) -> list[ReportedOutput]:
    """In the child: see `reported_outputs`."""
    frame = checked_report(report)
    rows = frame[frame["status"].isin(PUBLISHED)]
    columns = [rows[name] if name in rows else [""] * len(rows) for name in ReportedOutput.__annotations__]
    return [ReportedOutput(*values) for values in zip(*columns, strict=True)]


def page_of(report: bytes) -> str:
    """In the child: see `audit_page`."""
    from pipeline.report.page import render_page

    return render_page(checked_report(report))


def changes_of(old: bytes, new: bytes, factor: float) -> list[Change]:
    """In the child: see `changes`."""
    return compare_reports(checked_report(old), checked_report(new), factor)


def _in_child(isolation: Isolation, returns: Any, function: str, *arguments: object) -> Any:
    child = ConfinedProcess(isolation)
    try:
        found = child.call(f"{__name__}:in_child", function, list(arguments), returns=returns | Unreadable)
    except MigrationError as error:
        raise ReportError(
            f"The report cannot be read ({error.reason.value}): {error.message}. The reading process may take"
            f" {isolation.memory_bytes / GIB:g} GiB and {isolation.timeout:g} seconds."
        ) from error
    finally:
        child.close()
    if isinstance(found, Unreadable):
        raise ReportError(f"It is not a readable report: {found.why}.")
    return found


def in_child(function: str, arguments: list[Any]) -> Any:
    """In the child: one of the functions below, or why the report cannot be read."""
    try:
        return {each.__name__: each for each in (outputs_of, page_of, changes_of)}[function](*arguments)
    except ReportError as error:
        return Unreadable(str(error))
