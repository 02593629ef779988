"""Matrices and special functions, on values that are known otherwise."""

import math

import numpy as np
import pytest

from transforms.reference.functions.linear_algebra import LINEAR_ALGEBRA
from transforms.reference.layer_call import NotCovered

EULER = 0.5772156649015329


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (1.0, -EULER),
        (0.5, -EULER - 2 * math.log(2)),
        (2.0, 1 - EULER),
        (-0.5, 2 - EULER - 2 * math.log(2)),
        (30.0, 3.384438),
    ],
)
def test_digamma(x: float, expected: float) -> None:
    np.testing.assert_allclose(LINEAR_ALGEBRA["math.digamma"](np.array([x])), [expected], rtol=1e-6)


def test_erfinv_inverts_erf() -> None:
    x = np.array([-1.5, -0.2, 0.0, 0.7])
    erf = np.array([math.erf(each) for each in x])
    np.testing.assert_allclose(LINEAR_ALGEBRA["math.erfinv"](erf), x, atol=1e-12)


def test_entries_are_replaced() -> None:
    found = LINEAR_ALGEBRA["tensor_scatter_nd_update"](np.zeros((2, 2)), [[0, 1], [1, 0]], np.array([3.0, 4.0]))
    np.testing.assert_array_equal(found, [[0, 3], [4, 0]])


def test_one_entry_replaced_twice_is_not_covered() -> None:
    with pytest.raises(NotCovered, match="several updates"):
        LINEAR_ALGEBRA["tensor_scatter_nd_update"](np.zeros(2), [[0], [0]], np.array([3.0, 4.0]))
