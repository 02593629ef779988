"""Which evidence decides, and how: golden outputs, the reference, the rebuilt model, and who is believed when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from transforms.evidence.samples import SampleBatch
from transforms.evidence.validation import Validator
from transforms.evidence.validation_result import Tolerance, Validation
from transforms.records.input_domain import InputDomain
from transforms.records.outcome import Evidence
from transforms.records.staged_model import Answer, Answers, Oracle, Question, numpy_arrays, plain_arrays


@dataclass(frozen=True)
class Spec:
    name: str = "x"
    shape: tuple[int | None, ...] = (None, 2)
    dtype: str = "float32"


class Doubling:
    """An artefact that doubles its input, or answers anew each time."""

    def __init__(self, steady: bool = True) -> None:
        self._drift = 0.0 if steady else 1.0

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self._drift *= 2
        return {"y": 2 * inputs["x"] + self._drift}


@dataclass(frozen=True)
class Given:
    """Answers that are there at once."""

    answers: Answers

    def result(self) -> Answers:
        return self.answers


GIVEN = "the row"


def oracle(given: float | None, drawn: float | None, rebuilt: float = 2.0) -> Callable[[Question], Any]:
    """Answers with the inputs times a factor: one for the given batch, one for drawn ones; None gives no outputs."""

    def ask(question: Question) -> Any:
        def answer(feed: Any) -> Answer:
            factor = rebuilt if question.oracle is Oracle.REBUILT else given if feed.origin == GIVEN else drawn
            if factor is None:
                return Answer(None, "The reference has no rule.")
            return Answer(plain_arrays([x * factor for x in numpy_arrays(feed.inputs)]))

        return Given(Answers(tuple(map(answer, question.feeds))))

    return ask


def validation(
    golden: float | None, given: float | None, drawn: float | None, *, rebuilt: float = 2.0, steady: bool = True
) -> Validation:
    """Of the artefact, by factors of what is expected: 2 is right."""
    x = np.array([[1.0, 2.0]], np.float32)
    batch = None if golden is None else SampleBatch((x,), (x * golden,), GIVEN)
    validator = Validator(
        [Spec()],  # type: ignore[list-item]
        ["x"],
        ["y"],
        [InputDomain()],
        oracle(given, drawn, rebuilt),
        Tolerance(1e-4, 1e-5),
    )
    validator.ask_ahead(batch)
    return validator.validate(Doubling(steady), batch)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "golden, given, drawn, evidence, within",
    [
        (2.0, 2.0, 2.0, Evidence.GOLDEN, True),
        (3.0, 2.0, 2.0, Evidence.GOLDEN, False),
        (3.0, 3.0, 3.0, Evidence.GOLDEN, False),
        (2.0, 3.0, 3.0, Evidence.GOLDEN, True),  # the golden outputs refute the reference
        (2.0, 2.0, 3.0, Evidence.GOLDEN, False),  # the reference finds what the golden outputs do not hold
        (2.0, None, 3.0, Evidence.GOLDEN, False),
        (2.0, None, None, Evidence.GOLDEN, True),
        (None, None, 2.0, Evidence.REFERENCE, True),
        (None, None, 3.0, Evidence.REFERENCE, False),
        (None, None, None, Evidence.REBUILT, True),
    ],
)
def test_who_decides(
    golden: float | None, given: float | None, drawn: float | None, evidence: Evidence, within: bool
) -> None:
    found = validation(golden, given, drawn)
    assert (found.evidence, found.comparison.within) == (evidence, within)


def test_a_refuted_reference_is_told_of() -> None:
    (warning,) = validation(2.0, 3.0, 3.0).warnings
    assert "disagrees with the golden outputs" in warning


def test_the_rebuilt_model_may_disagree() -> None:
    assert not validation(None, None, None, rebuilt=3.0).comparison.within


def test_one_request_gets_one_answer() -> None:
    found = validation(None, None, 2.0, steady=False)
    assert not found.comparison.within


def amplifying(wide: float, narrow: float | None) -> Validation:
    """Of the artefact, where the reference answers with one factor in float64 and another in float32."""

    def ask(question: Question) -> Any:
        in_float32 = question.oracle is Oracle.REFERENCE_IN_FLOAT32
        return oracle(narrow if in_float32 else wide, narrow if in_float32 else wide)(question)

    validator = Validator(
        [Spec()],  # type: ignore[list-item]
        ["x"],
        ["y"],
        [InputDomain()],
        ask,
        Tolerance(1e-4, 1e-5),
    )
    return validator.validate(Doubling(), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wide", "narrow", "within"),
    [
        pytest.param(2.002, 2.001, True, id="twice what float32 moves"),
        pytest.param(2.002, 2.0019, False, id="twenty times what float32 moves"),
        pytest.param(2.002, 2.002, False, id="float32 moves nothing"),
        pytest.param(2.002, None, False, id="no answer in float32"),
        pytest.param(2.2, 2.1, False, id="so much is no rounding"),
    ],
)
def test_a_difference_that_rounding_explains_is_none_of_the_migration(
    wide: float, narrow: float | None, within: bool
) -> None:
    found = amplifying(wide, narrow)
    assert found.comparison.within is within
    assert any("The model amplifies rounding" in warning for warning in found.warnings) is within
