"""Convolutional LSTMs against their equations, one position at a time where the window is 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.conv_lstm import conv_lstm
from transforms.reference.layers.convolution import CONVOLUTIONS

CONFIG: dict[str, Any] = {
    "filters": 2,
    "activation": "tanh",
    "recurrent_activation": "hard_sigmoid",
    "padding": "same",
    "return_sequences": True,
}


def arrays(*window: int) -> dict[str, Array]:
    return {
        "kernel": random_array(*window, 3, 8),
        "recurrent_kernel": random_array(*window, 2, 8),
        "bias": random_array(8),
    }


def slow(
    x: Array, weights: dict[str, Array], config: dict[str, Any], backend: str = "tensorflow"
) -> tuple[Array, Array]:
    """All outputs and the last c, gate by gate with the convolution layer: x (n, t, *spatial, c)."""
    rank = x.ndim - 3

    def convolved(value: Array, kernel: Array, options: dict[str, Any]) -> Array:
        call = layer_call(f"Conv{rank}D", value, options, {"kernel": kernel}, backend=backend)
        return CONVOLUTIONS[f"Conv{rank}D"](call)

    def gate(value: Array) -> Array:
        return np.clip(0.2 * value + 0.5, 0, 1)

    h = c = None
    outputs = []
    for step in range(x.shape[1]):
        parts = []
        for index in range(4):
            block = slice(2 * index, 2 * index + 2)
            part = convolved(
                x[:, step], weights["kernel"][..., block], {k: config[k] for k in ("padding", "strides") if k in config}
            )
            part = part + weights["bias"][block]
            if h is None or c is None:
                h = c = np.zeros_like(part)
            parts.append(part + convolved(h, weights["recurrent_kernel"][..., block], {"padding": "same"}))
        i, f, candidate, o = parts
        c = gate(f) * c + gate(i) * np.tanh(candidate)
        h = gate(o) * np.tanh(c)
        outputs.append(h)
    assert c is not None
    return np.stack(outputs, axis=1), c


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
@pytest.mark.parametrize(
    ("spatial", "window", "extra"),
    [
        ((6,), (3,), {}),
        ((4, 5), (3, 2), {}),
        ((4, 5), (3, 3), {"padding": "valid"}),
        ((5, 6), (3, 3), {"strides": [2, 2]}),
        ((3, 2, 4), (2, 1, 3), {}),
    ],
)
def test_sequences_match_the_equations(
    spatial: tuple[int, ...], window: tuple[int, ...], extra: dict[str, Any], backend: str
) -> None:
    x, weights, config = random_array(2, 3, *spatial, 3), arrays(*window), {**CONFIG, **extra}
    y, (h, c) = conv_lstm(layer_call("ConvLSTM", x, config, weights, backend=backend))
    expected, last_c = slow(x, weights, config, backend)
    np.testing.assert_allclose(y, expected)
    np.testing.assert_allclose(h, expected[:, -1])
    np.testing.assert_allclose(c, last_c)


def test_backwards_and_last_output() -> None:
    x, weights = random_array(2, 3, 4, 5, 3), arrays(3, 3)
    config = {**CONFIG, "go_backwards": True, "return_sequences": False}
    y, _ = conv_lstm(layer_call("ConvLSTM2D", x, config, weights))
    np.testing.assert_allclose(y, slow(x[:, ::-1], weights, CONFIG)[0][:, -1])


def test_channels_first_is_a_transposition() -> None:
    x, weights = random_array(2, 3, 4, 5, 3), arrays(3, 3)
    y, (h, c) = conv_lstm(layer_call("ConvLSTM2D", x, CONFIG, weights))
    config = {**CONFIG, "data_format": "channels_first"}
    states = [random_array(2, 2, 4, 5, seed=seed) for seed in (1, 2)]
    first, (h_first, c_first) = conv_lstm(layer_call("ConvLSTM2D", np.moveaxis(x, -1, 2), config, weights))
    np.testing.assert_allclose(first, np.moveaxis(y, -1, 2))
    np.testing.assert_allclose(h_first, np.moveaxis(h, -1, 1))
    np.testing.assert_allclose(c_first, np.moveaxis(c, -1, 1))
    given, _ = conv_lstm(layer_call("ConvLSTM2D", [np.moveaxis(x, -1, 2), *states], config, weights))
    moved = [np.moveaxis(state, 1, -1) for state in states]
    last, _ = conv_lstm(layer_call("ConvLSTM2D", [x, *moved], CONFIG, weights))
    np.testing.assert_allclose(given, np.moveaxis(last, -1, 2))


def test_states_carry_a_sequence_on() -> None:
    x, weights = random_array(2, 5, 4, 5, 3), arrays(3, 3)
    whole, _ = conv_lstm(layer_call("ConvLSTM2D", x, CONFIG, weights))
    _, states = conv_lstm(layer_call("ConvLSTM2D", x[:, :2], CONFIG, weights))
    rest, _ = conv_lstm(layer_call("ConvLSTM2D", [x[:, 2:], *states], CONFIG, weights))
    np.testing.assert_allclose(rest, whole[:, 2:])


def test_masked_steps_repeat_the_output_and_keep_the_states() -> None:
    x, weights = random_array(1, 4, 4, 5, 3), arrays(3, 3)
    mask = np.array([[False, True, False, True]])
    y, (h, c) = conv_lstm(layer_call("ConvLSTM2D", x, CONFIG, weights, masks=[mask], version="2.8.0"))
    seen, last_c = slow(x[:, [1, 3]], weights, CONFIG)
    np.testing.assert_allclose(y, np.stack([np.zeros_like(h), seen[:, 0], seen[:, 0], seen[:, 1]], axis=1))
    np.testing.assert_allclose(h, seen[:, 1])
    np.testing.assert_allclose(c, last_c)


@pytest.mark.parametrize(("mask_axes", "version", "inputs"), [(2, "2.2.4", 1), (4, "2.8.0", 1), (0, "2.2.4", 2)])
def test_what_is_not_known_is_not_answered(mask_axes: int, version: str, inputs: int) -> None:
    x = random_array(1, 2, 3, 3, 3)
    masks = [np.ones(x.shape[:mask_axes], dtype=bool)] if mask_axes else []
    states = [np.zeros((1, 3, 3, 2))] * (inputs - 1)
    with pytest.raises(NotCovered):
        conv_lstm(layer_call("ConvLSTM2D", [x, *states], CONFIG, arrays(3, 3), masks=masks, version=version))
