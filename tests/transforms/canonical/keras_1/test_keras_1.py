"""Keras 1 layers in Keras 2 layouts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.transforms.canonical.layer_rewrites import context, inside, layer_rewrite, read
from transforms.canonical.keras_1 import upgrade_keras_1


@pytest.mark.parametrize(("shape", "axes"), [((1, 1, 3), [1, 2]), ((3, 1, 1), [2, 3]), ((5, 6, 3), None), ((1,), [1])])
def test_shared_axes_are_those_of_length_one(shape: tuple[int, ...], axes: list[int] | None) -> None:
    done = upgrade_keras_1(layer_rewrite("PReLU", {}, {"alphas": np.zeros(shape)}), context("1.2.2"))
    assert done.layer.config["shared_axes"] == axes


@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_the_gates_of_a_convolutional_lstm_stand_side_by_side(ordering: str) -> None:
    # (rows, columns, c, f); gate number g holds 100 g + its own counts
    gates = {gate: 100 * number + np.arange(12).reshape(2, 3, 2, 1) for number, gate in enumerate("ifco")}
    stored = {
        f"{letter}_{gate}": np.transpose(kernel, (3, 2, 0, 1)) if ordering == "th" else kernel
        for gate, kernel in gates.items()
        for letter in "WU"
    }
    biases = {f"b_{gate}": np.array([number]) for number, gate in enumerate("ifco")}
    config = {"nb_filter": 1, "nb_row": 2, "nb_col": 3, "dim_ordering": ordering, "border_mode": "same"}
    held = read(upgrade_keras_1(layer_rewrite("ConvLSTM2D", config, {**stored, **biases}), context("1.2.2")))
    wanted = np.concatenate([gates[gate] for gate in "ifco"], axis=-1)
    np.testing.assert_array_equal(held["kernel"], wanted)
    np.testing.assert_array_equal(held["recurrent_kernel"], wanted)
    assert held["bias"].tolist() == [0, 1, 2, 3]


def test_normalization_of_mode_1_hands_on_its_mask() -> None:
    before = layer_rewrite("BatchNormalization", {"mode": 1, "axis": 1}, {"gamma": np.ones(3), "beta": np.zeros(3)})
    plain = upgrade_keras_1(before, context("1.2.2"))
    masked = upgrade_keras_1(before, context("1.2.2", masked=True))
    assert [name for name, _ in inside(plain)] == ["TensorOp", "BatchNormalization"]
    assert [name for name, _ in inside(masked)] == ["TensorOp", "BatchNormalization", "ReLU", "Add"]
    assert inside(plain)[1][1]["axis"] == -1
