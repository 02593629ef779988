"""Arrays of a group go to the layer they belong to, or the file is refused."""

from typing import Any

import numpy as np
import pytest

from transforms.architecture.graph import Layer
from transforms.architecture.parsing import parse_architecture
from transforms.errors import MigrationError, Reason
from transforms.source.hdf5.objects import HDF5Array
from transforms.weights.assignment import assign_arrays, role_in


def stored(name: str, *shape: int) -> HDF5Array:
    return HDF5Array(name, shape, np.dtype("f4"), None)


def nested(*configs: tuple[str, dict[str, Any]]) -> Layer:
    layers = [{"class_name": kind, "config": {"name": f"l{i}", **config}} for i, (kind, config) in enumerate(configs)]
    model = {"class_name": "Sequential", "config": {"name": "outer", "layers": [
        {"class_name": "Sequential", "config": {"name": "inner", "layers": layers}}]}}  # fmt: skip
    return parse_architecture(model).layer("inner")


NORM = [("gamma", 4), ("beta", 4), ("moving_mean", 4), ("moving_variance", 4)]


def test_nested_models_list_all_trainable_arrays_first() -> None:
    layer = nested(("Dense", {"units": 4}), ("BatchNormalization", {"axis": -1}), ("Dense", {"units": 4}))
    names = ["l0/kernel:0", "l0/bias:0", "l1/gamma:0", "l1/beta:0", "l2/kernel:0", "l2/bias:0"]
    arrays = [stored(n, 4, 4) if "kernel" in n else stored(n, 4) for n in names]
    arrays += [stored("l1/moving_mean:0", 4), stored("l1/moving_variance:0", 4)]
    assigned = assign_arrays(layer, arrays)
    assert {role: array.name for role, array in assigned["inner", "l1"].items()} == {
        role: f"l1/{role}:0" for role, _ in NORM
    }
    assert assigned["inner", "l2"]["kernel"].name == "l2/kernel:0"


def test_a_frozen_layer_lists_all_its_arrays_behind() -> None:
    layer = nested(("BatchNormalization", {"axis": -1, "trainable": False}), ("Dense", {"units": 4}))
    arrays = [stored("l1/kernel:0", 4, 4), stored("l1/bias:0", 4), *(stored(f"l0/{r}:0", n) for r, n in NORM)]
    assigned = assign_arrays(layer, arrays)
    assert assigned["inner", "l0"]["moving_variance"].name == "l0/moving_variance:0"


def test_bidirectional_without_a_backward_layer_has_two_halves() -> None:
    model = {"class_name": "Sequential", "config": [{"class_name": "Bidirectional", "config": {
        "name": "b", "layer": {"class_name": "LSTM", "config": {"name": "lstm", "units": 2}}}}]}  # fmt: skip
    arrays = [
        stored(f"b/{half}_lstm/{role}:0", *shape)
        for half in ("forward", "backward")
        for role, shape in (("kernel", (3, 8)), ("recurrent_kernel", (2, 8)), ("bias", (8,)))
    ]
    assigned = assign_arrays(parse_architecture(model).layer("b"), arrays)
    assert assigned["b", "backward"]["kernel"].name == "b/backward_lstm/kernel:0"


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ([stored("d/kernel:0", 3, 4)], "implies 2 arrays"),
        ([stored("d/bias:0", 4), stored("d/kernel:0", 3, 4)], "kernel of shape"),
        ([stored("d/kernel:0", 4, 3), stored("d/bias:0", 4)], "kernel of shape"),
        ([stored("d/kernel:0", 3, 4), stored("d/bias:0", 5)], "bias of shape"),
    ],
    ids=["one missing", "swapped", "transposed", "other units"],
)
def test_what_does_not_fit_is_refused(arrays: list[HDF5Array], says: str) -> None:
    model = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "d", "units": 4}}]}
    with pytest.raises(MigrationError, match=says) as refusal:
        assign_arrays(parse_architecture(model).layer("d"), arrays)
    assert refusal.value.reason is Reason.WEIGHTS_MISMATCH


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("lstm_1/kernel:0", "kernel"),
        ("a/b/recurrent_kernel_2:0", "recurrent_kernel"),
        ("bn/moving_variance", "moving_variance"),
        ("param_3", None),
    ],
)
def test_role_in_a_name(name: str, role: str | None) -> None:
    assert role_in(name) == role
