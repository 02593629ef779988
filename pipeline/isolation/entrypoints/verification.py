"""Entry point of the verifying child, which never parses a source and caches loaded graphs."""

from __future__ import annotations

from collections.abc import Callable

from transforms.migration.verification import Verification
from transforms.records.outcome import MigrationOutcome
from transforms.records.staged_model import Answers, PendingAnswers, Question, VerificationRequest
from transforms.saved_model.loaded import keep_functions_as_written

keep_functions_as_written()
_verification = Verification()


def verify(asked: VerificationRequest, ask: Callable[[Question, type[Answers]], PendingAnswers]) -> MigrationOutcome:
    """Verifies a staged model and returns its outcome; `ask` queries the converting child."""
    return _verification.verify(asked, lambda question: ask(question, Answers))
