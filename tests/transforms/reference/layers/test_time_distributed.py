"""TimeDistributed, against its layer applied step by step, and its masks by runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import random_array
from tests.transforms.reference.models import Json, functional, layer, node, parse, placeholder, sequential, weights
from transforms.records.runtime import runtime_of
from transforms.reference import NotCovered, forward
from transforms.reference.layer_call import Array

_DENSE = {"kernel": random_array(2, 3), "bias": random_array(3)}
_LSTM = {"kernel": random_array(2, 8), "recurrent_kernel": random_array(2, 8), "bias": random_array(8)}
_OUTER = {"kernel": random_array(2, 8, seed=1), "recurrent_kernel": random_array(2, 8, seed=1), "bias": random_array(8)}


_OPTIONS = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}


def _lstm() -> Json:
    return layer("LSTM", **_OPTIONS)


def _run(layers: list[Json], output: str, held: Any, x: Array, version: str = "2.2.4") -> Array:
    graph = parse(functional(layers, [output]))
    return forward(graph, weights(held), [x], runtime_of(version, "tensorflow"))[0]


def test_every_step_alone() -> None:
    x = random_array(4, 3, 2)
    layers = [placeholder("x"), node("TimeDistributed", "td", ["x"], layer=layer("Dense", units=3))]
    found = _run(layers, "td", {("td", "layer"): _DENSE}, x)
    for step in range(3):
        np.testing.assert_allclose(found[:, step], x[:, step] @ _DENSE["kernel"] + _DENSE["bias"])


def test_a_model_inside() -> None:
    x = random_array(4, 3, 2)
    inner = sequential(
        layer("Dense", "d", units=3, batch_input_shape=[None, 2]), layer("Activation", activation="tanh")
    )
    layers = [placeholder("x"), node("TimeDistributed", "td", ["x"], layer=inner)]
    found = _run(layers, "td", {("td", "layer", "d"): _DENSE}, x)
    np.testing.assert_allclose(found, np.tanh(x @ _DENSE["kernel"] + _DENSE["bias"]))


def _hierarchy(version: str) -> tuple[Array, Array]:
    """Words embedded with mask_zero, an LSTM over words, another over sentences; and the same without any padding."""
    ids = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]]])
    held = {("e",): {"embeddings": random_array(4, 2)}, ("td", "layer"): _LSTM, ("outer",): _OUTER}

    def words(masks: bool) -> list[Json]:
        return [
            placeholder("x", (None, None, None)),
            node("Embedding", "e", ["x"], input_dim=4, output_dim=2, mask_zero=masks),
            node("TimeDistributed", "td", ["e"], layer=_lstm()),
        ]

    found = _run([*words(True), node("LSTM", "outer", ["td"], **_OPTIONS)], "outer", held, ids, version)
    sentences = [_run(words(False), "td", held, bare, version) for bare in (ids[:, :1, :2], ids[:, 1:2, :1])]
    outer = [placeholder("x"), node("LSTM", "outer", ["x"], **_OPTIONS)]
    return found, _run(outer, "outer", held, np.concatenate(sentences, axis=1), version)


@pytest.mark.parametrize("version", ["2.2.4", "2.3.1", "2.4.0", "2.15.0"])
def test_masks_of_words_and_of_sentences(version: str) -> None:
    """The inner layer sees the words' mask; a sentence counts where any word does."""
    found, without = _hierarchy(version)
    np.testing.assert_allclose(found, without, atol=1e-12)


def test_early_keras_hands_the_whole_mask_on() -> None:
    """Keras before 2.2.0 hands no mask inside, and a mask of three axes out, which a recurrent layer refuses."""
    with pytest.raises(NotCovered, match="mask of shape"):
        _hierarchy("2.1.6")


@pytest.mark.parametrize(("version", "embeds"), [("2.2.4", True), ("2.1.6", False)])
def test_a_mask_made_inside(version: str, embeds: bool) -> None:
    ids = np.array([[[1, 2], [3, 0]]])
    embedding = layer("Embedding", input_dim=4, output_dim=2, mask_zero=True)
    layers = [
        placeholder("x", (None, None, 2)),
        node("TimeDistributed", "made", ["x"], layer=embedding),
        node("TimeDistributed", "td", ["made"], layer=_lstm()),
    ]
    held = {("made", "layer"): {"embeddings": random_array(4, 2)}, ("td", "layer"): _LSTM}
    found = _run(layers, "td", held, ids, version)
    short = _run(layers, "td", held, ids[:, 1:, :1], version)
    assert np.allclose(found[:, 1], short[:, 0]) is embeds


@pytest.mark.parametrize("version", ["2.2.4", "2.15.0"])
def test_a_mask_on_what_takes_none(version: str) -> None:
    layers = [
        placeholder("x"),
        node("Masking", "m", ["x"], mask_value=0.0),
        node("TimeDistributed", "td", ["m"], layer=layer("Reshape", target_shape=[2, 1])),
    ]
    with pytest.raises(NotCovered, match="every runtime refuses"):
        _run(layers, "td", {}, random_array(2, 3, 2), version)


def test_a_fixed_batch_hides_the_mask_from_the_inner_layer() -> None:
    """Standalone Keras then loops over the steps without masks."""
    ids = np.array([[[1, 2, 0], [3, 0, 0]]])
    held = {("e",): {"embeddings": random_array(4, 2)}, ("td", "layer"): _LSTM}

    def run(batch: int | None, masks: bool) -> Array:
        layers = [
            placeholder("x", (batch, None, 3)),
            node("Embedding", "e", ["x"], input_dim=4, output_dim=2, mask_zero=masks),
            node("TimeDistributed", "td", ["e"], layer=_lstm()),
        ]
        return _run(layers, "td", held, ids)

    np.testing.assert_array_equal(run(1, masks=True), run(None, masks=False))
    assert not np.allclose(run(None, masks=True), run(None, masks=False))
