"""Questions about batches: asked once each, ahead if one wants, and never with an answer missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from transforms.errors import MigrationError, Reason
from transforms.evidence.samples import SampleBatch
from transforms.evidence.source_answers import Hearing
from transforms.records.staged_model import Answer, Question, Testimony, Witness, numpy_arrays

A, B, C = (SampleBatch((np.array([value]),), None, name) for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)))


class Asked:
    """Answers with the inputs, and remembers what was asked and when it answered."""

    def __init__(self, missing: int = 0) -> None:
        self.questions: list[tuple[Witness, list[str]]] = []
        self.answered = 0
        self._missing = missing

    def __call__(self, question: Question) -> Callable[[], Testimony]:
        self.questions.append((question.witness, [feed.origin for feed in question.feeds]))

        def answer() -> Testimony:
            self.answered += 1
            return Testimony(tuple(Answer(feed.inputs) for feed in question.feeds[self._missing :]))

        return answer


def _hearing(asked: Asked) -> Hearing:
    return Hearing(asked, lambda batch: list(batch.inputs))


def _values(answers: Sequence[Answer]) -> list[float]:
    return [float(numpy_arrays(answer.outputs or ())[0][0]) for answer in answers]


def test_the_reference_is_asked_once_about_each_batch() -> None:
    asked = Asked()
    hearing = _hearing(asked)
    assert _values(hearing.answers(Witness.REFERENCE, [A, B])) == [1, 2]
    assert _values(hearing.answers(Witness.REFERENCE, [C, B, A])) == [3, 2, 1]
    assert asked.questions == [(Witness.REFERENCE, ["a", "b"]), (Witness.REFERENCE, ["c"])]


def test_a_question_asked_ahead_is_answered_when_it_is_needed() -> None:
    asked = Asked()
    hearing = _hearing(asked)
    hearing.ask_ahead([A, B])
    assert (len(asked.questions), asked.answered) == (1, 0)
    assert _values(hearing.answers(Witness.REFERENCE, [B])) == [2]
    assert (len(asked.questions), asked.answered) == (1, 1)


def test_the_rebuilt_model_is_asked_each_time() -> None:
    asked = Asked()
    hearing = _hearing(asked)
    for _ in range(2):
        assert _values(hearing.answers(Witness.REBUILT, [A])) == [1]
    assert len(asked.questions) == 2


def test_nothing_is_asked_about_no_batch() -> None:
    asked = Asked()
    assert _hearing(asked).answers(Witness.REFERENCE, []) == []
    assert asked.questions == []


@pytest.mark.parametrize("witness", Witness)
def test_a_missing_answer_is_an_error(witness: Witness) -> None:
    with pytest.raises(MigrationError) as caught:
        _hearing(Asked(missing=1)).answers(witness, [A, B])
    assert caught.value.reason is Reason.INTERNAL_ERROR
