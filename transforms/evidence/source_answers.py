"""Caches and prefetches expected outputs from the converting process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transforms.errors import MigrationError, Reason
from transforms.evidence.samples import SampleBatch
from transforms.records.staged_model import Answer, Ask, Feed, Oracle, PendingAnswers, Question, plain_arrays


class ExpectedOutputs:
    """Questions and answers about one model.

    Args:
        ask: queries the converting side.
        as_fed: the arrays of a batch, cast to the signature's dtypes.
    """

    def __init__(self, ask: Ask, as_fed: Callable[[SampleBatch], list[Any]]) -> None:
        self._ask = ask
        self._as_fed = as_fed
        self._ahead: tuple[Sequence[SampleBatch], PendingAnswers] | None = None
        self._known: list[tuple[SampleBatch, Answer]] = []

    def ask_ahead(self, batches: Sequence[SampleBatch]) -> None:
        """Requests the reference's outputs, without waiting for them."""
        self._ahead = batches, self._ask(self._question(Oracle.REFERENCE, batches))

    def answers(self, oracle: Oracle, batches: Sequence[SampleBatch]) -> list[Answer]:
        """The expected outputs of each batch; the reference's are cached.

        Raises MigrationError: refusals of the converting side; `internal_error` if answers are missing.
        """
        if not batches:
            return []
        if oracle is not Oracle.REFERENCE:
            return _received(batches, self._ask(self._question(oracle, batches)))
        if self._ahead is not None:
            asked, pending = self._ahead
            self._ahead = None
            self._known += zip(asked, _received(asked, pending), strict=True)
        missing = [batch for batch in batches if self._answer(batch) is None]
        if missing:
            pending = self._ask(self._question(oracle, missing))
            self._known += zip(missing, _received(missing, pending), strict=True)
        return [answer for batch in batches if (answer := self._answer(batch)) is not None]

    def _answer(self, batch: SampleBatch) -> Answer | None:
        return next((answer for known, answer in self._known if known is batch), None)

    def _question(self, oracle: Oracle, batches: Sequence[SampleBatch]) -> Question:
        return Question(oracle, tuple(Feed(plain_arrays(self._as_fed(batch)), batch.origin) for batch in batches))


def _received(batches: Sequence[SampleBatch], pending: PendingAnswers) -> list[Answer]:
    answers = pending.result().answers
    if len(answers) != len(batches):
        raise MigrationError(Reason.INTERNAL_ERROR, f"{len(answers)} answers to {len(batches)} questions")
    return list(answers)
