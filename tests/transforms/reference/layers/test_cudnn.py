"""The cuDNN cells, against loops over single numbers that read cuDNN's flat buffer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered, Refused
from transforms.reference.layers.cells import gru_cell, lstm_cell
from transforms.reference.layers.cudnn import gru_of_either_layout, lstm_of_either_layout
from transforms.reference.layers.recurrent import CELLS


def _weights(features: int, units: int, gates: int) -> dict[str, Array]:
    return {
        "kernel": random_array(features, gates * units),
        "recurrent_kernel": random_array(units, gates * units),
        "bias": random_array(2 * gates * units),
    }


def _gate(weights: dict[str, Array], gate: int, gates: int, x: Array, h: Array) -> tuple[list[float], list[float]]:
    """The two halves of one gate before its activation, W x + b and R h + b', number by number.

    The stored block of the kernel, read row by row, is cuDNN's matrix (u, d), read row by row.
    """
    features, units = len(x), len(h)
    columns = range(gate * units, (gate + 1) * units)
    kernel, recurrent, bias = weights["kernel"], weights["recurrent_kernel"], weights["bias"]
    buffer = [kernel[row, column] for row in range(features) for column in columns]
    driven = [
        sum(buffer[unit * features + d] * x[d] for d in range(features)) + bias[gate * units + unit]
        for unit in range(units)
    ]
    kept = [
        sum(recurrent[unit, column] * h[j] for j, column in enumerate(columns))
        + bias[gates * units + gate * units + unit]
        for unit in range(units)
    ]
    return driven, kept


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(("features", "units"), [(3, 2), (2, 3), (3, 3), (1, 1)])
def test_lstm(features: int, units: int) -> None:
    weights = _weights(features, units, 4)
    x, h, c = random_array(features), random_array(units, seed=1), random_array(units, seed=2)
    cell = lstm_of_either_layout(layer_call("CuDNNLSTM", np.zeros((1, 1, 1)), weights=weights))
    output, (new_h, new_c) = cell.step(cell.project(x[None]), (h[None], c[None]))
    i, f, g, o = ([a + b for a, b in zip(*_gate(weights, gate, 4, x, h), strict=True)] for gate in range(4))
    for unit in range(units):
        memory = _sigmoid(f[unit]) * c[unit] + _sigmoid(i[unit]) * math.tanh(g[unit])
        assert new_c[0, unit] == pytest.approx(memory)
        assert new_h[0, unit] == output[0, unit] == pytest.approx(_sigmoid(o[unit]) * math.tanh(memory))


@pytest.mark.parametrize(("features", "units"), [(3, 2), (2, 3), (3, 3), (1, 1)])
def test_gru(features: int, units: int) -> None:
    weights = _weights(features, units, 3)
    x, h = random_array(features), random_array(units, seed=1)
    cell = gru_of_either_layout(layer_call("CuDNNGRU", np.zeros((1, 1, 1)), weights=weights))
    output, (new_h,) = cell.step(cell.project(x[None]), (h[None],))
    (x_z, h_z), (x_r, h_r), (x_h, h_h) = (_gate(weights, gate, 3, x, h) for gate in range(3))
    for unit in range(units):
        z, r = _sigmoid(x_z[unit] + h_z[unit]), _sigmoid(x_r[unit] + h_r[unit])
        candidate = math.tanh(x_h[unit] + r * h_h[unit])
        assert new_h[0, unit] == output[0, unit] == pytest.approx((1 - z) * candidate + z * h[unit])


@pytest.mark.parametrize("square", [True, False])
def test_the_layouts_of_cudnn_and_keras_differ(square: bool) -> None:
    """The same arrays read as those of a Keras layer give something else, d == u or not."""
    features, units = (3, 3) if square else (2, 3)
    weights = _weights(features, units, 4)
    summed = {**weights, "bias": weights["bias"][:12] + weights["bias"][12:]}
    config = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    stored = lstm_of_either_layout(layer_call("CuDNNLSTM", np.zeros((1, 1, 1)), weights=weights))
    misread = lstm_cell(layer_call("LSTM", np.zeros((1, 1, 1)), config, summed))
    x = random_array(4, features)
    assert np.abs(stored.project(x) + np.split(weights["bias"], 2)[1] - misread.project(x)).max() > 0.1


def test_a_bias_of_another_layer() -> None:
    weights = {**_weights(3, 2, 4), "bias": random_array(9)}
    with pytest.raises(NotCovered, match="bias"):
        lstm_of_either_layout(layer_call("CuDNNLSTM", np.zeros((1, 1, 1)), weights=weights))


def test_gru_of_one_feature_and_one_unit_is_the_keras_gru_with_reset_after() -> None:
    """Where no layout can differ, the equations must be the same."""
    weights = _weights(1, 1, 3)
    config = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}
    keras = gru_cell(layer_call("GRU", np.zeros((1, 1, 1)), config, {**weights, "bias": weights["bias"].reshape(2, 3)}))
    cudnn = gru_of_either_layout(layer_call("CuDNNGRU", np.zeros((1, 1, 1)), weights=weights))
    x, h = random_array(5, 1), random_array(5, 1, seed=1)
    np.testing.assert_allclose(keras.step(keras.project(x), (h,))[0], cudnn.step(cudnn.project(x), (h,))[0])


CONFIG = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}


@pytest.mark.parametrize(("layer", "gates", "biases"), [("LSTM", 4, (8,)), ("GRU", 3, (2, 6))], ids=["LSTM", "GRU"])
def test_weights_of_either_kind_under_either_class(layer: str, gates: int, biases: tuple[int, ...]) -> None:
    """The layer computes what the class says, from arrays in the layout that the bias tells."""
    ours = {**_weights(3, 2, gates), "bias": random_array(*biases)}
    states = tuple(random_array(5, 2, seed=seed) for seed in range(2 if layer == "LSTM" else 1))
    x = random_array(5, 3)
    for weights in (_weights(3, 2, gates), ours):
        found = []
        for class_name, config in ((layer, CONFIG), (f"CuDNN{layer}", {})):
            cell = CELLS[class_name](layer_call(class_name, np.zeros((1, 1, 1)), config, weights))
            found.append(cell.step(cell.project(x), states)[0])
        np.testing.assert_allclose(found[0], found[1])


def test_a_gru_that_resets_before_the_product_takes_no_weights_of_cudnn() -> None:
    call = layer_call("GRU", np.zeros((1, 1, 1)), {**CONFIG, "reset_after": False}, _weights(3, 2, 3))
    with pytest.raises(Refused, match="resets before"):
        CELLS["GRU"](call)
