"""The report row: what became of one manifest row."""

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
    """What became of one manifest row.

    Texts are "" where there is nothing to say. `version` is 0 where the manifest's own value was unreadable. `line` is
    that of the manifest, `manifest_row` its entry as a JSON line. `outcome` holds further columns.
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

    def as_record(self) -> dict[str, Any]:
        """The row as pyarrow takes it: every column by name, in the report's order."""
        columns = {**vars(self), **vars(self.outcome)}
        return {column: _plain(columns[column]) for column in COLUMNS}


#: The columns of the report in their order, and what each says.
DESCRIPTIONS: Mapping[str, str] = {
    "model": "name in the registry, from the manifest",
    "version": "version directory, from the manifest; 0 where the manifest's value was unreadable",
    "source": "absolute path or URL of the legacy file",
    "status": "`migrated`, `unchanged`, `mismatch`, `refused` or `failed`",
    "reason": "why the row was refused or failed, a code of the closed list; else empty",
    "message": "what is wrong, in which layer, and what to do next; empty when published",
    "evidence": "what the outputs were compared with: `golden`, `reference`, `assumed` (the reference, where it rests"
    " on what the file does not say), `rebuilt`, or empty where nothing was",
    "max_abs_error": "largest absolute difference between the reloaded SavedModel's outputs and the evidence",
    "max_rel_error": "largest difference relative to the evidence",
    "rtol": "relative tolerance that the row was held to",
    "atol": "absolute tolerance that the row was held to",
    "samples": "entries of the batches that were compared",
    "keras_version": "as the file records it; empty where it records none",
    "backend": "Keras backend that wrote the file, as recorded, stated in the manifest or assumed (a warning says so)",
    "source_sha256": "SHA-256 of the bytes that were read",
    "source_bytes": "size of the legacy file",
    "output": "folder or URL of the SavedModel; empty where nothing was published",
    "output_bytes": "size of all its files",
    "output_sha256": "digest over the list of its files with their SHA-256",
    "parameters": "scalars in the model's weights",
    "rewrites": "every change made on the way, as `layer: rewrite (detail)`",
    "warnings": "what was assumed, and what behaves otherwise than in the legacy runtime",
    "architecture": "fingerprint of canonical architecture, weight shapes and dtypes; equal for retrained copies",
    "template_reused": "true where an earlier row of the report has the same graph, byte for byte",
    "seconds": "wall clock spent on the row",
    "run_id": "the run that wrote the row",
    "finished_at": "when the row ended, UTC",
    "h5ferry_version": "version of this program",
    "tensorflow_version": "version of TensorFlow that wrote and ran the SavedModel",
    "reference_max_abs_error": "largest absolute difference from the reference, where golden outputs were the evidence",
    "line": "line of the row in the manifest (row number in a Parquet manifest)",
    "manifest_row": "the manifest's entry as a JSON line: a manifest of such lines does the rows again",
    "graph_sha256": "SHA-256 of the graph, `saved_model.pb`; empty where nothing was published",
    "tolerance_used": "largest error of any element as a share of its tolerance: at most 1 when published",
    "assumptions": "what the outputs rest on and the file does not say, each with its layer and the other answers;"
    " empty under `golden` and `reference`",
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
        MigrationError: `internal_error`, a number is too large or a text holds half a character.
    """
    import pyarrow as pa

    try:
        pa.RecordBatch.from_pylist([row.as_record()], schema=report_schema())
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise MigrationError(
            Reason.INTERNAL_ERROR,
            f"What was found does not fit into a report: {str(error)!a}",
            advice="Please report it.",
        ) from error


def stopped_row(
    row: ManifestRow, run_id: str, status: Status, reason: str, message: str, outcome: OutcomeColumns = NO_OUTCOME
) -> ReportRow:
    """The report row of a model that got no further. `outcome` has what is known by then."""
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
