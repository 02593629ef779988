"""Migrates one model from its legacy file to a staged, verified SavedModel; retries with other readings if they may
help.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from transforms.errors import MigrationError
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.migration.retry_readings import other_readings
from transforms.records.outcome import MigrationOutcome, MigrationRequest, Status
from transforms.records.staged_model import Answers, Question, StagedModel, VerificationRequest

if TYPE_CHECKING:
    from transforms.migration.conversion import Conversion
    from transforms.migration.verification import Verification
    from transforms.saved_model.templates import TemplateCache


class Steps(Protocol):
    """The two sides of a migration, in this or in other processes."""

    def stage(self, request: MigrationRequest) -> StagedModel | MigrationOutcome:
        """Writes a request's SavedModel; anything but a StagedModel is final."""

    def verify(self, asked: VerificationRequest) -> MigrationOutcome:
        """The outcome of a staged model. It may query the converting side, which keeps the model open."""

    def finish(self) -> None:
        """Closes the model. Raises MigrationError if the source has changed."""


def migrate_model(request: MigrationRequest, steps: Steps | None = None, in_full: bool = False) -> MigrationOutcome:
    """Converts, writes into `request.staging`, reloads and validates one model.

    Expected failures are returned as an outcome with a reason, never raised.

    Args:
        request: of the migration.
        steps: convert and verify; None: both in this process.
        in_full: reload the artefact completely, even if its graph is already loaded.
    """
    start = time.monotonic()
    steps = steps or InProcess()
    outcome = _attempt(request, steps, in_full)
    for other, decided in other_readings(request, outcome):
        second = _read_otherwise(other, steps, in_full)
        if second.status is Status.MIGRATED:
            outcome = replace(second, warnings=(*second.warnings, decided))
            break
    return replace(outcome, seconds=time.monotonic() - start)


class InProcess:
    """Steps that run in this process. TensorFlow is imported when the first model is staged."""

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        templates: TemplateCache | None = None,
        verification: Verification | None = None,
    ) -> None:
        self._limits = limits
        self._templates = templates
        self._verification = verification
        self._open: Conversion | None = None

    def stage(self, request: MigrationRequest) -> StagedModel | MigrationOutcome:
        """Converts in this process."""
        from transforms.migration.conversion import Conversion

        self._open = Conversion(request, self._templates, self._limits)
        return self._open.stage()

    def verify(self, asked: VerificationRequest) -> MigrationOutcome:
        """Verifies in this process."""
        from transforms.migration.verification import Verification

        assert self._open is not None, "staged before"
        verification = self._verification or Verification()
        return verification.verify(asked, partial(_AnsweredHere, self._open))

    def finish(self) -> None:
        """Closes the source."""
        if self._open is not None:
            self._open.close()
            self._open = None


@dataclass(frozen=True)
class _AnsweredHere:
    """Expected outputs of a conversion in this process, computed when needed."""

    conversion: Conversion
    question: Question

    def result(self) -> Answers:
        return self.conversion.expected_outputs(self.question)


def _attempt(request: MigrationRequest, steps: Steps, in_full: bool) -> MigrationOutcome:
    staged = steps.stage(request)
    if not isinstance(staged, StagedModel):
        return staged
    outcome = steps.verify(VerificationRequest(request, staged, in_full))
    try:
        steps.finish()
    except MigrationError as error:
        return outcome.stopped(error)
    return outcome


def _read_otherwise(request: MigrationRequest, steps: Steps, in_full: bool) -> MigrationOutcome:
    for entry in request.staging.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return _attempt(request, steps, in_full)
