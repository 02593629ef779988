"""The step that converts one model: staged by one process, verified by another, checked by the parent, published."""

from __future__ import annotations

import contextlib
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.manifest.row import ManifestRow
from pipeline.publication.layout import output_folder
from pipeline.publication.local import StagingArea, publish, staging_area
from pipeline.publication.outcome_columns import OutcomeColumns
from pipeline.publication.receipt import PublishedFile, Receipt, ReceiptKey, StoredReceipt, why_published_again
from pipeline.report.row import ReportRow, require_reportable, stopped_row
from pipeline.settings import MigrateSettings
from pipeline.steps.converter_pool import ProcessPair
from pipeline.steps.custom_code import without_the_codes_word
from pipeline.steps.inspect import (
    Candidate,
    check_digest,
    error_row,
    is_current,
    published_receipt,
    published_row,
    receipt_key,
)
from pipeline.steps.recheck import SecondConversion, is_rechecked, refuse_other_files
from pipeline.steps.source_files import RowFiles, local_files
from pipeline.steps.staged_files import StagedFiles
from pipeline.steps.vouched_receipts import vouched_receipts
from pipeline.storage.paths import is_remote
from transforms.errors import MigrationError, Reason
from transforms.migration.migrate import migrate_model
from transforms.platform.system_calls import adopt_orphans
from transforms.records.outcome import EVIDENCE_ORDER, MigrationOutcome, MigrationRequest, Status
from transforms.records.staged_model import Answers, Question, StagedModel, VerificationRequest
from transforms.saved_model.file_names import GRAPH, VARIABLES_INDEX

#: Without these files a folder is not a SavedModel, whatever the child reports.
_ESSENTIAL = frozenset({GRAPH, VARIABLES_INDEX})


def convert_model(candidate: Candidate, settings: MigrateSettings, pair: ProcessPair) -> ReportRow:
    """Converts, verifies and publishes one model.

    Returns:
        Its report row, also after a refusal or failure: `migrated` only when the output is at its final place.
    """
    start = time.monotonic()
    row = candidate.row
    try:
        with local_files(row, settings.limits, dict(candidate.hashed)) as files:
            result = _convert(candidate, files, settings, pair)
    except MigrationError as error:
        result = error_row(row, settings, error, candidate.facts)
    return replace(result, seconds=time.monotonic() - start)


def _convert(candidate: Candidate, files: RowFiles, settings: MigrateSettings, pair: ProcessPair) -> ReportRow:
    row, key = candidate.row, receipt_key(candidate.row, files, settings)
    check_digest(row, files)
    if key != candidate.key:
        raise MigrationError(
            Reason.DIGEST_MISMATCH,
            "A file of this row changed during the run",
            advice="Run again when its files no longer change.",
        )
    found = published_receipt(row, settings)
    if found is not None and is_current(found, key, settings):  # By a retried bundle meanwhile, or by another run.
        return published_row(row, found, settings)
    reason = "" if found is None else why_published_again(found.receipt.key, key)
    destination = output_folder(settings.output, row.model, row.version)
    with _output_errors(destination), _staging(settings.output, destination) as (staged, area):
        steps = _ConfinedSteps(settings, pair, staged)
        outcome = _migrated(_request(row, files, staged, settings), steps, settings, pair)
        if outcome.status is not Status.MIGRATED:
            reason = outcome.reason.value if outcome.reason else ""
            columns = OutcomeColumns.of(outcome, candidate.facts)
            return stopped_row(row, settings.run_id, outcome.status, reason, outcome.message, columns)
        files_written = steps.verified_files()
        if is_rechecked(row.model, settings):
            refuse_other_files(files_written, outcome, _converted_again(row, files, settings))
        receipt = _check(files_written, row, key, outcome, settings)
        stored = StoredReceipt.written(receipt)
        require_reportable(published_row(row, stored, settings))
        if area is None:
            from pipeline.publication.object_store import upload

            upload(staged, settings.output, receipt)
        else:
            publish(area, receipt)
    vouched_receipts(settings).add(stored)
    return published_row(row, stored, settings, reason)


def _converted_again(row: ManifestRow, files: RowFiles, settings: MigrateSettings) -> SecondConversion:
    """The same row, converted by processes that did nothing before."""
    pair = ProcessPair.started(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="h5ferry-") as folder:
            steps = _ConfinedSteps(settings, pair, Path(folder))
            outcome = _migrated(_request(row, files, Path(folder), settings), steps, settings, pair)
            return SecondConversion(outcome, steps.verified_files() if outcome.status is Status.MIGRATED else ())
    finally:
        pair.close()


