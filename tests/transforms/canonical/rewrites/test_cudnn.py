"""The layout equations, checked against the recurrence they stand for."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.canonical.layer_rewrites import context, layer_rewrite, read
from transforms.canonical.rewrites.cudnn import (
    canonical_kernel,
    canonical_recurrent_kernel,
    canonicalise_cudnn,
    paired_bias,
    summed_bias,
)
from transforms.errors import MigrationError

Array = npt.NDArray[np.float64]


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def parameter_blocks(stored: Array, gates: int, rows: int, columns: int) -> list[Array]:
    """cuDNN's matrices W (units, inputs), read from the stored kernel element by element."""
    blocks = []
    for gate in range(gates):
        flat = [stored[i, gate * columns + j] for i in range(rows) for j in range(columns)]
        blocks.append(np.array([[flat[unit * rows + k] for k in range(rows)] for unit in range(columns)]))
    return blocks


sizes = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))


@given(sizes)
@settings(deadline=None, max_examples=60)
def test_a_canonical_lstm_step_equals_the_cudnn_step(size: tuple[int, int, int]) -> None:
    inputs, units, seed = size
    draw = np.random.default_rng(seed).standard_normal
    kernel, recurrent, bias = draw((inputs, 4 * units)), draw((units, 4 * units)), draw(8 * units)
    x, h, c = draw(inputs), draw(units), draw(units)
    w = parameter_blocks(kernel, 4, inputs, units)
    r = [recurrent[:, g * units : (g + 1) * units] for g in range(4)]
    both = bias.reshape(2, 4, units)
    i, f, g, o = (w[k] @ x + r[k] @ h + both[0, k] + both[1, k] for k in range(4))
    cell = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    wanted = sigmoid(o) * np.tanh(cell)
    z = x @ canonical_kernel(kernel, 4) + h @ canonical_recurrent_kernel(recurrent, 4) + summed_bias(bias)
    i, f, g, o = np.split(z, 4)
    cell = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    np.testing.assert_allclose(sigmoid(o) * np.tanh(cell), wanted, rtol=1e-12, atol=1e-12)


@given(sizes)
@settings(deadline=None, max_examples=60)
def test_a_canonical_gru_step_equals_the_cudnn_step(size: tuple[int, int, int]) -> None:
    inputs, units, seed = size
    draw = np.random.default_rng(seed).standard_normal
    kernel, recurrent, bias = draw((inputs, 3 * units)), draw((units, 3 * units)), draw(6 * units)
    x, h = draw(inputs), draw(units)
    w = parameter_blocks(kernel, 3, inputs, units)
    r = [recurrent[:, g * units : (g + 1) * units] for g in range(3)]
    both = bias.reshape(2, 3, units)
    update, reset = (sigmoid(w[k] @ x + both[0, k] + r[k] @ h + both[1, k]) for k in (0, 1))
    candidate = np.tanh(w[2] @ x + both[0, 2] + reset * (r[2] @ h + both[1, 2]))
    wanted = update * h + (1 - update) * candidate
    from_input, from_state = paired_bias(bias)
    a = x @ canonical_kernel(kernel, 3) + from_input
    b = h @ canonical_recurrent_kernel(recurrent, 3) + from_state
    (az, ar, ah), (bz, br, bh) = np.split(a, 3), np.split(b, 3)
    update, reset = sigmoid(az + bz), sigmoid(ar + br)
    found = update * h + (1 - update) * np.tanh(ah + reset * bh)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


@given(sizes)
@settings(deadline=None)
def test_layouts_only_move_numbers(size: tuple[int, int, int]) -> None:
    inputs, units, seed = size
    kernel = np.random.default_rng(seed).standard_normal((inputs, 4 * units))
    found = canonical_kernel(kernel, 4)
    assert found.shape == kernel.shape
    for gate in range(4):
        block = slice(gate * units, (gate + 1) * units)
        assert sorted(found[:, block].ravel()) == sorted(kernel[:, block].ravel())


def drawn(gates: int, *bias: int) -> dict[str, Array]:
    shapes = {"kernel": (3, 2 * gates), "recurrent_kernel": (2, 2 * gates), "bias": bias}
    return {role: np.random.default_rng(5).normal(size=shape) for role, shape in shapes.items()}


OWN = {"activation": "relu", "recurrent_activation": "hard_sigmoid", "reset_after": True}


@pytest.mark.parametrize(
    ("class_name", "arrays", "moved"),
    [
        ("LSTM", drawn(4, 8), False),
        ("LSTM", drawn(4, 16), True),
        ("CuDNNLSTM", drawn(4, 8), False),
        ("CuDNNLSTM", drawn(4, 16), True),
        ("GRU", drawn(3, 2, 6), False),
        ("GRU", drawn(3, 12), True),
        ("CuDNNGRU", drawn(3, 2, 6), False),
        ("CuDNNGRU", drawn(3, 12), True),
    ],
)
def test_the_bias_tells_whose_arrays_they_are(class_name: str, arrays: dict[str, Array], moved: bool) -> None:
    target = class_name.removeprefix("CuDNN")
    own = class_name == target
    rewritten = canonicalise_cudnn(layer_rewrite(class_name, OWN if own else {}, arrays), context())
    found = read(rewritten)
    assert rewritten.layer.class_name == target
    assert found["bias"].shape == ((8,) if target == "LSTM" else (2, 6))
    assert np.array_equal(found["kernel"], arrays["kernel"]) is not moved
    activations = rewritten.layer.config["activation"], rewritten.layer.config["recurrent_activation"]
    assert activations == (("relu", "hard_sigmoid") if own else ("tanh", "sigmoid"))
    assert bool(rewritten.rewrites) is (moved or not own)
    assert any("which computes tanh and sigmoid" in warning for warning in rewritten.warnings) is (moved and own)


def test_a_gru_that_resets_before_the_product_takes_no_weights_of_cudnn() -> None:
    layer = layer_rewrite("GRU", {**OWN, "reset_after": False}, drawn(3, 12))
    with pytest.raises(MigrationError, match="resets before the product"):
        canonicalise_cudnn(layer, context())


def test_a_layer_without_bias_is_left_alone() -> None:
    layer = layer_rewrite("LSTM", OWN, {role: array for role, array in drawn(4, 8).items() if role != "bias"})
    assert canonicalise_cudnn(layer, context()) is layer
