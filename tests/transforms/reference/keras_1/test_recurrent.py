"""The recurrent cells of Keras 1, stored gate by gate and joined, against one-sample loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import tanh

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.keras_1.recurrent import KERAS_1_CELLS, read_conv_lstm
from transforms.reference.layer_call import Array
from transforms.reference.layers.conv_lstm import conv_lstm
from transforms.reference.layers.recurrent import recurrent
from transforms.reference.masks.masked_steps import MaskedOutput

GATES = {"SimpleRNN": "h", "GRU": "zrh", "LSTM": "ifco"}
FEATURES, UNITS = 3, 2


def separate(class_name: str) -> dict[str, Array]:
    """One array of each letter for every gate, all different."""
    shapes = {"W": (FEATURES, UNITS), "U": (UNITS, UNITS), "b": (UNITS,)}
    return {
        f"{letter}_{gate}": random_array(*shape, seed=10 * index + ord(letter))
        for index, gate in enumerate(GATES[class_name])
        for letter, shape in shapes.items()
    }


def joined(class_name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """As consume_less="gpu" stores them."""
    return {
        letter: np.concatenate([arrays[f"{letter}_{gate}"] for gate in GATES[class_name]], axis=-1) for letter in "WUb"
    }


def hard(value: float) -> float:
    return min(max(0.2 * value + 0.5, 0.0), 1.0)


def loop(class_name: str, arrays: Mapping[str, Array], x: Array, mask: Array) -> Array:
    """One sample, unit by unit; at a masked step everything stays. Outputs (t, u)."""
    h, c, outputs = [0.0] * UNITS, [0.0] * UNITS, []
    for step, counts in zip(x, mask, strict=True):

        def gate(name: str, unit: int, held: list[float], step: Array = step) -> float:
            w, u, b = (arrays[f"{letter}_{name}"] for letter in "WUb")
            inner = sum(held[k] * u[k, unit] for k in range(UNITS))
            return float(sum(step[d] * w[d, unit] for d in range(FEATURES)) + inner + b[unit])

        units = range(UNITS)
        if class_name == "SimpleRNN":
            new_h, new_c = [tanh(gate("h", k, h)) for k in units], c
        elif class_name == "GRU":
            z, reset = ([hard(gate(name, k, h)) for k in units] for name in "zr")
            kept = [reset[k] * h[k] for k in units]
            new_h, new_c = [z[k] * h[k] + (1 - z[k]) * tanh(gate("h", k, kept)) for k in units], c
        else:
            new_c = [hard(gate("f", k, h)) * c[k] + hard(gate("i", k, h)) * tanh(gate("c", k, h)) for k in units]
            new_h = [hard(gate("o", k, h)) * tanh(new_c[k]) for k in units]
        if counts:
            h, c = new_h, new_c
        outputs.append(h)
    return np.array(outputs)


@pytest.mark.parametrize("class_name", GATES)
@pytest.mark.parametrize("consume_less", ["cpu", "mem", "gpu"])
@pytest.mark.parametrize("backwards", [False, True])
def test_layers_match_loops(class_name: str, consume_less: str, backwards: bool) -> None:
    arrays = separate(class_name)
    x = random_array(3, 4, FEATURES)
    mask = np.array([[1, 1, 1, 0], [0, 1, 1, 1], [1, 0, 1, 1]], dtype=bool)
    together = consume_less == "gpu" or class_name == "SimpleRNN"
    config = {"consume_less": consume_less, "return_sequences": True, "go_backwards": backwards}
    call = layer_call(
        class_name, x, config, joined(class_name, arrays) if together else arrays, masks=(mask,), version="1.2.2"
    )
    (y,) = recurrent(call, KERAS_1_CELLS[class_name](call), MaskedOutput.STATE)
    order = slice(None, None, -1) if backwards else slice(None)
    np.testing.assert_allclose(
        y, [loop(class_name, arrays, one[order], m[order]) for one, m in zip(x, mask, strict=True)]
    )


def test_the_gates_use_the_inner_activation() -> None:
    x = random_array(1, 3, FEATURES)
    call = layer_call("LSTM", x, {}, separate("LSTM"), version="1.2.2")
    results = []
    for inner in ("hard_sigmoid", "sigmoid"):
        chosen = replace(call, config={"inner_activation": inner})
        results.append(recurrent(chosen, KERAS_1_CELLS["LSTM"](chosen), MaskedOutput.STATE)[0])
    assert np.abs(results[0] - results[1]).max() > 1e-3


@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_conv_lstm_of_one_pixel_is_an_lstm(ordering: str) -> None:
    """Windows of 1 x 1 on an image of 1 x 1 leave the equations of the LSTM."""
    arrays = separate("LSTM")
    x = random_array(2, 4, FEATURES)
    lstm = layer_call("LSTM", x, {}, arrays, version="1.2.2")
    (expected,) = recurrent(lstm, KERAS_1_CELLS["LSTM"](lstm), MaskedOutput.STATE)
    if ordering == "th":
        kernels = {role: a.T[..., np.newaxis, np.newaxis] for role, a in arrays.items() if a.ndim == 2}
        images = x[..., np.newaxis, np.newaxis]
    else:
        kernels = {role: a[np.newaxis, np.newaxis] for role, a in arrays.items() if a.ndim == 2}
        images = x[:, :, np.newaxis, np.newaxis]
    config = {"dim_ordering": ordering, "border_mode": "valid"}
    call = layer_call("ConvLSTM2D", images, config, {**arrays, **kernels}, version="1.2.2")
    output, _ = conv_lstm(read_conv_lstm(call))
    np.testing.assert_allclose(output.reshape(2, UNITS), expected)
