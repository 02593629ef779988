"""Merge of Keras 1 and what becomes of masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.legacy.release import Writer
from transforms.reference.keras_1.masking import keras_1_output_mask
from transforms.reference.keras_1.merge import merge
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered

A, B = np.array([[1.0, -2]]), np.array([[3.0, 4]])


def call_of(
    inputs: tuple[Array, ...], config: dict[str, Any], masks: tuple[Mask, ...] = (), backend: str = "tensorflow"
) -> LayerCall:
    return layer_call("Merge", inputs, config, masks=masks, version="1.2.2", backend=backend)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", [[4, 2]]),
        ("mul", [[3, -8]]),
        ("ave", [[2, 1]]),
        ("max", [[3, 4]]),
        ("concat", [[1, -2, 3, 4]]),
        ("dot", [[-5]]),
        ("cos", [[[-5 / (np.sqrt(5) * 5)]]]),
    ],
)
@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
def test_modes_on_vectors(mode: str, expected: list[Any], backend: str) -> None:
    np.testing.assert_allclose(merge(call_of((A, B), {"mode": mode}, backend=backend)), expected)


def test_the_cosine_of_nothing_is_nothing() -> None:
    assert merge(call_of((A, np.zeros((1, 2))), {"mode": "cos"})).tolist() == [[[0]]]


def test_concat_along_time() -> None:
    x, y = random_array(1, 2, 3), random_array(1, 4, 3)
    assert merge(call_of((x, y), {"mode": "concat", "concat_axis": 1})).shape == (1, 6, 3)


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
@pytest.mark.parametrize(
    ("axes", "y_shape"), [(-1, (2, 5, 3)), ([2, 1], (2, 3, 5)), (1, (2, 4, 5)), ([1, 2], (2, 5, 4))]
)
def test_dot_of_sequences(backend: str, axes: int | list[int], y_shape: tuple[int, ...]) -> None:
    x, y = random_array(2, 4, 3), random_array(*y_shape)
    a, b = (2, 2) if axes == -1 else (axes, axes) if isinstance(axes, int) else axes
    left, right = np.moveaxis(x, a, -1), np.moveaxis(y, b, -1)
    expected = [[[sum(row * column) for column in right[n]] for row in left[n]] for n in range(2)]
    np.testing.assert_allclose(merge(call_of((x, y), {"mode": "dot", "dot_axes": axes}, backend=backend)), expected)


@pytest.mark.parametrize(
    ("config", "inputs", "message"),
    [
        ({"mode": "lambda"}, (A, B), "merge mode"),
        ({"mode": "sum", "mode_type": "function"}, (A, B), "merge mode"),
        ({"mode": "dot"}, (A, B, B), "3 inputs"),
        ({"mode": "dot", "dot_axes": 0}, (A, B), "dot_axes"),
        ({"mode": "dot", "dot_axes": [1, 1]}, (A, np.ones((1, 2, 2))), "2 and 3 axes"),
    ],
)
def test_refusals(config: dict[str, Any], inputs: tuple[Array, ...], message: str) -> None:
    with pytest.raises(NotCovered, match=message):
        merge(call_of(inputs, config))


X = np.ones((1, 3, 2))
LEFT, RIGHT = np.array([[False, True, True]]), np.array([[True, True, False]])


@pytest.mark.parametrize(
    ("config", "masks", "expected"),
    [
        ({"mode": "sum"}, (LEFT, RIGHT), [[False, True, False]]),
        ({"mode": "ave"}, (LEFT, None), [[False, True, True]]),
        ({"mode": "mul"}, (None, None), None),
        ({"mode": "concat"}, (LEFT, RIGHT), [[False, True, False]]),
        ({"mode": "concat", "concat_axis": 1}, (LEFT, RIGHT), [[False, True, True, True, True, False]]),
        ({"mode": "dot", "dot_axes": 2}, (LEFT, RIGHT), None),
        ({"mode": "max"}, (None, None), None),
    ],
)
def test_masks_of_merges(config: dict[str, Any], masks: tuple[Mask, ...], expected: Any) -> None:
    mask = keras_1_output_mask(call_of((X, X), config, masks), WRITER)
    assert (None if mask is None else mask.tolist()) == expected


WRITER = Writer((1, 2, 2), frozenset(), "tensorflow")


def test_theano_takes_a_missing_mask_for_ones() -> None:
    mask = keras_1_output_mask(call_of((X, X), {"mode": "concat"}, (LEFT, None), "theano"), WRITER)
    assert mask is not None
    assert mask.tolist() == LEFT.tolist()


@pytest.mark.parametrize(
    ("class_name", "config"),
    [("Merge", {"mode": "max"}), ("Merge", {"mode": "concat"}), ("Dense", {}), ("Flatten", {})],
)
def test_masks_that_keras_1_refuses(class_name: str, config: dict[str, Any]) -> None:
    inputs = (X, X) if class_name == "Merge" else (X,)
    call = layer_call(class_name, inputs, config, masks=(LEFT, None)[: len(inputs)], version="1.2.2")
    with pytest.raises(NotCovered, match="refuses"):
        keras_1_output_mask(call, WRITER)


@pytest.mark.parametrize("class_name", ["Activation", "BatchNormalization", "TimeDistributedDense", "PReLU"])
def test_masks_handed_on(class_name: str) -> None:
    call = layer_call(class_name, X, {}, masks=(LEFT,), version="1.2.2")
    assert keras_1_output_mask(call, WRITER) is LEFT


def test_embedding_masks_zeros() -> None:
    call = layer_call("Embedding", np.array([[0, 2]]), {"mask_zero": True}, version="1.2.2")
    mask = keras_1_output_mask(call, WRITER)
    assert mask is not None
    assert mask.tolist() == [[False, True]]
