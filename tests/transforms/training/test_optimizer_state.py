"""Stored optimizers as data, and what is not taken for one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fixture_files import fixture_file, training_files
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.training.array_positions import array_positions
from transforms.training.compile_options import UnknownName, known_loss, known_metrics
from transforms.training.optimizer_state import NotKept, optimizer_state, trained_parameters
from transforms.training.optimizers import nadam_product

TRAINED = {each.name: each for each in training_files()}


def with_config(legacy: LegacyModel, class_name: str, **config: Any) -> LegacyModel:
    return replace(legacy, training_config={"optimizer_config": {"class_name": class_name, "config": config}})


@pytest.mark.parametrize(
    ("name", "slots", "iterations"),
    [
        ("keras-2.2.4/training_sgd", ["momentum"], 5),
        ("keras-2.2.4/training_sgd_plain", [], 5),
        ("keras-2.2.4/training_rmsprop", ["rms"], 0),
        ("keras-2.2.4/training_adam_amsgrad", ["m", "v", "vhat"], 5),
        ("tfkeras-1.13.1/training_adam", ["m", "v"], 5),
        ("keras-2.3.1/training_adadelta", ["accum_grad", "accum_var"], 5),
        ("tfkeras-2.3.4/training_rmsprop_centered", ["rms", "momentum", "mg"], 5),
        ("tfkeras-2.15.1/training_rmsprop_centered", ["velocity", "momentum", "average_gradient"], 5),
    ],
)
def test_slots_by_name(name: str, slots: list[str], iterations: int) -> None:
    with open_legacy_model(TRAINED[name].source) as legacy:
        state = optimizer_state(legacy)
        shapes = [legacy.arrays[slot.path][slot.role.name].shape for slot in state.parameters]
    assert (list(state.slots), state.iterations, state.warnings) == (slots, iterations, ())
    assert all([value.shape for value in values] == shapes for values in state.slots.values())


@pytest.mark.parametrize(
    ("class_name", "config", "says"),
    [
        ("SGD", {"lr": 0.1, "clipnorm": 1.0, "clipvalue": 0.5}, "in two ways"),
        ("SGD", {"lr": {"class_name": "Lambda", "config": {}}}, "neither a number nor a schedule"),
        ("SGD", {"lr": 0.1, "momentum": {"class_name": "x"}}, "has the option momentum"),
        ("Nadam", {"lr": 0.1, "schedule_decay": 0.1}, "schedule_decay of 0.1"),
        ("Adam", {"learning_rate": 0.1, "name": "Adam", "use_ema": True, "is_legacy_optimizer": False}, "use_ema"),
        ("Lion", {"lr": 0.1}, "'Lion' is not known"),
    ],
)
def test_optimizers_that_tf_keras_does_not_continue(class_name: str, config: dict[str, Any], says: str) -> None:
    with open_legacy_model(TRAINED["keras-2.2.4/training_nadam"].source) as legacy, pytest.raises(NotKept, match=says):
        optimizer_state(with_config(legacy, class_name, **config))


def test_slots_that_do_not_fit_are_left(tmp_path: object) -> None:
    with open_legacy_model(TRAINED["tfkeras-1.15.5/training_adamax"].source) as legacy:
        state = optimizer_state(replace(legacy, optimizer_arrays=legacy.optimizer_arrays[:-1]))
        swapped = (*legacy.optimizer_arrays[:1], *legacy.optimizer_arrays[:0:-1])
        other = optimizer_state(replace(legacy, optimizer_arrays=swapped))
    for found in (state, other):
        assert found.slots == {} and "begins anew" in found.warnings[0]


def test_keras_before_2_0_6_trained_in_the_order_of_names() -> None:
    with open_legacy_model(TRAINED["tfkeras-1.15.5/training_sgd"].source) as legacy:
        layers = [slot.path[0] for slot in trained_parameters(legacy)]
    with open_legacy_model(fixture_file("keras-1.2.2/samplewise_norm_masked").source) as old:
        names = [old.arrays[slot.path][slot.role.name].name for slot in trained_parameters(old)]
    assert layers == ["dense_1", "dense_1", "dense", "dense"]
    assert names == sorted(names)


def test_the_product_of_nadams_schedule() -> None:
    steps = [0.9 * (1 - 0.5 * 0.96 ** (step * 0.004)) for step in (1, 2, 3)]
    assert nadam_product(0.9, 0.004, 3) == pytest.approx(np.prod(steps))
    assert nadam_product(0.9, 0.004, 10**9) == 0.0


def test_positions_of_rearranged_arrays_and_none_of_sums() -> None:
    with open_legacy_model(fixture_file("keras-2.2.4/emb_cudnn_lstm").source) as legacy:
        parameters = trained_parameters(legacy)
        arrays = {(slot.path, slot.role.name): legacy.read_array(slot.path, slot.role.name) for slot in parameters}
        lstm = next(path for path, role in arrays if role == "recurrent_kernel")
        found = array_positions(legacy, parameters, list(arrays))
    assert set(arrays) - set(found) == {(lstm, "bias")}
    flat = np.concatenate([array.reshape(-1) for array in arrays.values()])
    recurrent = arrays[lstm, "recurrent_kernel"]
    transposed = np.hstack([block.T for block in np.split(recurrent, 4, axis=1)])
    np.testing.assert_array_equal(flat[found[lstm, "recurrent_kernel"]], transposed)


@pytest.mark.parametrize(
    ("loss", "known"),
    [
        ("mse", "mse"),
        ("cosine_proximity", "cosine_similarity"),
        ({"a": "mse", "b": None}, {"a": "mse", "b": None}),
        (["mse", "mae"], ["mse", "mae"]),
        ("MeanSquaredError", {"class_name": "MeanSquaredError", "config": {}}),
        ({"class_name": "Huber", "config": {"delta": 2.0}}, {"class_name": "Huber", "config": {"delta": 2.0}}),
    ],
)
def test_losses_of_keras(loss: Any, known: Any) -> None:
    assert known_loss(loss) == known


@pytest.mark.parametrize(
    "loss",
    ["__import__", {"class_name": "Huber", "config": {"delta": {"class_name": "x"}}}, 3, {"class_name": "K"}, ["tf"]],
)
def test_other_losses_are_not_taken(loss: Any) -> None:
    with pytest.raises(UnknownName):
        known_loss(loss)


def test_metrics_are_kept_where_keras_has_them() -> None:
    unknown: list[str] = []
    stored = [["acc", {"class_name": "MeanMetricWrapper", "config": {"name": "acc", "dtype": "float32"}}], ["mine"]]
    assert known_metrics(stored, unknown) == [["acc", "acc"], []]
    assert unknown == ["mine"]
