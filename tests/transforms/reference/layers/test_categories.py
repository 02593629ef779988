"""Encodings, vocabularies and hashes, each place by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call
from transforms.reference.layer_call import NotCovered
from transforms.reference.layers.categories import CATEGORIES

IDS = np.array([[0, 2, 2], [1, 0, 3]])
WORDS = np.array([["a", "b", ""], ["z", "a", "caf\u00e9"]])
VOCABULARY = ["a", "b", "caf\u00e9"]


def run(class_name: str, inputs: Any, weights: Any = None, **config: Any) -> Any:
    return CATEGORIES[class_name](layer_call(class_name, inputs, config, weights, version="2.8.0"))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"num_tokens": 4, "output_mode": "multi_hot"}, [[1, 0, 1, 0], [1, 1, 0, 1]]),
        ({"num_tokens": 4}, [[1, 0, 1, 0], [1, 1, 0, 1]]),
        ({"max_tokens": 5, "output_mode": "binary"}, [[1, 0, 1, 0, 0], [1, 1, 0, 1, 0]]),
        ({"num_tokens": 4, "output_mode": "count"}, [[1, 0, 2, 0], [1, 1, 0, 1]]),
    ],
)
def test_encodings_by_each_name(config: dict[str, Any], expected: list[list[int]]) -> None:
    np.testing.assert_array_equal(run("CategoryEncoding", IDS, **config), expected)


def test_what_adapt_counted_and_weighed() -> None:
    weights = {"num_elements": np.array(5), "idf": np.array([1.0, 2.0, 0.5, 3.0, 9.0])}
    found = run("CategoryEncoding", IDS, weights, max_tokens=None, output_mode="tf-idf")
    np.testing.assert_array_equal(found, [[1, 0, 1, 0, 0], [1, 2, 0, 3, 0]])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [[1, 2, 0], [0, 1, 3]]),
        ({"mask_token": ""}, [[2, 3, 0], [1, 2, 4]]),
        ({"vocabulary": ["[UNK]", *VOCABULARY]}, [[1, 2, 0], [0, 1, 3]]),
        ({"output_mode": "multi_hot", "mask_token": ""}, [[0, 1, 1, 0], [1, 1, 0, 1]]),
        (
            {"output_mode": "count", "max_tokens": 6, "pad_to_max_tokens": True},
            [[1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0]],
        ),
        ({"output_mode": "tf_idf", "idf_weights": [2.0, 4.0, 6.0]}, [[4, 2, 4, 0], [4, 2, 0, 6]]),
    ],
)
def test_places_of_words(config: dict[str, Any], expected: list[list[int]]) -> None:
    found = run("StringLookup", WORDS, **{"vocabulary": VOCABULARY, "num_oov_indices": 1, **config})
    np.testing.assert_array_equal(found, expected)


def test_several_places_for_strange_words_and_numbers() -> None:
    """A strange word goes where the hash of TensorFlow puts it; a number is its own hash."""
    found = run("StringLookup", np.array([["z", "a"]]), vocabulary=["a"], num_oov_indices=3)
    assert found.tolist() == [[int(_bucket("z", 3)), 3]]
    assert run("IntegerLookup", np.array([[7, 9]]), vocabulary=[9], num_oov_indices=4).tolist() == [[3, 4]]


def _bucket(word: str, buckets: int) -> Any:
    import tensorflow as tf

    return tf.strings.to_hash_bucket_fast(word, buckets)


def test_no_place_for_strange_words() -> None:
    with pytest.raises(NotCovered, match="out of vocabulary"):
        run("StringLookup", WORDS, vocabulary=VOCABULARY, num_oov_indices=0)


def test_words_of_places() -> None:
    found = run("StringLookup", np.array([[1, 3, 0, 9]]), vocabulary=VOCABULARY, invert=True)
    assert found.tolist() == [[b"a", "caf\u00e9".encode(), b"[UNK]", b"[UNK]"]]


def test_a_salt_that_may_be_none() -> None:
    with pytest.raises(NotCovered, match="salt"):
        run("Hashing", IDS, num_bins=3, salt=[0xDECAFCAFFE, 0xDECAFCAFFE])
