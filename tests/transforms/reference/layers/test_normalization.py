"""Batch, layer and unit normalization, and rescaling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.normalization import NORMALIZATION
from transforms.reference.layers.preprocessing import PREPROCESSING


def statistics(channels: int) -> dict[str, Array]:
    return {"moving_mean": random_array(channels), "moving_variance": random_array(channels, seed=1) ** 2 + 0.1}


@pytest.mark.parametrize("axis", [-1, 3, 1, [1], [3]])
@pytest.mark.parametrize("name", ["BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2"])
def test_batch_normalization_along_an_axis(name: str, axis: Any) -> None:
    x = random_array(2, 4, 5, 4)
    weights = {**statistics(4), "gamma": random_array(4, seed=2), "beta": random_array(4, seed=3)}
    y = NORMALIZATION[name](layer_call(name, x, {"axis": axis, "epsilon": 0.01}, weights))
    place = 1 if axis in (1, [1]) else 3
    for channel in range(4):
        mean, variance, gamma, beta = (
            weights[role][channel] for role in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        expected = (x.take(channel, place) - mean) / np.sqrt(variance + 0.01) * gamma + beta
        np.testing.assert_allclose(y.take(channel, place), expected)


@pytest.mark.parametrize("present", [(), ("gamma",), ("beta",)])
def test_scale_and_center_are_optional(present: tuple[str, ...]) -> None:
    x, extra = random_array(3, 4), {role: random_array(4, seed=5) for role in present}
    weights = {**statistics(4), **extra}
    y = NORMALIZATION["BatchNormalization"](layer_call("BatchNormalization", x, {"epsilon": 0.1}, weights))
    normed = (x - weights["moving_mean"]) / np.sqrt(weights["moving_variance"] + 0.1)
    np.testing.assert_allclose(y, normed * extra.get("gamma", 1) + extra.get("beta", 0))


def test_several_axes_of_tf_keras() -> None:
    x = random_array(2, 3, 4, 5)
    weights = {"moving_mean": random_array(1, 3, 4, 1), "moving_variance": random_array(1, 3, 4, 1) ** 2 + 0.1}
    call = layer_call("BatchNormalization", x, {"axis": [1, 2], "epsilon": 0.1}, weights, version="2.4.0")
    expected = (x - weights["moving_mean"]) / np.sqrt(weights["moving_variance"] + 0.1)
    np.testing.assert_allclose(NORMALIZATION["BatchNormalization"](call), expected)


@pytest.mark.parametrize(
    ("version", "backend", "shape", "axis", "expected"),
    [
        ("2.2.4", "tensorflow", (1, 1, 1, 1), -1, 1.001e-5),
        ("2.1.6", "tensorflow", (1, 1, 1, 1), -1, 1e-6),
        ("2.2.4", "tensorflow", (1, 1), -1, 1e-6),
        ("2.2.4", "cntk", (1, 1, 1, 1), -1, 1e-6),
        ("2.2.4-tf", "tensorflow", (1, 1, 1, 1), 1, 1.001e-5),
        ("2.2.4-tf", "tensorflow", (1, 1, 1, 1, 1), -1, 1e-6),
        ("2.8.0", "tensorflow", (1, 1, 1, 1, 1), -1, 1.001e-5),
        ("2.8.0", "tensorflow", (1, 1, 1, 1), 2, 1e-6),
        ("2.15.0", "tensorflow", (1, 1, 1, 1), 3, 1e-6),
    ],
)
def test_the_fused_kernel_raises_epsilon(
    version: str, backend: str, shape: tuple[int, ...], axis: int, expected: float
) -> None:
    weights = {"moving_mean": np.zeros(1), "moving_variance": np.zeros(1)}
    config = {"axis": axis, "epsilon": 1e-6}
    call = layer_call("BatchNormalization", np.ones(shape), config, weights, version=version, backend=backend)
    np.testing.assert_allclose(NORMALIZATION["BatchNormalization"](call), np.full(shape, expected**-0.5))


@pytest.mark.parametrize("axis", [-1, 1, [1, 2], [2, 1, 3]])
def test_layer_normalization(axis: Any) -> None:
    x = random_array(2, 3, 4, 5)
    axes = tuple(sorted(axis) if isinstance(axis, list) else [axis % 4])
    gamma = random_array(*(x.shape[a] for a in axes))
    call = layer_call("LayerNormalization", x, {"axis": axis, "epsilon": 0.1}, {"gamma": gamma}, version="2.8.0")
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    placed = gamma.reshape([x.shape[a] if a in axes else 1 for a in range(4)])
    np.testing.assert_allclose(NORMALIZATION["LayerNormalization"](call), (x - mean) / np.sqrt(variance + 0.1) * placed)


def test_unit_normalization() -> None:
    call = layer_call("UnitNormalization", np.array([[3.0, 4], [0, 0]]), {"axis": -1}, version="2.9.0")
    np.testing.assert_allclose(NORMALIZATION["UnitNormalization"](call), np.array([[0.6, 0.8], [0, 0]]))


def test_rescaling() -> None:
    call = layer_call("Rescaling", np.array([[0, 255]]), {"scale": 2 / 255, "offset": -1}, version="2.8.0")
    np.testing.assert_allclose(NORMALIZATION["Rescaling"](call), [[-1, 1]])


def test_normalization_by_its_weights() -> None:
    x, weights = random_array(5, 3), {"mean": random_array(3), "variance": np.array([1.0, 4, 0])}
    y = PREPROCESSING["Normalization"](layer_call("Normalization", x, {"axis": -1}, weights, version="2.8.0"))
    np.testing.assert_allclose(y, (x - weights["mean"]) / [1, 2, 1e-7])


@pytest.mark.parametrize(
    ("name", "config", "version", "backend"),
    [
        ("BatchNormalization", {"mode": 2}, "1.2.2", "tensorflow"),
        ("BatchNormalization", {"axis": 1, "epsilon": 1e-6}, "2.2.4", "tensorflow"),
        ("BatchNormalization", {"epsilon": 1e-6}, "2.12.0", "tensorflow"),
        ("BatchNormalization", {"epsilon": 1e-6}, "2.2.4", "theano"),
    ],
)
def test_what_is_not_known_is_not_answered(name: str, config: dict[str, Any], version: str, backend: str) -> None:
    call = layer_call(name, random_array(1, 2, 2, 2), config, statistics(2), version=version, backend=backend)
    with pytest.raises(NotCovered):
        NORMALIZATION[name](call)
