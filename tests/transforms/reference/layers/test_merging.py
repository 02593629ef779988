"""Layers that merge several inputs into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.merging import MERGING


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Add", [7, 3, 11]),
        ("Multiply", [8, 0, 36]),
        ("Average", [7 / 3, 1, 11 / 3]),
        ("Maximum", [4, 3, 6]),
        ("Minimum", [1, 0, 2]),
    ],
)
def test_elements(name: str, expected: list[float]) -> None:
    rows = [np.array([row], dtype=float) for row in ([1, 3, 2], [4, 0, 6], [2, 0, 3])]
    np.testing.assert_allclose(MERGING[name](layer_call(name, rows)), [expected])


def test_subtract_takes_two() -> None:
    x, y = random_array(2, 3), random_array(2, 3, seed=1)
    np.testing.assert_array_equal(MERGING["Subtract"](layer_call("Subtract", [x, y])), x - y)
    with pytest.raises(NotCovered):
        MERGING["Subtract"](layer_call("Subtract", [x, y, x]))


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
@pytest.mark.parametrize("swap", [False, True])
def test_lower_ranks_broadcast_after_the_batch_axis(name: str, swap: bool) -> None:
    # With batch, steps and channels all 3, NumPy would broadcast (n, c) as (1, n, c) without a word.
    low, high = random_array(3, 3), random_array(3, 3, 3)
    inputs = [low, high] if not swap else [high, low]
    expanded = [x[:, np.newaxis] if x.ndim == 2 else x for x in inputs]
    y = MERGING[name](layer_call(name, inputs))
    np.testing.assert_array_equal(y, MERGING[name](layer_call(name, expanded)))
    assert y.shape == (3, 3, 3)


@pytest.mark.parametrize(("axis", "expected"), [(-1, (2, 3, 8)), (1, (2, 6, 4)), (2, (2, 3, 8))])
def test_concatenate(axis: int, expected: tuple[int, ...]) -> None:
    call = layer_call("Concatenate", [random_array(2, 3, 4), random_array(2, 3, 4)], {"axis": axis})
    assert MERGING["Concatenate"](call).shape == expected


@pytest.mark.parametrize(
    ("shapes", "axes", "equation"),
    [
        (((4,), (4,)), 1, "na,na->n"),
        (((4,), (4,)), -1, "na,na->n"),
        (((3, 4), (3, 5)), 1, "nab,nac->nbc"),
        (((3, 4), (5, 4)), -1, "nab,ncb->nac"),
        (((3, 4), (4, 5)), [2, 1], "nab,nbc->nac"),
        (((3, 4), (4,)), [2, 1], "nab,nb->na"),
        (((3, 4), (3,)), 1, "nab,na->nb"),
        (((4,), (3, 4)), [1, 2], "na,nba->nb"),
    ],
)
@pytest.mark.parametrize("version", ["2.2.4", "2.3.1", "2.2.4-tf", "2.8.0"])
def test_dot(shapes: tuple[tuple[int, ...], ...], axes: Any, equation: str, version: str) -> None:
    x, y = (random_array(2, *shape, seed=seed) for seed, shape in enumerate(shapes))
    expected = np.einsum(equation, x, y)
    result = MERGING["Dot"](layer_call("Dot", [x, y], {"axes": axes}, version=version))
    np.testing.assert_allclose(result, expected.reshape(2, 1) if expected.ndim == 1 else expected)


@pytest.mark.parametrize(
    ("version", "backend", "product"),
    [
        # a matrix product over the last two axes, the axis before them paired
        ("2.2.4", "tensorflow", lambda x, y: np.einsum("npab,npbc->npac", x, y)),
        ("2.2.4-tf", "tensorflow", lambda x, y: np.einsum("npab,npbc->npac", x, y)),
        # a contraction, which keeps both
        ("2.3.1", "tensorflow", lambda x, y: np.einsum("npab,nqbc->npaqc", x, y)),
        ("2.2.4", "theano", lambda x, y: np.einsum("npab,nqbc->npaqc", x, y)),
        ("2.4.0", "tensorflow", lambda x, y: np.einsum("npab,nqbc->npaqc", x, y)),
    ],
)
def test_dot_of_four_axes_changed(version: str, backend: str, product: Callable[[Array, Array], Array]) -> None:
    x, y = random_array(2, 5, 3, 4), random_array(2, 5, 4, 3)
    call = layer_call("Dot", [x, y], {"axes": [3, 2]}, version=version, backend=backend)
    np.testing.assert_allclose(MERGING["Dot"](call), product(x, y))


@pytest.mark.parametrize(("backend", "floor"), [("tensorflow", 1e-12), ("theano", 1e-7)])
def test_dot_of_unit_vectors(backend: str, floor: float) -> None:
    x, y = np.array([[3.0, 4], [1e-5, 0]]), np.array([[4.0, 3], [1, 0]])
    call = layer_call("Dot", [x, y], {"axes": 1, "normalize": True}, backend=backend)
    np.testing.assert_allclose(MERGING["Dot"](call), [[0.96], [1e-5 / np.sqrt(max(1e-10, floor))]])


@pytest.mark.parametrize(
    ("config", "backend"), [({"axes": 0}, "tensorflow"), ({}, "tensorflow"), ({"axes": 1, "normalize": True}, "cntk")]
)
def test_what_is_not_known_is_not_answered(config: dict[str, Any], backend: str) -> None:
    with pytest.raises(NotCovered):
        MERGING["Dot"](layer_call("Dot", [random_array(2, 3), random_array(2, 3)], config, backend=backend))
