"""The report row: the result of one manifest row."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.manifest.row import ManifestRow
from pipeline.publication.outcome_columns import NO_OUTCOME, OutcomeColumns
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import DEFAULT_ATOL, DEFAULT_RTOL, Status

if TYPE_CHECKING:
    import pyarrow as pa


_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class ReportRow:
    """The result of one manifest row.

    Empty texts are "". `version` is 0 if the manifest's own value was unreadable. `line` is that of the manifest,
    `manifest_row` its entry as a JSON line. `outcome` holds further columns.
    """

    model: str
    version: int
    source: str
    status: str
    reason: str = ""
    message: str = ""
    outcome: OutcomeColumns = NO_OUTCOME
    rtol: float = DEFAULT_RTOL
    atol: float = DEFAULT_ATOL
    output: str = ""
    output_bytes: int = 0
    output_sha256: str = ""
    template_reused: bool = False
    seconds: float = 0.0
    run_id: str = ""
    finished_at: datetime = _NEVER
    h5ferry_version: str = __version__
    line: int = 0
    manifest_row: str = ""
    graph_sha256: str = ""
    signature_inputs: tuple[str, ...] = ()
    signature_outputs: tuple[str, ...] = ()
    receipt_sha256: str = ""

    def as_record(self) -> dict[str, Any]:
        """The row as a mapping for pyarrow: every column by name, in the report's order."""
        columns = {**vars(self), **vars(self.outcome)}
        return {column: _plain(columns[column]) for column in COLUMNS}


#: The columns of the report in their order, with descriptions.
DESCRIPTIONS: Mapping[str, str] = {
    "model": "name in the registry, from the manifest",
    "version": "version directory, from the manifest; 0 if the manifest's value was unreadable",
    "source": "absolute path or URL of the legacy file",
    "status": "`migrated`, `unchanged`, `mismatch`, `refused` or `failed`",
    "reason": "why the row was refused or failed, a code of the closed list; otherwise empty",
    "message": "what is wrong, in which layer, and what to do next; for a published row: why it was"
    " published again, otherwise empty",
    "evidence": "what the outputs were compared with: `golden`, `reference`, `assumed` (the reference, based on"
    " something that the file does not record), `rebuilt`, or empty if nothing was compared",
    "max_abs_error": "largest absolute difference between the reloaded SavedModel's outputs and the evidence",
    "max_rel_error": "largest difference relative to the evidence",
    "rtol": "relative tolerance of the comparison",
    "atol": "absolute tolerance of the comparison",
    "samples": "total number of entries in the batches that were compared",
    "keras_version": "as recorded in the file; empty if it records none",
    "backend": "Keras backend that wrote the file, as recorded, stated in the manifest or assumed (a warning says so)",
    "source_sha256": "SHA-256 of the bytes that were read",
    "source_bytes": "size of the legacy file",
    "output": "folder or URL of the SavedModel; empty if nothing was published",
    "output_bytes": "size of all its files",
    "output_sha256": "digest over the list of its files with their SHA-256",
    "parameters": "scalars in the model's weights",
    "rewrites": "every change made, as `layer: rewrite (detail)`",
    "warnings": "assumptions, and differences in behaviour from the legacy runtime",
    "architecture": "fingerprint of canonical architecture, weight shapes and dtypes; equal for retrained copies",
    "template_reused": "true if an earlier row of the report has the same graph, byte for byte",
    "seconds": "wall clock spent on the row",
    "run_id": "the run that wrote the row",
    "finished_at": "when the row ended, UTC",
    "h5ferry_version": "version of this program",
    "tensorflow_version": "version of TensorFlow that wrote and ran the SavedModel",
    "tensorflow_min": "oldest release of TensorFlow that loads the SavedModel, determined by its operations",
    "reference_max_abs_error": "largest absolute difference from the reference, if golden outputs were the evidence",
    "line": "line of the row in the manifest (row number in a Parquet manifest)",
    "manifest_row": "the manifest's entry as a JSON line; a manifest of such lines repeats the rows",
    "graph_sha256": "SHA-256 of the graph, `saved_model.pb`; empty if nothing was published",
    "tolerance_used": "largest error of any element as a share of its tolerance: at most 1 if published",
    "assumptions": "assumptions that the outputs depend on and the file does not record, each with its layer and the"
    " alternatives; empty for `golden` and `reference`",
    "signature_inputs": "each input of the SavedModel: name in the signature, type and shape, array of `samples.npz`,"
    " layer if its name differs, tensor",
    "signature_outputs": "each output of the SavedModel, in the same form",
    "receipt_sha256": "SHA-256 of the receipt beside the SavedModel; empty where nothing was published",
}


COLUMNS = tuple(DESCRIPTIONS)
_DECLARED = {field.name: str(field.type) for record in (ReportRow, OutcomeColumns) for field in fields(record)}
#: The Python type of each column, as its record declares it.
COLUMN_TYPES: Mapping[str, str] = {column: _DECLARED[column] for column in COLUMNS}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@functools.cache
def report_schema() -> pa.Schema:
    """The report's explicit Arrow schema: one field for each column, in their order."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "tuple[str, ...]": pa.list_(pa.string()),
        "datetime": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([pa.field(column, types[kind]) for column, kind in COLUMN_TYPES.items()])


def require_reportable(row: ReportRow) -> None:
    """Checks that the row fits the report's schema; a value from a child may not, and would end the run.

    Raises:
        MigrationError: `internal_error`, a number is too large or a text has an unpaired surrogate.
    """
    import pyarrow as pa

    try:
        pa.RecordBatch.from_pylist([row.as_record()], schema=report_schema())
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise MigrationError(
            Reason.INTERNAL_ERROR,
            f"The result does not fit into a report: {str(error)!a}",
            advice="Please report it.",
        ) from error


def stopped_row(
    row: ManifestRow, run_id: str, status: Status, reason: str, message: str, outcome: OutcomeColumns = NO_OUTCOME
) -> ReportRow:
    """The report row of a model that stopped here. `outcome` holds the facts known by then."""
    return ReportRow(
        model=row.model,
        version=row.version,
        source=row.source,
        status=status.value,
        reason=reason,
        message=message,
        outcome=outcome,
        rtol=row.rtol,
        atol=row.atol,
        run_id=run_id,
        finished_at=datetime.now(UTC),
        line=row.line,
        manifest_row=row.as_entry(),
    )
