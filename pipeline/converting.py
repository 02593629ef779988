"""The step that converts one model: in the child, into staging, checked by the parent, then published."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.inspecting import Candidate, check_digest, error_row, published_row, receipt_key, valid_receipt
from pipeline.isolation import Child
from pipeline.manifest_row import is_remote
from pipeline.options import MigrateSettings
from pipeline.publishing import output_folder, publish, staging_folder
from pipeline.receipts import Receipt, ReceiptKey, list_files
from pipeline.records import ManifestRow, ReportRow, outcome_columns, stopped_row
from pipeline.sources import RowFiles, local_files
from transforms.architecture_source import is_python
from transforms.errors import MigrationError, Reason
from transforms.outcome import EVIDENCE_ORDER, MigrationOutcome, MigrationRequest, Status

#: Without these a folder is no SavedModel, whatever the child says.
_ESSENTIAL = frozenset({"saved_model.pb", "variables/variables.index"})


def convert_model(candidate: Candidate, settings: MigrateSettings, child: Child) -> ReportRow:
    """Converts and publishes one model.

    Returns:
        Its report row, whatever happens: `migrated` only once the output lies at its final place.
    """
    start = time.monotonic()
    row = candidate.row
    try:
        with local_files(row, settings.limits.file_bytes) as files:
            result = _convert(candidate, files, settings, child)
    except MigrationError as error:
        result = error_row(row, settings, error, **dict(candidate.found))
    return replace(result, seconds=time.monotonic() - start)


def _convert(candidate: Candidate, files: RowFiles, settings: MigrateSettings, child: Child) -> ReportRow:
    row, key = candidate.row, receipt_key(candidate.row, files, settings)
    check_digest(row, files)
    if key != candidate.key:
        raise MigrationError(
            Reason.DIGEST_MISMATCH, "A file of this row changed during the run", advice="Run again once it is at rest."
        )
    receipt = valid_receipt(row, key, settings)
    if receipt is not None:  # A retried bundle of this run, or another run that was quicker.
        status = Status.MIGRATED if receipt.attempt == settings.attempt else Status.UNCHANGED
        return published_row(row, receipt, settings, status)
    destination = output_folder(settings.output, row.model, row.version)
    with _output_errors(destination), _staging(settings.output, destination) as staged:
        outcome = _run(_request(row, files, staged, settings), settings, child)
        if outcome.status is not Status.MIGRATED:
            reason = outcome.reason.value if outcome.reason else ""
            found = dict(candidate.found)
            columns = {name: value or found.get(name, value) for name, value in outcome_columns(outcome).items()}
            return stopped_row(row, settings.run_id, outcome.status, reason, outcome.message, **columns)
        receipt = _check(staged, row, key, outcome, settings)
        if is_remote(destination):
            from pipeline.uploading import upload

            upload(staged, destination, receipt)
        else:
            publish(staged, Path(destination), receipt)
    return published_row(row, receipt, settings, Status.MIGRATED)


def _request(row: ManifestRow, files: RowFiles, staged: Path, settings: MigrateSettings) -> MigrationRequest:
    return MigrationRequest(
        model=row.model,
        source=files.source.path,
        staging=staged,
        architecture=files.architecture.path if files.architecture else None,
        samples=files.samples.path if files.samples else None,
        backend=row.backend,
        sha256=files.source.sha256,
        rtol=row.rtol,
        atol=row.atol,
        require_evidence=settings.require_evidence,
        custom_objects=files.custom_objects.path if files.custom_objects else None,
        allow_custom_code=settings.allow_custom_code,
    )


def _run(request: MigrationRequest, settings: MigrateSettings, child: Child) -> MigrationOutcome:
    try:
        outcome = child.call(settings.converter, request)
    finally:
        if request.allow_custom_code and (request.custom_objects or _is_code(request.architecture)):
            child.close()  # the code may have changed anything in there: the next model gets a fresh one
    if not isinstance(outcome, MigrationOutcome):
        raise MigrationError(Reason.INTERNAL_ERROR, f"The converter answered with a {type(outcome).__name__}")
    return outcome


def _is_code(architecture: Path | None) -> bool:
    return architecture is not None and is_python(architecture)


def _check(
    staged: Path, row: ManifestRow, key: ReceiptKey, outcome: MigrationOutcome, settings: MigrateSettings
) -> Receipt:
    """The parent's own look at what the child says it wrote; its word alone proves nothing."""
    if outcome.source_sha256 != key.source_sha256:
        raise MigrationError(Reason.DIGEST_MISMATCH, "The source changed while it was read", advice="Run again.")
    if EVIDENCE_ORDER.index(outcome.evidence) < EVIDENCE_ORDER.index(settings.require_evidence):
        raise MigrationError(
            Reason.WEAK_EVIDENCE,
            f"The evidence is {outcome.evidence.value or 'none'}, less than {settings.require_evidence.value}",
            advice="Bring samples with expected outputs, or ask for less with --require-evidence.",
        )
    files = list_files(staged)
    missing = _ESSENTIAL - {file.path for file in files}
    if missing:
        raise MigrationError(Reason.INTERNAL_ERROR, f"The converter left no {min(missing)}", advice="Please report it.")
    return Receipt(
        model=row.model,
        version=row.version,
        key=key,
        files=files,
        outcome=outcome_columns(outcome),
        run_id=settings.run_id,
        attempt=settings.attempt,
    )


@contextlib.contextmanager
def _staging(output: str, destination: str) -> Iterator[Path]:
    """An empty folder: beside the destination when that is local, else scratch to upload from."""
    if is_remote(destination):
        with tempfile.TemporaryDirectory(prefix="h5ferry-") as folder:
            yield Path(folder)
    else:
        with staging_folder(Path(output), Path(destination)) as folder_beside:
            yield folder_beside


@contextlib.contextmanager
def _output_errors(destination: str) -> Iterator[None]:
    """Whatever the operating system says of the output becomes `output_error`."""
    try:
        yield
    except OSError as error:
        raise MigrationError(
            Reason.OUTPUT_ERROR,
            f"{destination} cannot be written: {error.strerror or error}",
            advice="Check space and permissions of the output, then run again.",
        ) from error
