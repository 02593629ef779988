"""Entry points of the converting child: it stages one model and keeps it open for questions until the next one.

The child caches traced graphs, so that models of one architecture are traced once.
"""

from __future__ import annotations

import sys

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.migration.conversion import Conversion
from transforms.records.outcome import MigrationOutcome, MigrationRequest
from transforms.records.staged_model import Answers, Question, StagedModel
from transforms.saved_model.templates import TemplateCache

#: tf-keras goes from layer to layer by recursion, one that follows another being a level deeper.
_LEVELS = 20_000
sys.setrecursionlimit(_LEVELS)

_templates = TemplateCache()
_open: list[Conversion] = []


def stage(request: MigrationRequest, limits: Limits) -> StagedModel | MigrationOutcome:
    """Writes the model's SavedModel. Expected failures are returned as an outcome."""
    finish()
    conversion = Conversion(request, _templates, limits)
    staged = conversion.stage()
    if isinstance(staged, StagedModel):
        _open.append(conversion)
    return staged


def expected_outputs(question: Question) -> Answers:
    """The expected outputs of the staged model.

    Raises:
        MigrationError: an array cannot be read; `internal_error` when no model is open.
    """
    if not _open:
        raise MigrationError(Reason.INTERNAL_ERROR, "No model is open to compute expected outputs")
    return _open[-1].expected_outputs(question)


def finish() -> None:
    """Closes the model that is open, if any.

    Raises:
        MigrationError: `source_missing`, the source changed since it was opened.
    """
    while _open:
        _open.pop().close()
