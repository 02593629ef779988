"""Whole models of Keras 1: what the layers around a layer tell, and layers that only changed names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.models import Json, functional, layer, node, parse, placeholder, sequential, weights
from transforms.records.runtime import runtime_of
from transforms.reference import NotCovered, forward, uncovered
from transforms.reference.layer_call import Array

RUNTIME = runtime_of("1.2.2", "tensorflow")
IMAGE = (None, 2, 3, 4)


def cropping(name: str = "cropping2d", **config: Any) -> Json:
    return layer("Cropping2D", name, cropping=[[1, 0], [0, 1]], **config)


def run(model: Json, *inputs: Array, held: dict[tuple[str, ...], dict[str, Array]] | None = None) -> list[Array]:
    return forward(parse(model), weights(held or {}), inputs, RUNTIME)


@pytest.mark.parametrize(("ordering", "expected"), [("th", (1, 2, 2, 3)), ("tf", (1, 1, 2, 4))])
def test_a_silent_layer_takes_the_ordering_of_its_neighbours(ordering: str, expected: tuple[int, ...]) -> None:
    pool = layer("MaxPooling2D", pool_size=[1, 1], strides=[1, 1], border_mode="valid", dim_ordering=ordering)
    first = cropping(batch_input_shape=list(IMAGE))
    (y,) = run(sequential(first, layer("Activation", activation="tanh"), pool), np.ones((1, 2, 3, 4)))
    assert y.shape == expected


def test_an_ordering_told_beyond_the_images() -> None:
    """Flatten cuts the connection, but all layers of the model that say anything agree."""
    model = sequential(
        cropping(batch_input_shape=list(IMAGE)),
        layer("Flatten"),
        layer("Reshape", target_shape=[2, 2, 3]),
        layer("GlobalMaxPooling2D", dim_ordering="th"),
    )
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    (y,) = run(model, x)
    assert y.tolist() == [[10 - 0, 22]]


def test_branches_of_different_ordering() -> None:
    model = functional(
        [
            placeholder("a", IMAGE),
            placeholder("b", IMAGE),
            node("Cropping2D", "crop_a", ["a"], cropping=[[1, 0], [0, 1]]),
            node("Cropping2D", "crop_b", ["b"], cropping=[[1, 0], [0, 1]]),
            node("GlobalMaxPooling2D", "pool_a", ["crop_a"], dim_ordering="th"),
            node("GlobalMaxPooling2D", "pool_b", ["crop_b"], dim_ordering="tf"),
        ],
        ["pool_a", "pool_b"],
    )
    y, z = run(model, np.ones((1, 2, 3, 4)), np.ones((1, 2, 3, 4)))
    assert (y.shape, z.shape) == ((1, 2), (1, 4))


@pytest.mark.parametrize("orderings", [(), ("th", "tf")])
def test_orderings_that_nothing_tells(orderings: tuple[str, ...]) -> None:
    pools = [layer("SpatialDropout2D", f"d{i}", p=0.1, dim_ordering=each) for i, each in enumerate(orderings)]
    with pytest.raises(NotCovered, match="dim_ordering"):
        run(sequential(cropping(batch_input_shape=list(IMAGE)), *pools), np.ones((1, 2, 3, 4)))


def test_locally_connected_under_its_old_names() -> None:
    options = {"nb_filter": 1, "filter_length": 2, "subsample_length": 1, "border_mode": "valid"}
    model = sequential(layer("LocallyConnected1D", "local", batch_input_shape=[None, 3, 1], **options))
    kernel = np.array([[1.0, 10], [100, 1000]]).reshape(2, 2, 1)
    held = {("local",): {"W": kernel, "b": np.array([[0.5], [0.25]])}}
    (y,) = run(model, np.array([1.0, 2, 3]).reshape(1, 3, 1), held=held)
    assert y.ravel().tolist() == [21.5, 3200.25]


def test_pooling_and_padding_under_their_old_names() -> None:
    model = sequential(
        layer("ZeroPadding1D", padding=[0, 1], batch_input_shape=[None, 3, 1]),
        layer("UpSampling1D", length=2),
        layer("MaxPooling1D", pool_length=2, stride=3, border_mode="same"),
    )
    (y,) = run(model, np.array([1.0, 2, 3]).reshape(1, 3, 1))
    assert y.ravel().tolist() == [1, 3, 0]


def test_bidirectional_sum_under_a_mask() -> None:
    """An identity-like cell: h' = x + h, so that each direction sums up the steps that count."""
    inner = layer("SimpleRNN", "rnn", output_dim=1, activation="linear", return_sequences=True, consume_less="cpu")
    model = sequential(
        layer("Masking", mask_value=0.0, batch_input_shape=[None, 4, 1]),
        layer("Bidirectional", "both", layer=inner, merge_mode="concat"),
    )
    one = {"W": np.ones((1, 1)), "U": np.ones((1, 1)), "b": np.zeros(1)}
    held = {("both", "forward"): one, ("both", "backward"): one}
    (y,) = run(model, np.array([1.0, 0, 2, 4]).reshape(1, 4, 1), held=held)
    assert y[0].tolist() == [[1, 7], [1, 6], [3, 6], [7, 4]]


def test_what_is_uncovered() -> None:
    model = sequential(
        layer("Dense", output_dim=1, activation="relu", batch_input_shape=[None, 2]),
        layer("LSTM", output_dim=1, inner_activation="mine"),
        layer("Conv2D"),
    )
    found = uncovered(parse(model), RUNTIME)
    assert len(found) == 2
    assert "mine" in found[0]
    assert "Conv2D" in found[1]
