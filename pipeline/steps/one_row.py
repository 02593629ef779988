"""Runs one step on one row: errors become the row's result and affect no other row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from pipeline.coordination.run_folder import Stop
from pipeline.coordination.stop import not_reached, output_is_full
from pipeline.manifest.row import ManifestRow
from pipeline.report.row import ReportRow, require_reportable, stopped_row
from pipeline.settings import MigrateSettings
from pipeline.steps.inspect import Candidate, error_row
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import Status

_log = logging.getLogger(__name__)


Result = TypeVar("Result", ReportRow, Candidate | ReportRow)


def result_of(row: ManifestRow, settings: MigrateSettings, step: Callable[[], Result]) -> Result | ReportRow:
    """Runs a step, unless the run was stopped.

    Returns:
        The step's result, if a report can hold it; else the report row of the error.
    """
    why = settings.folder.stop_requested()
    if why is not None:
        return error_row(row, settings, not_reached(why))
    try:
        result = step()
        require_reportable(_as_row(result, settings) if isinstance(result, Candidate) else result)
    except MigrationError as error:
        result = error_row(row, settings, error)
    except Exception as error:  # An unexpected error affects only this row.
        _log.exception("unexpected error at %s", ascii(row.name))
        unforeseen = MigrationError(
            Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}", advice="Please report it."
        )
        result = error_row(row, settings, unforeseen)
    if isinstance(result, Candidate) or result.status != Status.FAILED:
        return result
    if settings.folder.stop_requested() is Stop.INTERRUPTED:  # Its processes were killed meanwhile.
        return error_row(row, settings, not_reached(Stop.INTERRUPTED))
    if settings.folder and result.reason == Reason.OUTPUT_ERROR and output_is_full(settings.output):
        settings.folder.request_stop(Stop.OUTPUT_FULL)
    return result


def _as_row(candidate: Candidate, settings: MigrateSettings) -> ReportRow:
    """A row with all facts of a candidate, to check whether a report can hold it."""
    return stopped_row(candidate.row, settings.run_id, Status.FAILED, "", "", candidate.columns)
