"""Questions about batches: asked once each, ahead if one wants, and never with an answer missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from transforms.errors import MigrationError, Reason
from transforms.evidence.samples import SampleBatch
from transforms.evidence.source_answers import ExpectedOutputs
from transforms.records.staged_model import Answer, Answers, Oracle, Question, numpy_arrays

A, B, C = (SampleBatch((np.array([value]),), None, name) for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)))


class Asked:
    """Answers with the inputs, and remembers what was asked and when it answered."""

    def __init__(self, missing: int = 0) -> None:
        self.questions: list[tuple[Oracle, list[str]]] = []
        self.answered = 0
        self._missing = missing

    def __call__(self, question: Question) -> Pending:
        self.questions.append((question.oracle, [feed.origin for feed in question.feeds]))
        return Pending(self, Answers(tuple(Answer(feed.inputs) for feed in question.feeds[self._missing :])))


@dataclass
class Pending:
    asked: Asked
    answers: Answers

    def result(self) -> Answers:
        self.asked.answered += 1
        return self.answers


def _expected(asked: Asked) -> ExpectedOutputs:
    return ExpectedOutputs(asked, lambda batch: list(batch.inputs))


def _values(answers: Sequence[Answer]) -> list[float]:
    return [float(numpy_arrays(answer.outputs or ())[0][0]) for answer in answers]


def test_the_reference_is_asked_once_about_each_batch() -> None:
    asked = Asked()
    expected = _expected(asked)
    assert _values(expected.answers(Oracle.REFERENCE, [A, B])) == [1, 2]
    assert _values(expected.answers(Oracle.REFERENCE, [C, B, A])) == [3, 2, 1]
    assert asked.questions == [(Oracle.REFERENCE, ["a", "b"]), (Oracle.REFERENCE, ["c"])]


def test_a_question_asked_ahead_is_answered_when_it_is_needed() -> None:
    asked = Asked()
    expected = _expected(asked)
    expected.ask_ahead([A, B])
    assert (len(asked.questions), asked.answered) == (1, 0)
    assert _values(expected.answers(Oracle.REFERENCE, [B])) == [2]
    assert (len(asked.questions), asked.answered) == (1, 1)


def test_the_rebuilt_model_is_asked_each_time() -> None:
    asked = Asked()
    expected = _expected(asked)
    for _ in range(2):
        assert _values(expected.answers(Oracle.REBUILT, [A])) == [1]
    assert len(asked.questions) == 2


def test_nothing_is_asked_about_no_batch() -> None:
    asked = Asked()
    assert _expected(asked).answers(Oracle.REFERENCE, []) == []
    assert asked.questions == []


@pytest.mark.parametrize("oracle", Oracle)
def test_a_missing_answer_is_an_error(oracle: Oracle) -> None:
    with pytest.raises(MigrationError) as caught:
        _expected(Asked(missing=1)).answers(oracle, [A, B])
    assert caught.value.reason is Reason.INTERNAL_ERROR
