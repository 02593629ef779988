"""Masks that tf.keras 1.13 loses where later releases keep them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import random_array
from tests.transforms.reference.models import (
    Json,
    functional,
    layer,
    nested,
    node,
    parse,
    placeholder,
    sequential,
    weights,
)
from transforms.records.runtime import runtime_of
from transforms.reference import NotCovered, forward
from transforms.reference.layer_call import Array

_HELD = {("r",): {"kernel": random_array(2, 1), "recurrent_kernel": random_array(1, 1), "bias": random_array(1)}}
_X = np.concatenate([random_array(1, 2, 2), np.zeros((1, 1, 2))], axis=1)


def _run(model: Json, x: Array, release: str) -> Array:
    """Runs a model that ends in the tensor `end`, under tf.keras 1.13 (known by its normalization) or 2.15."""
    version = "2.2.4-tf" if release == "1.13" else "2.15.0"
    class_name = "BatchNormalizationV1" if release == "1.13" else "BatchNormalization"
    end = node(class_name, "bn", ["r"], axis=[1], epsilon=0.0, scale=False, center=False)
    layers = [*model["config"]["layers"], node("SimpleRNN", "r", ["end"], units=1, activation="tanh"), end]
    held = {**_HELD, ("bn",): {"moving_mean": np.zeros(1), "moving_variance": np.ones(1)}}
    return forward(parse(functional(layers, ["bn"])), weights(held), [x], runtime_of(version, "tensorflow"))[0]


def _masked(*layers: Json) -> Json:
    return functional([placeholder("x"), node("Masking", "m", ["x"], mask_value=0.0), *layers], ["end"])


def _keeps(model: Json, release: str) -> bool:
    """True where the padding of `_X` does not reach the result."""
    bare = functional([placeholder("x"), node("Activation", "end", ["x"], activation="linear")], ["end"])
    return bool(np.allclose(_run(model, _X, release), _run(bare, _X[:, :2], release)))


@pytest.mark.parametrize(
    ("class_name", "config", "kept"),
    [
        ("Activation", {"activation": "linear"}, False),
        ("ActivityRegularization", {"l1": 0.0, "l2": 0.1}, False),
        ("GaussianDropout", {"rate": 0.0}, False),
        ("GaussianDropout", {"rate": 0.1}, True),
        ("AlphaDropout", {"rate": 0.0}, False),
        ("Dropout", {"rate": 0.0}, True),
        ("GaussianNoise", {"stddev": 0.0}, True),
    ],
)
def test_layers_that_return_their_input(class_name: str, config: dict[str, Any], kept: bool) -> None:
    model = _masked(node(class_name, "end", ["m"], **config))
    assert _keeps(model, "1.13") is kept
    assert _keeps(model, "2.15")


def test_a_tensor_with_other_uses_is_not_decided() -> None:
    model = _masked(node("Activation", "end", ["m"], activation="linear"), node("Add", "other", ["m", "end"]))
    with pytest.raises(NotCovered, match="other uses"):
        _run(model, _X, "1.13")


def _drop(name: str = "drop") -> Json:
    return layer("Dropout", name, rate=0.5, batch_input_shape=[None, None, 2])


def test_no_mask_leaves_a_nested_model() -> None:
    model = _masked(nested(sequential(_drop()), "end", ["m"]))
    assert not _keeps(model, "1.13")
    assert _keeps(model, "2.15")


def test_inside_a_nested_model_masks_live_on() -> None:
    """Innermost Sequential -> LSTM, all inside one model: its layers see the mask that entered."""
    inner = functional(
        [
            placeholder("y"),
            nested(sequential(_drop()), "deep", ["y"]),
            node("GlobalAveragePooling1D", "mean", [("deep", 0, 0)]),
            node("RepeatVector", "again", ["mean"], n=1),
        ],
        ["again"],
        "inner",
    )
    model = _masked(nested(inner, "end", ["m"]))
    short = functional([placeholder("x"), nested(inner, "end", ["x"])], ["end"])
    np.testing.assert_allclose(_run(model, _X, "1.13"), _run(short, _X[:, :2], "1.13"))


@pytest.mark.parametrize(("release", "seen"), [("1.13", False), ("2.15", True)])
def test_bidirectional_in_a_sequential_two_models_deep(release: str, seen: bool) -> None:
    """There Bidirectional hands on no mask, so that the mean counts its zeros too."""
    wrapped = layer("SimpleRNN", units=1, activation="linear", return_sequences=True, zero_output_for_mask=True)
    both = layer("Bidirectional", "b", layer=wrapped, merge_mode="concat", batch_input_shape=[None, None, 2])
    inner = functional(
        [
            placeholder("y"),
            nested(sequential(both), "deep", ["y"]),
            node("GlobalAveragePooling1D", "mean", [("deep", 0, 0)]),
            node("RepeatVector", "again", ["mean"], n=1),
        ],
        ["again"],
        "inner",
    )
    arrays = {"kernel": np.ones((2, 1)), "recurrent_kernel": np.zeros((1, 1)), "bias": np.zeros(1)}
    layers = [placeholder("x"), node("Masking", "m", ["x"], mask_value=0.0), nested(inner, "end", ["m"])]
    sign = [node("BatchNormalizationV1", "unused", ["x"])] if release == "1.13" else []
    graph = parse(functional([*layers, *sign], ["end"]))
    held = weights({("end", "deep", "b", way): arrays for way in ("forward", "backward")})
    version = "2.2.4-tf" if release == "1.13" else "2.15.0"
    (found,) = forward(graph, held, [_X], runtime_of(version, "tensorflow"))
    np.testing.assert_allclose(found[0, 0], np.full(2, _X.sum() / (2 if seen else 3)))
