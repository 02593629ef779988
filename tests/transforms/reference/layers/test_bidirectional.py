"""Bidirectional, against its two directions run apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import random_array
from tests.transforms.reference.models import Json, functional, layer, node, parse, placeholder, weights
from transforms.records.runtime import runtime_of
from transforms.reference import NotCovered, forward
from transforms.reference.layer_call import Array

_UNITS = 2
_RUNTIME = runtime_of("2.2.4", "tensorflow")


def _arrays(seed: int) -> dict[str, Array]:
    return {
        "kernel": random_array(3, 3 * _UNITS, seed=seed),
        "recurrent_kernel": random_array(_UNITS, 3 * _UNITS, seed=seed),
        "bias": random_array(3 * _UNITS, seed=seed),
    }


_HELD = {("b", "forward"): _arrays(1), ("b", "backward"): _arrays(2), ("f",): _arrays(1), ("g",): _arrays(2)}


def _gru(name: str = "gru", **config: Any) -> Json:
    return layer("GRU", name, units=_UNITS, activation="tanh", recurrent_activation="sigmoid", **config)


def _run(layers: list[Json], outputs: list[Any], inputs: list[Array], version: str = "2.2.4") -> list[Array]:
    return forward(parse(functional(layers, outputs)), weights(_HELD), inputs, runtime_of(version, "tensorflow"))


def _alone(x: Array, name: str, **config: Any) -> list[Array]:
    stored = _gru(name, return_state=True, **config)
    held = node("GRU", name, ["x"], **{key: value for key, value in stored["config"].items() if key != "name"})
    return _run([placeholder("x", (None, None, 3)), held], [(name, 0, 0), (name, 0, 1)], [x])


@pytest.mark.parametrize(
    ("mode", "merge"),
    [
        ("concat", lambda a, b: np.concatenate([a, b], axis=-1)),
        ("sum", lambda a, b: a + b),
        ("mul", lambda a, b: a * b),
        ("ave", lambda a, b: (a + b) / 2),
    ],
)
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_merge_modes(mode: str, merge: Any, sequences: bool, backwards: bool) -> None:
    x = random_array(2, 4, 3)
    wrapped = _gru(return_sequences=sequences, go_backwards=backwards)
    held = node("Bidirectional", "b", ["x"], layer=wrapped, merge_mode=mode)
    (found,) = _run([placeholder("x", (None, None, 3)), held], ["b"], [x])
    y, _ = _alone(x, "f", return_sequences=sequences, go_backwards=backwards)
    y_back, _ = _alone(x, "g", return_sequences=sequences, go_backwards=not backwards)
    # Only the second one's sequence is turned, whichever way the first reads.
    np.testing.assert_allclose(found, merge(y, y_back[:, ::-1] if sequences else y_back))


def test_outputs_then_states_of_either_direction() -> None:
    x = random_array(2, 4, 3)
    held = node("Bidirectional", "b", ["x"], layer=_gru(return_state=True), merge_mode=None)
    outputs = [("b", 0, index) for index in range(4)]
    found = _run([placeholder("x", (None, None, 3)), held], outputs, [x])
    (y, state), (y_back, state_back) = _alone(x, "f"), _alone(x, "g", go_backwards=True)
    for value, expected in zip(found, (y, y_back, state, state_back), strict=True):
        np.testing.assert_allclose(value, expected)


def test_initial_states_by_halves() -> None:
    x, h, k = random_array(2, 1, 3), random_array(2, _UNITS, seed=5), random_array(2, _UNITS, seed=6)
    inputs = [placeholder("x", (None, None, 3)), placeholder("h", (None, 2)), placeholder("k", (None, 2))]
    held = node("Bidirectional", "b", ["x", "h", "k"], layer=_gru(), merge_mode="concat")
    (found,) = _run([*inputs, held], ["b"], [x, h, k])
    swapped = node("Bidirectional", "b", ["x", "k", "h"], layer=_gru(), merge_mode="concat")
    (other,) = _run([*inputs, swapped], ["b"], [x, h, k])
    assert np.abs(found - other).min() > 1e-6
    (first,) = _run(
        [*inputs, {**held, "inbound_nodes": [[["x", 0, 0, {}], ["h", 0, 0, {}], ["h", 0, 0, {}]]]}], ["b"], [x, h, k]
    )
    np.testing.assert_array_equal(first[:, :_UNITS], found[:, :_UNITS])


def test_a_stored_backward_layer() -> None:
    x = random_array(2, 4, 3)
    back = _gru("back", go_backwards=True, reset_after=False)
    held = node("Bidirectional", "b", ["x"], layer=_gru(), backward_layer=back, merge_mode="concat")
    (found,) = _run([placeholder("x", (None, None, 3)), held], ["b"], [x], version="2.8.0")
    np.testing.assert_allclose(found[:, _UNITS:], _alone(x, "g", go_backwards=True)[0])


def test_cells_of_the_backward_layer_have_their_own_weights() -> None:
    x = random_array(2, 4, 3)
    cell = layer("GRUCell", units=_UNITS, activation="tanh", recurrent_activation="sigmoid")
    held = node("Bidirectional", "b", ["x"], layer=layer("RNN", cell=cell), merge_mode="concat")
    paths = {("b", "forward", "cell"): _arrays(1), ("b", "backward", "cell"): _arrays(2)}
    graph = parse(functional([placeholder("x", (None, None, 3)), held], ["b"]))
    (found,) = forward(graph, weights(paths), [x], _RUNTIME)
    np.testing.assert_allclose(found[:, :_UNITS], _alone(x, "f")[0])
    np.testing.assert_allclose(found[:, _UNITS:], _alone(x, "g", go_backwards=True)[0])


@pytest.mark.parametrize(("version", "zeroed"), [("2.2.4", False), ("2.3.1", False), ("2.4.0", True), ("2.15.0", True)])
def test_masked_sequences(version: str, zeroed: bool) -> None:
    x = random_array(1, 3, 3)
    x[0, 2] = 0.0
    layers = [
        placeholder("x", (None, None, 3)),
        node("Masking", "m", ["x"], mask_value=0.0),
        node("Bidirectional", "b", ["m"], layer=_gru(return_sequences=True), merge_mode="concat"),
    ]
    (found,) = _run(layers, ["b"], [x], version)
    np.testing.assert_array_equal(found[0, 2, :_UNITS], np.zeros(_UNITS) if zeroed else found[0, 1, :_UNITS])


@pytest.mark.parametrize("states", [1, 3])
def test_states_that_do_not_halve(states: int) -> None:
    x, h = random_array(2, 1, 3), random_array(2, _UNITS)
    layers = [placeholder("x", (None, None, 3)), placeholder("h", (None, 2))]
    held = node("Bidirectional", "b", ["x", *["h"] * states], layer=_gru(), merge_mode="concat")
    with pytest.raises(NotCovered, match="two directions"):
        _run([*layers, held], ["b"], [x, h])
