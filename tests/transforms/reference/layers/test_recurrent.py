"""Cells and the loop over time, against loops over single samples, steps and numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered, Refused
from transforms.reference.layers.cells import Cell, gru_cell, lstm_cell, simple_rnn_cell, stacked_cells
from transforms.reference.layers.recurrent import CELLS, recurrent
from transforms.reference.masks.masked_steps import MaskedOutput

_GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
_UNITS, _FEATURES = 2, 3


def _weights(class_name: str, reset_after: bool = False, features: int = _FEATURES) -> dict[str, Array]:
    width = _GATES[class_name] * _UNITS
    bias = random_array(2, width) if reset_after else random_array(width)
    return {"kernel": random_array(features, width), "recurrent_kernel": random_array(_UNITS, width), "bias": bias}


def _config(class_name: str, **options: Any) -> dict[str, Any]:
    return {"activation": "tanh", "recurrent_activation": "hard_sigmoid", **options}


def _cell(class_name: str, reset_after: bool = False, features: int = _FEATURES) -> Cell:
    weights = _weights(class_name, reset_after, features)
    return CELLS[class_name](layer_call(class_name, np.zeros((1, 1, 1)), _config(class_name), weights))


def _run(
    class_name: str, inputs: list[Array], mask: Array | None = None, how: Any = MaskedOutput.PREVIOUS, **options: Any
) -> tuple[Array, ...]:
    masks = [mask, *[None] * (len(inputs) - 1)]
    call = layer_call(class_name, inputs, _config(class_name, **options), _weights(class_name), masks=masks)
    return recurrent(call, CELLS[class_name](call), how)


def _hard_sigmoid(x: float) -> float:
    return min(max(0.2 * x + 0.5, 0.0), 1.0)


def _columns(weights: dict[str, Array], gate: int, unit: int, x: Array, h: Array, row: int = 0) -> tuple[float, float]:
    """One number of W x + b, and the same of R h, for a gate and a unit."""
    at = gate * _UNITS + unit
    bias = weights["bias"][row] if weights["bias"].ndim == 2 else weights["bias"]
    driven = sum(x[d] * weights["kernel"][d, at] for d in range(len(x))) + bias[at]
    return float(driven), float(sum(h[j] * weights["recurrent_kernel"][j, at] for j in range(_UNITS)))


def test_lstm_by_hand() -> None:
    weights = _weights("LSTM")
    x, h, c = random_array(_FEATURES), random_array(_UNITS, seed=1), random_array(_UNITS, seed=2)
    cell = _cell("LSTM")
    output, states = cell.step(cell.project(x[None]), (h[None], c[None]))
    for unit in range(_UNITS):
        i, f, g, o = (sum(_columns(weights, gate, unit, x, h)) for gate in range(4))
        memory = _hard_sigmoid(f) * c[unit] + _hard_sigmoid(i) * math.tanh(g)
        assert states[1][0, unit] == pytest.approx(memory)
        assert output[0, unit] == states[0][0, unit] == pytest.approx(_hard_sigmoid(o) * math.tanh(memory))


@pytest.mark.parametrize("reset_after", [False, True])
def test_gru_by_hand(reset_after: bool) -> None:
    weights = _weights("GRU", reset_after)
    x, h = random_array(_FEATURES), random_array(_UNITS, seed=1)
    cell = _cell("GRU", reset_after)
    output, (state,) = cell.step(cell.project(x[None]), (h[None],))
    second = weights["bias"][1] if reset_after else np.zeros(3 * _UNITS)
    z, r = (
        [
            _hard_sigmoid(sum(_columns(weights, gate, unit, x, h)) + second[gate * _UNITS + unit])
            for unit in range(_UNITS)
        ]
        for gate in (0, 1)
    )
    for unit in range(_UNITS):
        driven, kept = _columns(weights, 2, unit, x, h if reset_after else np.array(r) * h)
        if reset_after:
            kept = r[unit] * (kept + second[2 * _UNITS + unit])
        assert (
            output[0, unit]
            == state[0, unit]
            == pytest.approx(z[unit] * h[unit] + (1 - z[unit]) * math.tanh(driven + kept))
        )


def test_simple_rnn_by_hand() -> None:
    weights = _weights("SimpleRNN")
    x, h = random_array(_FEATURES), random_array(_UNITS, seed=1)
    cell = _cell("SimpleRNN")
    expected = [math.tanh(sum(_columns(weights, 0, unit, x, h))) for unit in range(_UNITS)]
    np.testing.assert_allclose(cell.step(cell.project(x[None]), (h[None],))[0][0], expected)


def test_gates_with_softmax_are_each_their_own() -> None:
    """Softmax over two gates at once would tie them together."""
    call = layer_call("GRU", np.zeros((1, 1, 1)), _config("GRU", recurrent_activation="softmax"), _weights("GRU"))
    cell = gru_cell(call)
    x, h = random_array(1, _FEATURES), np.zeros((1, _UNITS))
    driven = cell.project(x)[0]
    z = np.exp(driven[:2]) / np.exp(driven[:2]).sum()
    np.testing.assert_allclose(cell.step(cell.project(x), (h,))[0][0], (1 - z) * np.tanh(driven[4:]))


@pytest.mark.parametrize("class_name", sorted(_GATES))
@pytest.mark.parametrize("backwards", [False, True])
def test_a_sequence_is_its_steps(class_name: str, backwards: bool) -> None:
    x = random_array(3, 4, _FEATURES)
    sequence, *states = _run(class_name, [x], go_backwards=backwards, return_sequences=True, return_state=True)
    cell = _cell(class_name)
    for sample in range(3):
        held = tuple(np.zeros((1, _UNITS)) for _ in cell.state_sizes)
        steps = x[sample, ::-1] if backwards else x[sample]
        for time, step in enumerate(steps):
            output, held = cell.step(cell.project(step[None]), held)
            np.testing.assert_allclose(sequence[sample, time], output[0])
        for state, expected in zip(states, held, strict=True):
            np.testing.assert_allclose(state[sample], expected[0])
    (last,) = _run(class_name, [x], go_backwards=backwards)
    np.testing.assert_array_equal(last, sequence[:, -1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=4, max_size=4), st.sampled_from(sorted(_GATES)), st.booleans())
def test_states_skip_masked_steps(mask: list[bool], class_name: str, backwards: bool) -> None:
    """The states after a masked sequence are those after the steps that count."""
    x = random_array(1, 4, _FEATURES)
    options = {"go_backwards": backwards, "return_state": True}
    masked = _run(class_name, [x], np.array([mask]), **options)
    if any(mask):
        short = _run(class_name, [x[:, mask]], **options)
        for found, expected in zip(masked[1:], short[1:], strict=True):
            np.testing.assert_allclose(found, expected)
    else:
        assert not any(state.any() for state in masked[1:])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        # h is the initial state, 1 and 2 the outputs of the steps that count
        (MaskedOutput.PREVIOUS, ["0", "1", "1", "2", "2"]),
        (MaskedOutput.STATE, ["h", "1", "1", "2", "2"]),
        (MaskedOutput.ZERO, ["0", "1", "0", "2", "0"]),
    ],
)
def test_masked_outputs(how: MaskedOutput, expected: list[str]) -> None:
    x, h = random_array(1, 5, _FEATURES), random_array(1, _UNITS)
    mask = np.array([[False, True, False, True, False]])
    sequence, state = _run("GRU", [x, h], mask, how, return_sequences=True, return_state=True)
    (counted,) = _run("GRU", [x[:, [1, 3]], h], return_sequences=True)
    known = {"0": np.zeros(_UNITS), "h": h[0], "1": counted[0, 0], "2": counted[0, 1]}
    np.testing.assert_allclose(sequence[0], [known[name] for name in expected])
    np.testing.assert_allclose(state[0], counted[0, 1])
    (last,) = _run("GRU", [x, h], mask, how)
    np.testing.assert_array_equal(last, sequence[:, -1])


def test_an_unrolled_backward_sequence_is_zeroed_by_the_mask_as_it_came() -> None:
    x = random_array(1, 3, _FEATURES)
    mask = np.array([[True, True, False]])
    options = {"go_backwards": True, "return_sequences": True}
    (repeated,) = _run("SimpleRNN", [x], mask, **options)
    (zeroed,) = _run("SimpleRNN", [x], mask, MaskedOutput.ZERO, unroll=True, **options)
    np.testing.assert_array_equal(zeroed, repeated * np.array([1, 1, 0])[None, :, None])


def test_time_major() -> None:
    x = random_array(3, 4, _FEATURES)
    (expected,) = _run("LSTM", [x], return_sequences=True)
    (found,) = _run("LSTM", [np.swapaxes(x, 0, 1)], return_sequences=True, time_major=True)
    np.testing.assert_array_equal(np.swapaxes(found, 0, 1), expected)


@pytest.mark.parametrize("reverse", [False, True])
def test_stacked_cells(reverse: bool) -> None:
    """Each cell's output is the next one's input; the order of the states is the only difference."""
    lstm, gru = _cell("LSTM"), _cell("GRU", features=_UNITS)
    stack = stacked_cells([lstm, gru], reverse)
    x, h, c, k = random_array(2, _FEATURES), *(random_array(2, _UNITS, seed=seed) for seed in (1, 2, 3))
    middle, (new_h, new_c) = lstm.step(lstm.project(x), (h, c))
    expected, (new_k,) = gru.step(gru.project(middle), (k,))
    states = (k, h, c) if reverse else (h, c, k)
    output, new_states = stack.step(stack.project(x), states)
    np.testing.assert_allclose(output, expected)
    for found, wanted in zip(new_states, (new_k, new_h, new_c) if reverse else (new_h, new_c, new_k), strict=True):
        np.testing.assert_allclose(found, wanted)


def test_masked_stack_whose_first_state_is_not_the_output() -> None:
    """`K.rnn` before Keras 2.2.5 puts the first state where a step is masked, whosever it is."""
    stack = stacked_cells([_cell("LSTM"), _cell("GRU", features=_UNITS)], reverse_states=False)
    x = random_array(1, 2, _FEATURES)
    call = layer_call("RNN", x, {"return_sequences": True}, masks=[np.array([[True, False]])])
    (sequence,) = recurrent(call, stack, MaskedOutput.STATE)
    lstm = _cell("LSTM")
    zeros = np.zeros((1, _UNITS))
    np.testing.assert_allclose(sequence[:, 1], lstm.step(lstm.project(x[:, 0]), (zeros, zeros))[0])


def test_what_is_refused() -> None:
    x = random_array(2, 4, _FEATURES)
    with pytest.raises(Refused, match="mask of shape"):
        _run("LSTM", [x], np.ones((8,), dtype=bool))
    with pytest.raises(NotCovered, match="further inputs"):
        _run("LSTM", [x, random_array(2, _UNITS)])
    with pytest.raises(NotCovered, match="without its activation"):
        lstm_cell(layer_call("LSTMCell", x, {}, _weights("LSTM")))
    with pytest.raises(NotCovered, match="beyond the range"):
        call = layer_call("SimpleRNN", 1e308 * np.ones((1, 4, 3)), {"activation": "linear"}, _weights("SimpleRNN"))
        with np.errstate(over="ignore", invalid="ignore"):
            recurrent(call, simple_rnn_cell(call), MaskedOutput.PREVIOUS)
