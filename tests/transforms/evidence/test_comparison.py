"""Element by element, and nothing hides."""

import numpy as np
import pytest

from transforms.evidence.comparison import compare_outputs


@pytest.mark.parametrize(
    ("actual", "evidence", "within"),
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0001, 2.0], [1.0, 2.0], True),
        ([1.0002, 2.0], [1.0, 2.0], False),
        ([1e-5, 0.0], [0.0, 0.0], True),
        ([2e-5, 0.0], [0.0, 0.0], False),
        ([np.nan, 2.0], [1.0, 2.0], False),
        ([1.0, 2.0], [np.nan, 2.0], False),
        ([np.nan, 2.0], [np.nan, 2.0], True),
        ([1.0], [1.0, 2.0], False),
    ],
)
def test_tolerance(actual: list[float], evidence: list[float], within: bool) -> None:
    found = compare_outputs(["out"], [np.array(actual)], [np.array(evidence)], rtol=1e-4, atol=1e-5)
    assert found.within is within
    assert ("out" in found.detail) is not within


def test_a_missing_output_is_a_difference() -> None:
    found = compare_outputs(["a", "b"], [np.ones(1), np.ones(1)], [np.ones(1)], 1e-4, 1e-5)
    assert not found.within
    assert found.max_abs_error == np.inf


def test_the_worst_output_counts() -> None:
    found = compare_outputs(["a", "b"], [np.ones(1), np.ones(1) * 3], [np.ones(1), np.ones(1)], 1e-4, 1e-5)
    assert found.max_abs_error == 2.0
    assert found.detail.startswith("b: off by 2")


@pytest.mark.parametrize(
    ("actual", "evidence", "rtol", "atol", "used"),
    [
        ([1.0], [1.0], 0.0, 0.0, 0.0),
        ([1.0, 2.0001], [1.0, 2.0], 1e-4, 0.0, 0.5),
        ([0.0, 1e-5], [0.0, 0.0], 1e-4, 1e-5, 1.0),
        ([1.0 + 1e-9], [1.0], 0.0, 0.0, np.inf),
        ([np.nan], [1.0], 1.0, 1.0, np.inf),
    ],
)
def test_tolerance_used(actual: list[float], evidence: list[float], rtol: float, atol: float, used: float) -> None:
    found = compare_outputs(["y"], [np.array(actual)], [np.array(evidence)], rtol, atol)
    assert found.tolerance_used == pytest.approx(used)
    assert found.within == (used <= 1)
