"""What the verifying child runs. It never parses a source; it keeps the graphs that it loaded."""

from __future__ import annotations

from transforms.migration.verification import Verification
from transforms.records.outcome import MigrationOutcome
from transforms.records.staged_model import Ask, VerificationRequest

_verification = Verification()


def verify(asked: VerificationRequest, ask: Ask) -> MigrationOutcome:
    """The outcome of a staged model; `ask` reaches the converting child."""
    return _verification.verify(asked, ask)
