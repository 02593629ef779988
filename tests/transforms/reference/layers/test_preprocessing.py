"""Preprocessing layers, each against literal values."""

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call
from transforms.reference.layer_call import NotCovered
from transforms.reference.layers.categories import CATEGORIES
from transforms.reference.layers.preprocessing import PREPROCESSING

RULES = {**PREPROCESSING, **CATEGORIES}


@pytest.mark.parametrize(
    ("class_name", "config", "x", "expected"),
    [
        ("Normalization", {"axis": [-1], "mean": [1.0, 2.0], "variance": [4.0, 0.25]}, [[5.0, 2.5]], [[2.0, 1.0]]),
        (
            "Normalization",
            {"axis": [-1], "mean": [1.0, 2.0], "variance": [4.0, 0.25], "invert": True},
            [[2.0, 1.0]],
            [[5.0, 2.5]],
        ),
        ("Normalization", {"axis": None, "mean": 3.0, "variance": 4.0}, [[5.0, 1.0]], [[1.0, -1.0]]),
        ("CategoryEncoding", {"num_tokens": 3, "output_mode": "multi_hot"}, [[2, 2]], [[0, 0, 1]]),
        ("CategoryEncoding", {"num_tokens": 3, "output_mode": "count"}, [[2, 2]], [[0, 0, 2]]),
        ("CategoryEncoding", {"num_tokens": 3, "output_mode": "one_hot"}, [1], [[0, 1, 0]]),
        ("Discretization", {"bin_boundaries": [0.0, 1.0]}, [[-1.0, 0.0, 0.5, 7.0]], [[0, 1, 1, 2]]),
        ("IntegerLookup", {"vocabulary": [7, 5]}, [[5, 9, 7]], [[2, 0, 1]]),
        ("IntegerLookup", {"vocabulary": [7, 5], "num_oov_indices": 2}, [[5, 9, 7]], [[3, 1, 2]]),
        ("IntegerLookup", {"vocabulary": [7, 5], "mask_token": 0}, [[0, 9, 7]], [[0, 1, 2]]),
        ("IntegerLookup", {"vocabulary": [0, -1, 7], "mask_token": 0}, [[0, 9, 7]], [[0, 1, 2]]),
        (
            "IntegerLookup",
            {"vocabulary": [7, 5], "mask_token": 0, "output_mode": "count"},
            [[0, 9, 7, 7]],
            [[1, 2, 0]],
        ),
        ("IntegerLookup", {"vocabulary": [7, 5], "invert": True}, [[0, 1, 2, 3]], [[-1, 7, 5, -1]]),
        ("RandomFlip", {"mode": "horizontal"}, [[[[1.0], [2.0]]]], [[[[1.0], [2.0]]]]),
    ],
)
def test_values(class_name: str, config: dict[str, Any], x: list[Any], expected: list[Any]) -> None:
    call = layer_call(class_name, np.asarray(x), config, version="2.8.0")
    np.testing.assert_allclose(RULES[class_name](call), expected)


@pytest.mark.parametrize("class_name", ["RandomCrop", "Resizing"])
def test_the_part_of_an_image_with_the_ratio_wanted(class_name: str) -> None:
    image = np.arange(40.0).reshape(1, 5, 8, 1)  # of 5 x 8 pixels, 5 x 5 have the ratio of 5 x 5
    call = layer_call(class_name, image, {"height": 5, "width": 5, "crop_to_aspect_ratio": True}, version="2.8.0")
    np.testing.assert_array_equal(PREPROCESSING[class_name](call), image[:, :, 1:6])


def test_the_middle_of_an_image() -> None:
    image = np.arange(30.0).reshape(1, 5, 6, 1)
    call = layer_call("CenterCrop", image, {"height": 2, "width": 3})
    np.testing.assert_array_equal(PREPROCESSING["CenterCrop"](call), image[:, 1:3, 1:4])


@pytest.mark.parametrize(
    ("class_name", "config", "x"),
    [
        ("Normalization", {"axis": [-1]}, [[1.0]]),
        ("CategoryEncoding", {"num_tokens": 3, "output_mode": "count"}, [[3]]),
        ("Discretization", {"bin_boundaries": [0.5]}, [[0.5000001]]),
        ("IntegerLookup", {"vocabulary": [7], "num_oov_indices": 0}, [[8]]),
        ("CenterCrop", {"height": 9, "width": 1}, [[[[1.0]]]]),
        ("Resizing", {"height": 2, "width": 2, "pad_to_aspect_ratio": True}, [[[[1.0]]]]),
    ],
)
def test_what_is_not_answered(class_name: str, config: dict[str, Any], x: list[Any]) -> None:
    with pytest.raises(NotCovered):
        RULES[class_name](layer_call(class_name, np.asarray(x), config, version="2.8.0"))
