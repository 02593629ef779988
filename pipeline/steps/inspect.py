"""The step before conversion: checks the row, finds published outputs, determines the architecture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.isolation.process import ConfinedProcess
from pipeline.manifest.row import ManifestRow
from pipeline.publication.destination import check_destination
from pipeline.publication.layout import output_folder
from pipeline.publication.outcome_columns import OutcomeColumns
from pipeline.publication.receipt import ReceiptKey, StoredReceipt, is_complete
from pipeline.report.row import ReportRow, stopped_row
from pipeline.settings import MigrateSettings
from pipeline.steps.source_files import RowFiles, local_files
from pipeline.steps.vouched_receipts import vouched_receipts
from pipeline.storage.digest import LocalFile
from pipeline.storage.paths import is_remote
from transforms.errors import FAILURES, MigrationError, Reason
from transforms.records.outcome import NOTHING_KNOWN, SourceFacts, Status, is_python
from transforms.saved_model.file_names import GRAPH

#: Refusals that may not apply once custom code is loaded.
_CODE_MAY_MEND = frozenset(
    {
        Reason.CUSTOM_OBJECTS_NEEDED,
        Reason.UNSAFE_LAMBDA,
        Reason.UNSUPPORTED_LAYER,
        Reason.WEIGHTS_MISMATCH,
        Reason.INVALID_CONFIG,
    }
)


@dataclass(frozen=True)
class Candidate:
    """A row to convert.

    Attributes:
        row: the manifest row.
        key: what determines its artefact.
        fingerprint: of its architecture; models that share it are converted together.
        facts: facts of the source found so far.
        hashed: files already hashed on this machine, by manifest column.
    """

    row: ManifestRow
    key: ReceiptKey
    fingerprint: str
    facts: SourceFacts = NOTHING_KNOWN
    hashed: tuple[tuple[str, LocalFile], ...] = ()

    @property
    def source_bytes(self) -> int:
        """Size of the source, 0 if unknown."""
        return self.facts.source_bytes

    @property
    def columns(self) -> OutcomeColumns:
        """The facts as report columns."""
        return replace(OutcomeColumns.of_source(self.facts), architecture=self.fingerprint)


def inspect_row(row: ManifestRow, settings: MigrateSettings, child: ConfinedProcess) -> Candidate | ReportRow:
    """Inspects one row; the child reads its source.

    Returns:
        A candidate, or the report row of a row that ends here: refused, failed or unchanged.
    """
    if row.reason:
        return stopped_row(row, settings.run_id, Status.REFUSED, row.reason, row.message)
    facts = NOTHING_KNOWN
    try:
        with local_files(row, settings.limits) as files:
            facts = SourceFacts(files.source.sha256, files.source.size)
            check_digest(row, files)
            key = receipt_key(row, files, settings)
            found = published_receipt(row, settings)
            if found is not None and is_current(found, key, settings):
                return published_row(row, found, settings)
            candidate = Candidate(row, key, "", facts, tuple(files.hashed.items()))
            return _inspected(candidate, files, settings, child)
    except MigrationError as error:
        return error_row(row, settings, error, facts)


def _inspected(candidate: Candidate, files: RowFiles, settings: MigrateSettings, child: ConfinedProcess) -> Candidate:
    """The candidate with the facts of its source. Raises MigrationError if conversion must be refused."""
    from transforms.records.inspection import Inspection

    row, source = candidate.row, files.source
    architecture = files.architecture.path if files.architecture else None
    try:
        inspection = child.call(
            settings.children.inspector,
            source.path,
            architecture,
            row.backend,
            settings.limits,
            source.sha256,
            source.identity,
            False,
            row.output_layers,
            row.constants,
            returns=Inspection,
        )
    except MigrationError as error:
        samples_may_mend = error.reason is Reason.INVALID_CONFIG and row.samples  # They may state the missing shape.
        code_may_mend = error.reason in _CODE_MAY_MEND and settings.allow_custom_code and _brings_code(row)
        if samples_may_mend or code_may_mend:
            return candidate
        raise
    return replace(candidate, fingerprint=inspection.fingerprint, facts=inspection.facts)


def _brings_code(row: ManifestRow) -> bool:
    return bool(row.custom_objects) or (bool(row.architecture) and is_python(Path(row.architecture)))


def check_digest(row: ManifestRow, files: RowFiles) -> None:
    """Raises `digest_mismatch` if the source is not the file that the manifest expects."""
    actual = files.source.sha256
    if row.sha256 and actual and actual != row.sha256:
        raise MigrationError(
            Reason.DIGEST_MISMATCH,
            f"The source has sha256 {actual}, the manifest expects {row.sha256}",
            advice="Fetch the file again, or correct column sha256.",
        )


def receipt_key(row: ManifestRow, files: RowFiles, settings: MigrateSettings) -> ReceiptKey:
    """The key that determines the artefact of this row."""
    custom = files.custom_objects if settings.allow_custom_code else None
    return ReceiptKey(
        source_sha256=files.source.sha256,
        architecture_sha256=files.architecture.sha256 if files.architecture else "",
        samples_sha256=files.samples.sha256 if files.samples else "",
        custom_objects_sha256=custom.sha256 if custom else "",
        backend=row.backend,
        rtol=row.rtol,
        atol=row.atol,
        require_evidence=settings.require_evidence.value,
        keep_training=settings.keep_training,
        tensorflow_min=settings.tensorflow_min,
        outputs=row.outputs,
        constants=row.constants,
    )


def published_receipt(row: ManifestRow, settings: MigrateSettings) -> StoredReceipt | None:
    """The receipt at the row's output, if its files exist; its key may differ from the row's.

    Raises:
        MigrationError: `output_occupied`, the place holds foreign files; `output_error`.
    """
    destination = output_folder(settings.output, row.model, row.version)
    try:
        if is_remote(destination):
            from pipeline.publication.object_store import remote_receipt

            stored = remote_receipt(settings.output, row.model, row.version)
        else:
            data = check_destination(Path(settings.output), row.model, row.version)
            stored = None if data is None else StoredReceipt.parsed(data)
            stored = stored if stored and is_complete(stored.receipt, Path(destination)) else None
    except OSError as error:
        raise MigrationError(Reason.OUTPUT_ERROR, f"{destination} cannot be read: {error}") from error
    return stored


def is_current(stored: StoredReceipt, key: ReceiptKey, settings: MigrateSettings) -> bool:
    """Whether a receipt is for this very key, and a run vouches for it. Raises MigrationError `output_error`."""
    try:
        return stored.receipt.key == key and vouched_receipts(settings).vouches_for(stored)
    except OSError as error:
        raise MigrationError(Reason.OUTPUT_ERROR, f"The run records cannot be read: {error}") from error


def published_row(row: ManifestRow, stored: StoredReceipt, settings: MigrateSettings, message: str = "") -> ReportRow:
    """The report row of a published output, from its receipt. `message` says why it was published again, if it was.

    It is `migrated` by this run, perhaps at an earlier attempt, else `unchanged`.
    """
    receipt = stored.receipt
    status = Status.MIGRATED if receipt.attempt == settings.attempt else Status.UNCHANGED
    return ReportRow(
        model=row.model,
        version=row.version,
        source=row.source,
        status=status.value,
        message=message,
        outcome=receipt.outcome,
        signature_inputs=tuple(map(str, receipt.signature.inputs)),
        signature_outputs=tuple(map(str, receipt.signature.outputs)),
        rtol=row.rtol,
        atol=row.atol,
        output=output_folder(settings.output, row.model, row.version),
        output_bytes=receipt.size,
        output_sha256=receipt.sha256,
        receipt_sha256=stored.text_sha256,
        graph_sha256=next((file.sha256 for file in receipt.files if file.path == GRAPH), ""),
        run_id=settings.run_id,
        finished_at=datetime.now(UTC),
        line=row.line,
        manifest_row=row.as_entry(),
    )


def error_row(
    row: ManifestRow, settings: MigrateSettings, error: MigrationError, facts: SourceFacts = NOTHING_KNOWN
) -> ReportRow:
    """The report row of a typed error: `failed` if the machine caused it, else `refused`."""
    status = Status.FAILED if error.reason in FAILURES else Status.REFUSED
    return stopped_row(row, settings.run_id, status, error.reason.value, str(error), OutcomeColumns.of_source(facts))
