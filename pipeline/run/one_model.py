"""Migration of one model without Beam, in confined processes like those of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pipeline.isolation.process import ConfinedProcess
from pipeline.manifest.row import ManifestRow
from pipeline.publication.local import sweep_leftovers
from pipeline.report.row import ReportRow
from pipeline.settings import MigrateSettings
from pipeline.steps.convert import convert_model
from pipeline.steps.converter_pool import ProcessPair
from pipeline.steps.inspect import Candidate, inspect_row
from pipeline.steps.one_row import result_of
from pipeline.storage.paths import is_remote


def migrate_row(row: ManifestRow, settings: MigrateSettings) -> ReportRow:
    """Inspects, converts, verifies and publishes one model.

    Returns:
        Its report row, also after a refusal or failure. No run record is written.
    """
    if not is_remote(settings.output) and not row.reason:
        sweep_leftovers(Path(settings.output), [row.model])
    inspector = ConfinedProcess(settings.inspecting)
    try:
        found = result_of(row, settings, partial(inspect_row, row, settings, inspector))
    finally:
        inspector.close()
    if isinstance(found, ReportRow):
        return found
    return _converted(found, settings)


def _converted(candidate: Candidate, settings: MigrateSettings) -> ReportRow:
    pair = ProcessPair.started(settings)
    try:
        return result_of(candidate.row, settings, partial(convert_model, candidate, settings, pair))
    finally:
        pair.close()
