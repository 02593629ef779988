"""Agreement is evidence only where something else would have disagreed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.evidence.comparison import compare_outputs
from transforms.evidence.discrimination import bounded_atol, tells_apart

RTOL, ATOL = 1e-4, 1e-5


def tells(values: Any, *others: Any, rtol: float = RTOL) -> bool:
    return tells_apart(np.asarray(values), [np.asarray(other) for other in others], rtol, ATOL)


@pytest.mark.parametrize(
    ("values", "others", "expected"),
    [
        ([[0.1, 0.9], [0.4, 0.6]], [], True),
        ([[0.0], [0.0]], [], False),  # a dead ReLU
        ([[1.0], [1.0], [1.00001]], [], False),
        ([[0.5, 0.5]], [], False),
        ([[0.7]], [[[0.7], [0.7]]], False),
        ([[0.7]], [[[0.2], [0.7]]], True),
        ([[0.7]], [], False),
        ([[1e-6], [3e-6]], [], True),  # below atol: as telling as any, since atol is bound to their size
        ([[np.nan], [1.0], [1.0]], [], False),
        ([[3], [3]], [], False),
        ([[3], [4]], [], True),
        ([[b"a"], [b"a"]], [], False),
        ([[b"a"], [b"b"]], [], True),
    ],
)
def test_what_could_tell_a_wrong_artefact(values: Any, others: list[Any], expected: bool) -> None:
    assert tells(values, *others) is expected


def test_a_tolerance_that_admits_everything_tells_nothing() -> None:
    assert not tells([[0.1], [0.9]], rtol=1e9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8), st.floats(-1e6, 1e6))
def test_where_something_is_told_no_constant_agrees(values: list[float], constant: float) -> None:
    expected = np.array(values)
    if tells(expected):
        given_by_another = np.full(len(values), constant)
        assert not compare_outputs(["y"], [given_by_another], [expected], RTOL, ATOL, bounded=True).within


@pytest.mark.parametrize(("largest", "atol"), [(1.0, 1e-5), (1e-3, 1e-5), (1e-4, 1e-6), (0.0, 0.0)])
def test_atol_is_bound_to_the_size_of_the_outputs(largest: float, atol: float) -> None:
    assert bounded_atol(np.array([largest, -largest / 2, np.nan]), 1e-5) == pytest.approx(atol)


def test_outputs_below_atol_are_compared_for_what_they_are() -> None:
    expected, wrong = np.array([1e-6, 2e-6]), np.array([2e-6, 1e-6])
    assert compare_outputs(["y"], [wrong], [expected], RTOL, ATOL).within
    assert not compare_outputs(["y"], [wrong], [expected], RTOL, ATOL, bounded=True).within


@pytest.mark.parametrize("other", [-np.inf, np.nan])
def test_an_infinity_is_no_other_one(other: float) -> None:
    assert not compare_outputs(["y"], [np.array([other, 1.0])], [np.array([np.inf, 1.0])], RTOL, ATOL).within
