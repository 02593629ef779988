"""Which batches are run and what each is compared with, an artefact and its oracles standing in as functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from transforms.evidence.samples import SampleBatch
from transforms.evidence.validation import Validator
from transforms.evidence.validation_result import Tolerance, Validation
from transforms.records.input_domain import InputDomain
from transforms.records.outcome import Evidence
from transforms.records.staged_model import (
    Answer,
    Answers,
    Oracle,
    PendingAnswers,
    Question,
    numpy_arrays,
    plain_arrays,
)
from transforms.saved_model.loaded import InputSpec


class Doubler:
    """An artefact that doubles its input, and runs on at least so many steps."""

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if inputs["x"].shape[1] < self.least:
            raise ValueError("too short")
        return {"y": 2.0 * np.asarray(inputs["x"])}


@dataclass(frozen=True)
class Ready:
    """Answers that are there at once."""

    answers: Answers

    def result(self) -> Answers:
        return self.answers


class Oracles:
    """The reference answers unless it is silent, the rebuilt model always; both multiply by a factor."""

    def __init__(self, factor: float = 2.0, *, silent: bool = False) -> None:
        self.factor, self.silent = factor, silent
        self.asked: list[tuple[Oracle, str, int]] = []

    def __call__(self, question: Question) -> PendingAnswers:
        self.asked += [(question.oracle, feed.origin, feed.inputs[0].shape[1]) for feed in question.feeds]
        return Ready(Answers(tuple(self._answer(question.oracle, feed.inputs) for feed in question.feeds)))

    def _answer(self, oracle: Oracle, inputs: Any) -> Answer:
        if oracle is Oracle.REFERENCE and self.silent:
            return Answer(None, "no rule")
        return Answer(plain_arrays([self.factor * numpy_arrays(inputs)[0]]))


def validated(
    oracles: Oracles, artefact: Doubler, given: SampleBatch | None = None, least_length: int = 1
) -> Validation:
    spec = InputSpec("x", (None, None), "float32")
    tolerance = Tolerance(1e-4, 1e-5)
    validator = Validator([spec], ["x"], ["y"], [InputDomain()], oracles, tolerance, least_length=least_length)
    return validator.validate(artefact, given)  # type: ignore[arg-type]


def given(steps: int, expected: float | None = None) -> SampleBatch:
    x = np.linspace(0.5, 1.5, 2 * steps, dtype=np.float32).reshape(2, steps)
    return SampleBatch((x,), None if expected is None else (expected * x,), "samples of s.npz")


@pytest.mark.parametrize(("least", "lengths"), [(1, {8, 11}), (8, {8, 11}), (60, {60, 63}), (10_001, {10_001, 10_004})])
def test_batches_are_as_long_as_the_layers_need(least: int, lengths: set[int]) -> None:
    oracles = Oracles()
    found = validated(oracles, Doubler(least), least_length=least)
    assert (found.evidence, found.comparison.within) == (Evidence.REFERENCE, True)
    assert {steps for _, _, steps in oracles.asked} == lengths


@pytest.mark.parametrize("factor", [2.0, 3.0])
def test_samples_without_outputs_are_compared_with_the_rebuilt_model_too(factor: float) -> None:
    oracles = Oracles(factor, silent=True)
    found = validated(oracles, Doubler(least=500), given(500), least_length=0)
    assert (found.evidence, found.comparison.within) == (Evidence.REBUILT, factor == 2.0)
    assert (Oracle.REBUILT, "samples of s.npz", 500) in oracles.asked


def test_golden_outputs_alone() -> None:
    found = validated(Oracles(silent=True), Doubler(least=500), given(500, 2.0), least_length=0)
    assert (found.evidence, found.comparison.within) == (Evidence.GOLDEN, True)


@pytest.mark.parametrize(
    ("inputs", "factor", "evidence", "within"),
    [
        ([[0.5, 0.25]], 2.0, Evidence.GOLDEN, True),
        ([[0.5, 0.25]], 3.0, Evidence.GOLDEN, False),
        ([[0.5, 0.5]], 2.0, Evidence.REBUILT, True),  # any artefact that gives 1.0 throughout agrees
        ([[0.5, 0.5]], 3.0, Evidence.GOLDEN, False),  # but one that differs is wrong
        ([[0.0, 0.0]], 2.0, Evidence.REBUILT, True),
        ([[1e-6, 2e-6]], 2.0, Evidence.GOLDEN, True),
        ([[1e-6, 2e-6]], 3.0, Evidence.REBUILT, True),  # the absolute tolerance alone covers the difference
        ([[1e-6, -2e-6]], -2.0, Evidence.REBUILT, True),
    ],
)
def test_golden_outputs_count_where_they_distinguish(
    inputs: list[list[float]], factor: float, evidence: Evidence, within: bool
) -> None:
    x = np.array(inputs, np.float32)
    batch = SampleBatch((x,), (factor * x,), "samples of s.npz")
    found = validated(Oracles(silent=True), Doubler(), batch, least_length=0)
    assert (found.evidence, found.comparison.within) == (evidence, within)
    if evidence is Evidence.REBUILT:
        assert "prove nothing" in " ".join(found.warnings)


def test_a_model_that_runs_on_nothing_drawn_gives_no_evidence() -> None:
    found = validated(Oracles(), Doubler(least=10**6))
    assert found.evidence is Evidence.NONE
    assert "No drawn batch" in found.warnings[0]
