"""Dense layers, Embedding, PReLU and BatchNormalization of Keras 1 against literal numbers and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.keras_1.core_layers import KERAS_1_CORE_LAYERS
from transforms.reference.layer_call import Array, NotCovered


def run(
    class_name: str, x: Array, config: dict[str, Any] | None = None, weights: dict[str, Array] | None = None
) -> Array:
    return KERAS_1_CORE_LAYERS[class_name](layer_call(class_name, x, config, weights, version="1.2.2"))


@pytest.mark.parametrize("class_name", ["Dense", "TimeDistributedDense"])
def test_dense_maps_the_last_axis(class_name: str) -> None:
    weights = {"W": np.array([[1.0, 10], [2, 20]]), "b": np.array([0.5, -100])}
    y = run(class_name, np.array([[[1.0, 1], [0, 3]]]), {"activation": "relu"}, weights)
    assert y.tolist() == [[[3.5, 0], [6.5, 0]]]


def test_dense_without_a_bias() -> None:
    y = run("Dense", np.array([[2.0, 1]]), {"bias": False}, {"W": np.array([[1.0], [10]])})
    assert y.tolist() == [[12]]


@pytest.mark.parametrize("bias", [True, False])
def test_highway_carries_what_it_does_not_transform(bias: bool) -> None:
    x = random_array(3, 2)
    weights = {role: random_array(2, 2, seed=seed) for seed, role in enumerate(("W", "W_carry"), start=1)}
    if bias:
        weights |= {"b": np.array([0.3, -1.0]), "b_carry": np.array([2.0, -2.0])}
    y = run("Highway", x, {"activation": "tanh", "bias": bias}, weights)
    for n in range(3):
        for u in range(2):
            inner = sum(x[n, d] * weights["W"][d, u] for d in range(2)) + (weights["b"][u] if bias else 0)
            carry = sum(x[n, d] * weights["W_carry"][d, u] for d in range(2)) + (weights["b_carry"][u] if bias else 0)
            gate = 1 / (1 + np.exp(-carry))
            assert y[n, u] == pytest.approx(gate * np.tanh(inner) + (1 - gate) * x[n, u])


def test_maxout_takes_the_largest_piece() -> None:
    # three pieces of one input: x, -x, and 1
    weights = {"W": np.array([1.0, -1, 0]).reshape(3, 1, 1), "b": np.array([0.0, 0, 1]).reshape(3, 1)}
    assert run("MaxoutDense", np.array([[3.0], [-4], [0.5]]), {}, weights).ravel().tolist() == [3, 4, 1]


def test_embedding_looks_rows_up() -> None:
    table = random_array(4, 2)
    assert run("Embedding", np.array([[0, 3.0]]), {"dropout": 0.5}, {"W": table}).tolist() == [
        [table[0].tolist(), table[3].tolist()]
    ]


def test_embedding_of_an_unknown_id() -> None:
    with pytest.raises(NotCovered, match="vocabulary of 4"):
        run("Embedding", np.array([[4]]), {}, {"W": random_array(4, 2)})


def test_prelu_with_slopes_shared_over_time() -> None:
    x = np.array([[[-1.0, -2], [3, -4]]])
    assert run("PReLU", x, {}, {"alphas": np.array([[0.5, 2.0]])}).tolist() == [[[-0.5, -4], [3, -8]]]


@pytest.mark.parametrize("axis", [-1, 1])
def test_running_std_is_the_variance(axis: int) -> None:
    roles = ("gamma", "beta", "running_mean", "running_std")
    weights = {role: np.abs(random_array(3, seed=seed)) for seed, role in enumerate(roles)}
    x = random_array(2, 3, 3)
    y = run("BatchNormalization", x, {"mode": 0, "axis": axis, "epsilon": 1e-6}, weights)
    for place in np.ndindex(*x.shape):
        gamma, beta, mean, variance = (weights[role][place[axis]] for role in roles)
        assert y[place] == pytest.approx((x[place] - mean) / np.sqrt(variance + 1e-6) * gamma + beta)


def test_mode_1_normalizes_each_vector_and_counts_epsilon_twice() -> None:
    # mean 2, variance 1: 1 / (sqrt(1 + 3) + 3) = 0.2
    weights = {"gamma": np.array([1.0, 10]), "beta": np.array([0.0, 1])}
    y = run("BatchNormalization", np.array([[1.0, 3]]), {"mode": 1, "epsilon": 3.0}, weights)
    np.testing.assert_allclose(y, [[-0.2, 3.0]])


def test_mode_2_depends_on_the_batch() -> None:
    with pytest.raises(NotCovered, match="mode 2"):
        run("BatchNormalization", np.ones((1, 2)), {"mode": 2})
