"""The records that travel through the graph: a manifest row on the way in, a report row on the way out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.manifest.row import ManifestRow
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import DEFAULT_ATOL, DEFAULT_RTOL, MigrationOutcome, Rewrite, Status

if TYPE_CHECKING:
    import pyarrow as pa


_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class ReportRow:
    """What became of one manifest row; the fields are the report's columns, in order.

    Texts are "" where there is nothing to say, errors nan where nothing was compared. `version` is 0 where the
    manifest's own value was unreadable. `line` is that of the manifest, `manifest_row` its entry as a JSON line.
    """

    model: str
    version: int
    source: str
    status: str
    reason: str = ""
    message: str = ""
    evidence: str = ""
    max_abs_error: float = float("nan")
    max_rel_error: float = float("nan")
    rtol: float = DEFAULT_RTOL
    atol: float = DEFAULT_ATOL
    samples: int = 0
    keras_version: str = ""
    backend: str = ""
    source_sha256: str = ""
    source_bytes: int = 0
    output: str = ""
    output_bytes: int = 0
    output_sha256: str = ""
    parameters: int = 0
    rewrites: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    architecture: str = ""
    template_reused: bool = False
    seconds: float = 0.0
    run_id: str = ""
    finished_at: datetime = _NEVER
    h5ferry_version: str = __version__
    tensorflow_version: str = ""
    reference_max_abs_error: float = float("nan")
    line: int = 0
    manifest_row: str = ""
    graph_sha256: str = ""
    tolerance_used: float = float("nan")
    assumptions: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """The row as pyarrow takes it."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


COLUMNS = tuple(field.name for field in fields(ReportRow))

#: What each column of the report says, for the documents and the audit page.
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


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@functools.cache
def report_schema() -> pa.Schema:
    """The report's explicit Arrow schema: one field for each column, in the contract's order."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "tuple[str, ...]": pa.list_(pa.string()),
        "datetime": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([pa.field(field.name, types[str(field.type)]) for field in fields(ReportRow)])


def require_reportable(row: ReportRow) -> None:
    """Sees to it that a report can hold the row, part of which is a child's word: one that it cannot hold ends the run.

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


def describe_rewrite(rewrite: Rewrite) -> str:
    """A rewrite as the report tells it: "layer: rule (detail)"."""
    detail = f" ({rewrite.detail})" if rewrite.detail else ""
    return f"{rewrite.layer}: {rewrite.rule}{detail}"


def stopped_row(row: ManifestRow, run_id: str, status: Status, reason: str, message: str, **found: Any) -> ReportRow:
    """The report row of a model that got no further. `found` is whatever is known of the source by then."""
    return ReportRow(
        model=row.model,
        version=row.version,
        source=row.source,
        status=status.value,
        reason=reason,
        message=message,
        rtol=row.rtol,
        atol=row.atol,
        run_id=run_id,
        finished_at=datetime.now(UTC),
        line=row.line,
        manifest_row=row.as_entry(),
        **found,
    )


def outcome_columns(outcome: MigrationOutcome) -> dict[str, Any]:
    """The columns that the conversion itself answers for, by name."""
    return {
        "evidence": outcome.evidence.value,
        "max_abs_error": outcome.max_abs_error,
        "max_rel_error": outcome.max_rel_error,
        "tolerance_used": outcome.tolerance_used,
        "reference_max_abs_error": outcome.reference_max_abs_error,
        "samples": outcome.samples,
        "keras_version": outcome.keras_version,
        "backend": outcome.backend,
        "source_sha256": outcome.source_sha256,
        "source_bytes": outcome.source_bytes,
        "parameters": outcome.parameters,
        "rewrites": tuple(describe_rewrite(rewrite) for rewrite in outcome.rewrites),
        "warnings": outcome.warnings,
        "assumptions": tuple(map(str, outcome.assumptions)),
        "architecture": outcome.architecture,
        "tensorflow_version": outcome.tensorflow_version,
    }