def _request(row: ManifestRow, files: RowFiles, staged: Path, settings: MigrateSettings) -> MigrationRequest:
    return MigrationRequest(
        model=row.model,
        source=files.source.path,
        staging=staged,
        architecture=files.architecture.path if files.architecture else None,
        samples=files.samples.path if files.samples else None,
        backend=row.backend,
        sha256=files.source.sha256,
        hashed=files.source.identity,
        rtol=row.rtol,
        atol=row.atol,
        require_evidence=settings.require_evidence,
        outputs=row.output_layers,
        constants=row.constants,
        custom_objects=files.custom_objects.path if files.custom_objects else None,
        allow_custom_code=settings.allow_custom_code,
        keep_training=settings.keep_training,
        tensorflow_min=settings.tensorflow_min,
    )


def _migrated(
    request: MigrationRequest, steps: _ConfinedSteps, settings: MigrateSettings, pair: ProcessPair
) -> MigrationOutcome:
    in_full = zlib.crc32(request.model.encode()) % settings.full_reload_every == 0  # the same choice in every run
    if not request.runs_code:
        return migrate_model(request, steps, in_full)
    adopt_orphans()
    try:
        outcome = migrate_model(request, steps, in_full)
        return without_the_codes_word(outcome, request, pair.converter.close_with_strays())
    finally:
        pair.converter.close_with_strays()  # the code may have changed anything in the process


class _ConfinedSteps:
    """The steps of a migration, each in its process; relays questions from the verifying to the converting process."""

    def __init__(self, settings: MigrateSettings, pair: ProcessPair, staged: Path) -> None:
        self._settings = settings
        self._pair = pair
        self._folder = staged
        self._files: StagedFiles | None = None

    def stage(self, request: MigrationRequest) -> StagedModel | MigrationOutcome:
        function, limits = f"{self._settings.children.converter}:stage", self._settings.limits
        staged: StagedModel | MigrationOutcome = self._pair.converter.call(
            function, request, limits, returns=StagedModel | MigrationOutcome
        )
        return staged

    def verify(self, asked: VerificationRequest) -> MigrationOutcome:
        self._files = StagedFiles(self._folder, self._pair.io_threads)
        outcome: MigrationOutcome = self._pair.verifier.call(
            f"{self._settings.children.verifier}:verify",
            asked,
            returns=MigrationOutcome,
            answering=self._expected_outputs,
            question=Question,
        )
        return outcome

    def finish(self) -> None:
        self._pair.converter.call(f"{self._settings.children.converter}:finish", same_model=True)

    def verified_files(self) -> tuple[PublishedFile, ...]:
        """The files that were verified. Raises MigrationError if any has changed."""
        assert self._files is not None
        return self._files.verified_files()

    def _expected_outputs(self, question: Question) -> Answers:
        function = f"{self._settings.children.converter}:expected_outputs"
        answers: Answers = self._pair.converter.call(function, question, returns=Answers, same_model=True)
        return answers


def _check(
    files: tuple[PublishedFile, ...],
    row: ManifestRow,
    key: ReceiptKey,
    outcome: MigrationOutcome,
    settings: MigrateSettings,
) -> Receipt:
    """The parent's own check of the written files; the children's report alone proves nothing."""
    if outcome.source is None or outcome.source.source_sha256 != key.source_sha256:
        raise MigrationError(Reason.DIGEST_MISMATCH, "The source changed while it was read", advice="Run again.")
    if EVIDENCE_ORDER.index(outcome.evidence) < EVIDENCE_ORDER.index(settings.require_evidence):
        raise MigrationError(
            Reason.WEAK_EVIDENCE,
            f"The evidence is {outcome.evidence.value or 'none'}, less than {settings.require_evidence.value}",
            advice="Provide samples with expected outputs, or require less with --require-evidence.",
        )
    missing = _ESSENTIAL - {file.path for file in files}
    if missing:
        raise MigrationError(Reason.INTERNAL_ERROR, f"The converter left no {min(missing)}", advice="Please report it.")
    return Receipt(
        model=row.model,
        version=row.version,
        key=key,
        files=files,
        outcome=OutcomeColumns.of(outcome),
        signature=outcome.signature,
        run_id=settings.run_id,
        attempt=settings.attempt,
    )


@contextlib.contextmanager
def _staging(output: str, destination: str) -> Iterator[tuple[Path, StagingArea | None]]:
    """An empty folder: beside a local destination, else a temporary one to upload from."""
    if is_remote(destination):
        with tempfile.TemporaryDirectory(prefix="h5ferry-") as folder:
            yield Path(folder), None
    else:
        with staging_area(Path(output), Path(destination)) as area:
            yield area.folder, area


@contextlib.contextmanager
def _output_errors(destination: str) -> Iterator[None]:
    """Converts OSErrors of the output to `output_error`."""
    try:
        yield
    except OSError as error:
        raise MigrationError(
            Reason.OUTPUT_ERROR,
            f"{destination} cannot be written: {error.strerror or error}",
            advice="Check space and permissions of the output, then run again.",
        ) from error
