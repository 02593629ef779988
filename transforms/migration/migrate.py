"""One model from its legacy file to a staged, verified SavedModel: convert, verify, and again where that may help."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from transforms.errors import MigrationError
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.migration.retry_readings import other_readings
from transforms.records.outcome import MigrationOutcome, MigrationRequest, Status
from transforms.records.staged_model import StagedModel, VerificationRequest

if TYPE_CHECKING:
    from transforms.migration.conversion import Conversion
    from transforms.migration.verification import Verification
    from transforms.saved_model.templates import TemplateCache


@dataclass(frozen=True)
class Steps:
    """The two halves of a migration, wherever they run.

    Attributes:
        stage: writes a request's SavedModel; anything but a StagedModel is final.
        verify: the outcome of a staged model. It may ask the converting side, which keeps the model open.
        finish: closes the model. Raises MigrationError when the source changed meanwhile.
    """

    stage: Callable[[MigrationRequest], StagedModel | MigrationOutcome]
    verify: Callable[[VerificationRequest], MigrationOutcome]
    finish: Callable[[], None]


def migrate_model(request: MigrationRequest, steps: Steps | None = None, in_full: bool = False) -> MigrationOutcome:
    """Converts, writes into `request.staging`, reloads and validates one model.

    Expected failures come back as an outcome with a reason, never as an exception.

    Args:
        request: what is asked for.
        steps: who converts and who verifies; None does both in this process.
        in_full: reload the artefact as a whole, though its graph may be loaded already.
    """
    start = time.monotonic()
    steps = steps or in_process()
    outcome = _attempt(request, steps, in_full)
    for other, decided in other_readings(request, outcome):
        second = _read_otherwise(other, steps, in_full)
        if second.status is Status.MIGRATED:
            outcome = replace(second, warnings=(*second.warnings, decided))
            break
    return replace(outcome, seconds=time.monotonic() - start)


def in_process(
    limits: Limits = DEFAULT_LIMITS,
    templates: TemplateCache | None = None,
    verification: Verification | None = None,
) -> Steps:
    """Steps that run in this very process. TensorFlow is imported once something is staged."""

    def stage(request: MigrationRequest) -> StagedModel | MigrationOutcome:
        from transforms.migration.conversion import Conversion

        conversion = Conversion(request, templates, limits)
        opened.append(conversion)
        return conversion.stage()

    def verify(asked: VerificationRequest) -> MigrationOutcome:
        from transforms.migration.verification import Verification

        return (verification or Verification()).verify(
            asked, lambda question: partial(opened[-1].expected_outputs, question)
        )

    opened: list[Conversion] = []
    return Steps(stage, verify, lambda: opened.pop().close())


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
