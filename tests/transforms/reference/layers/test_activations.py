"""Activations by name and by dictionary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.reference.layer_calls import layer_call
from transforms.reference.layer_call import NotCovered
from transforms.reference.layers.activations import ACTIVATIONS, activation_of, elu, relu, sigmoid, softmax

_POINTS = [-30.0, -3.0, -2.5, -1.0, -0.25, 0.0, 0.5, 1.0, 2.5, 4.0, 7.0, 30.0]
_CALL = layer_call("Activation", np.zeros((1, 1)), version="2.15.0")
_SELU = (1.6732632423543772, 1.0507009873554805)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("linear", lambda x: x),
        ("relu", lambda x: max(x, 0)),
        ("relu6", lambda x: min(max(x, 0), 6)),
        ("leaky_relu", lambda x: x if x > 0 else 0.2 * x),
        ("sigmoid", lambda x: 1 / (1 + math.exp(-x))),
        ("hard_sigmoid", lambda x: 0 if x <= -2.5 else 1 if x >= 2.5 else 0.2 * x + 0.5),
        ("tanh", math.tanh),
        ("softplus", lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0)),
        ("softsign", lambda x: x / (1 + abs(x))),
        ("elu", lambda x: x if x > 0 else math.exp(x) - 1),
        ("selu", lambda x: _SELU[1] * (x if x > 0 else _SELU[0] * (math.exp(x) - 1))),
        ("exponential", math.exp),
        ("swish", lambda x: x / (1 + math.exp(-x))),
        ("silu", lambda x: x / (1 + math.exp(-x))),
        ("gelu", lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        ("mish", lambda x: x * math.tanh(math.log1p(math.exp(-abs(x))) + max(x, 0))),
    ],
)
def test_values(name: str, formula: Any) -> None:
    found = activation_of(name, _CALL)(np.array(_POINTS))
    np.testing.assert_allclose(found, [formula(x) for x in _POINTS], rtol=1e-12, atol=1e-12)


def test_softmax_on_axes() -> None:
    x = np.log(np.array([[[1.0, 3.0], [2.0, 2.0]]]))
    np.testing.assert_allclose(softmax(x), [[[0.25, 0.75], [0.5, 0.5]]])
    np.testing.assert_allclose(softmax(x, axis=1), [[[1 / 3, 0.6], [2 / 3, 0.4]]])
    np.testing.assert_allclose(softmax(x, axis=(1, 2)), np.array([[[1, 3], [2, 2]]]) / 8)
    np.testing.assert_allclose(ACTIVATIONS["log_softmax"](x), np.log(softmax(x)))


def test_nothing_overflows() -> None:
    far = np.array([-1e4, 1e4])
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(sigmoid(far), [0, 1])
        np.testing.assert_array_equal(softmax(far), [0, 1])
        np.testing.assert_array_equal(elu(far), [-1, 1e4])


@pytest.mark.parametrize(
    ("x", "slope", "max_value", "threshold", "expected"),
    [
        (-2.0, 0.0, None, 0.0, 0.0),
        (-2.0, 0.1, None, 0.0, -0.2),
        (7.0, 0.0, 6.0, 0.0, 6.0),
        (7.0, 0.1, 6.0, 0.0, 6.0),
        # between zero and the threshold: slope * (x - threshold)
        (0.2, 0.5, None, 1.0, -0.4),
        (1.0, 0.0, None, 1.0, 0.0),
        # a negative threshold lets negative numbers through, unless a cap clips them
        (-0.4, 0.0, None, -0.5, -0.4),
        (-0.4, 0.0, 1.0, -0.5, 0.0),
        (-1.5, 0.2, 1.0, -0.5, -0.2),
    ],
)
def test_relu_in_the_order_of_keras(
    x: float, slope: float, max_value: float | None, threshold: float, expected: float
) -> None:
    np.testing.assert_allclose(relu(np.array([x]), slope, max_value, threshold), [expected], atol=1e-15)


@given(st.floats(-20, 20), st.sampled_from([0.0, 0.2]), st.sampled_from([None, 1.0, 6.0]), st.sampled_from([0.0, 1.0]))
def test_relu_is_what_its_documentation_says(x: float, slope: float, cap: float | None, threshold: float) -> None:
    """Keras: max_value for x >= max_value, x between threshold and max_value, slope * (x - threshold) below."""
    if x == threshold:
        return
    said = slope * (x - threshold) if x < threshold else x if cap is None or x < cap else cap
    np.testing.assert_allclose(relu(np.array([x]), slope, cap, threshold), [said], atol=1e-12)


@pytest.mark.parametrize(
    ("stored", "x", "expected"),
    [
        (None, -2.0, -2.0),
        ({"class_name": "LeakyReLU", "config": {"alpha": 0.25}}, -2.0, -0.5),
        ({"class_name": "LeakyReLU", "config": {}}, -2.0, -0.6),
        ({"class_name": "ELU", "config": {"alpha": 2.0}}, -1.0, 2 * (math.exp(-1) - 1)),
        ({"class_name": "ThresholdedReLU", "config": {"theta": 1.5}}, 1.0, 0.0),
        ({"class_name": "ReLU", "config": {"max_value": 1.0, "negative_slope": 0.0, "threshold": 0.0}}, 3.0, 1.0),
        ({"class_name": "function", "config": "relu", "registered_name": "function"}, -1.0, 0.0),
        ({"class_name": "Activation", "config": {"activation": "tanh"}}, 1.0, math.tanh(1)),
    ],
)
def test_stored_forms(stored: Any, x: float, expected: float) -> None:
    np.testing.assert_allclose(activation_of(stored, _CALL)(np.array([x])), [expected])


@pytest.mark.parametrize("stored", ["my_swish", 3, {"class_name": "Mine"}])
def test_what_nobody_knows_is_not_guessed(stored: Any) -> None:
    with pytest.raises(NotCovered, match="activation"):
        activation_of(stored, _CALL)


@pytest.mark.parametrize("name", ["swish", "gelu", "relu6"])
def test_standalone_keras_had_no_such_name(name: str) -> None:
    with pytest.raises(NotCovered):
        activation_of(name, layer_call("Activation", np.zeros((1, 1)), version="2.3.1"))


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"class_name": "LeakyReLU", "config": {"alpha": 0.5}}, [-1.0, 3.0]),
        ({"class_name": "ReLU", "config": {"max_value": math.inf}}, [0.0, 3.0]),
        ({"class_name": "PReLU", "config": {"shared_axes": None}}, [-0.5, 3.0]),
        ({"module": "keras.layers", "class_name": "ThresholdedReLU", "config": {"theta": 3.5}}, [0.0, 0.0]),
        ("LeakyReLU", [-0.6, 3.0]),
    ],
)
def test_layers_as_activations(stored: object, expected: list[float]) -> None:
    call = layer_call("Dense", np.zeros((1, 2)), weights={"alpha": np.array([0.25, 0.75])}, version="2.8.0")
    np.testing.assert_allclose(activation_of(stored, call)(np.array([[-2.0, 3.0]])), [expected])
