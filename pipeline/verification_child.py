"""What the verifying child runs. It never parses a source; it keeps the graphs that it loaded."""

from __future__ import annotations

from collections.abc import Callable

from transforms.outcome import MigrationOutcome
from transforms.staged_model import Question, Testimony, VerificationRequest
from transforms.verification import Verification

_verification = Verification()


def verify(asked: VerificationRequest, ask: Callable[[Question], Testimony]) -> MigrationOutcome:
    """The outcome of a staged model; `ask` reaches the converting child."""
    return _verification.verify(asked, ask)
