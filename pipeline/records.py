"""The records that travel through the graph: a manifest row on the way in, a report row on the way out."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from transforms.errors import MigrationError, Reason
from transforms.outcome import DEFAULT_ATOL, DEFAULT_RTOL, MigrationOutcome, Rewrite, Status

if TYPE_CHECKING:
    import pyarrow as pa


#: Fields of a manifest row that are no columns of the manifest.
_NO_COLUMNS = frozenset({"line", "reason", "message"})
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class ManifestRow:
    """One entry of the manifest. Paths are absolute, or URLs of a Beam file system.

    Attributes:
        line: line of the entry in the manifest (of a Parquet file: its row number), from 1. It identifies the row.
        model, source, version, …: the columns of the manifest, "" where a text is absent.
        reason, message: filled when the row itself is unacceptable; such a row goes straight to the report.
    """

    line: int
    model: str
    source: str
    version: int = 1
    architecture: str = ""
    samples: str = ""
    backend: str = ""
    custom_objects: str = ""
    sha256: str = ""
    rtol: float = DEFAULT_RTOL
    atol: float = DEFAULT_ATOL
    reason: str = ""
    message: str = ""

    @property
    def name(self) -> str:
        """What people call the row: model and version."""
        return f"{self.model}/{self.version}"

    def as_entry(self) -> str:
        """The row as one JSON line of a manifest, which does it again; its paths are absolute, or URLs."""
        entry = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _NO_COLUMNS}
        return json.dumps({name: value for name, value in entry.items() if value != ""})


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

    def as_record(self) -> dict[str, Any]:
        """The row as pyarrow takes it."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


COLUMNS = tuple(field.name for field in fields(ReportRow))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


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


def fits_report(row: ReportRow) -> None:
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
        "reference_max_abs_error": outcome.reference_max_abs_error,
        "samples": outcome.samples,
        "keras_version": outcome.keras_version,
        "backend": outcome.backend,
        "source_sha256": outcome.source_sha256,
        "source_bytes": outcome.source_bytes,
        "parameters": outcome.parameters,
        "rewrites": tuple(describe_rewrite(rewrite) for rewrite in outcome.rewrites),
        "warnings": outcome.warnings,
        "architecture": outcome.architecture,
        "tensorflow_version": outcome.tensorflow_version,
    }
