"""The result of migrating one model, as `migrate_model` returns it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.report.row import ReportRow
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import PUBLISHED, Evidence, Status


@dataclass(frozen=True)
class Outcome:
    """The result of migrating one model.

    Attributes:
        status: `migrated`, or `unchanged` if the same model was published before; otherwise nothing was published.
        reason: why it was refused, or why the run failed on it; None otherwise.
        message: what is wrong, where, and what to do next; "" for a published model.
        evidence: what the outputs of the reloaded SavedModel were compared with.
        max_abs_error, max_rel_error: largest differences from it; nan where nothing was compared.
        rewrites: every change made, as "layer: rewrite (detail)".
        warnings: assumptions, and differences in behaviour from the legacy runtime.
        output: folder or URL of the SavedModel, "" where none was published.
        row: the whole report row.
    """

    status: Status
    reason: Reason | None
    message: str
    evidence: Evidence
    max_abs_error: float
    max_rel_error: float
    rewrites: tuple[str, ...]
    warnings: tuple[str, ...]
    output: str
    row: ReportRow

    @property
    def published(self) -> bool:
        """Whether a SavedModel is published."""
        return self.status in PUBLISHED

    def require_published(self) -> Outcome:
        """Returns the outcome itself. Raises MigrationError if nothing was published; a mismatch is `weak_evidence`."""
        if not self.published:
            raise MigrationError(self.reason or Reason.WEAK_EVIDENCE, self.message.rstrip("."))
        return self
