"""How long inputs must be: each layer by hand, and models whose authors say so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transforms.reference.models import Json, functional, layer, nested, node, parse, placeholder, sequential
from transforms.inspection.least_lengths import least_length


def chain(*layers: Json) -> int:
    return least_length(parse(sequential(*layers)))


@pytest.mark.parametrize(
    ("class_name", "config", "least"),
    [
        ("Conv1D", {"kernel_size": [11], "dilation_rate": [4], "padding": "valid"}, 41),
        ("Conv1D", {"kernel_size": [11], "strides": [5], "padding": "same"}, 1),
        ("Convolution1D", {"filter_length": 9, "border_mode": "valid", "subsample_length": 2}, 9),
        ("Convolution2D", {"nb_row": 3, "nb_col": 7, "border_mode": "valid", "dim_ordering": "th"}, 7),
        ("MaxPooling1D", {"pool_size": [4], "strides": None, "padding": "valid"}, 4),
        ("Cropping1D", {"cropping": [5000, 5000]}, 10_001),
        ("Cropping2D", {"cropping": [[1, 2], [30, 4]], "data_format": "channels_first"}, 35),
        ("LSTM", {"units": 3, "return_sequences": True}, 1),
        ("Dense", {"units": 3}, 1),
    ],
)
def test_one_layer(class_name: str, config: dict[str, Any], least: int) -> None:
    assert chain(layer(class_name, **config)) == least


def test_layers_behind_each_other() -> None:
    """((1 - 1) * 2 + 3 = 3 pooled to 2 * 3 = 6, padded by 2, behind a stride of 3: (4 - 1) * 3 + 5 = 14."""
    found = chain(
        layer("Conv1D", "a", kernel_size=[5], strides=[3], padding="valid"),
        layer("ZeroPadding1D", "b", padding=[1, 1]),
        layer("AveragePooling1D", "c", pool_size=2, padding="valid"),
        layer("Conv1D", "d", kernel_size=3, strides=2, padding="valid"),
        layer("GlobalMaxPooling1D", "e"),
    )
    assert found == 14


def test_up_sampling_asks_for_less() -> None:
    upsampled = layer("UpSampling1D", "u", size=4)
    assert chain(upsampled, layer("Conv1D", "c", kernel_size=[10], padding="valid")) == 3


def test_the_longest_of_branches_nested_models_and_steps() -> None:
    inner = sequential(layer("Conv1D", "c", kernel_size=[21], padding="valid"), name="inner")
    model = functional(
        [
            placeholder("x", (None, None, 2)),
            nested(inner, "inner", ["x"]),
            node("Conv1D", "short", ["x"], kernel_size=[3], padding="valid"),
            node("Concatenate", "both", ["short", ("inner", 0, 0)], axis=-1),
        ],
        ["both"],
    )
    assert least_length(parse(model)) == 21
    steps = layer("TimeDistributed", layer=layer("Conv1D", "c", kernel_size=[6], padding="valid"))
    assert chain(steps) == 6


def test_extents_that_are_stated_need_no_drawing() -> None:
    assert chain(layer("Conv1D", kernel_size=[50], padding="valid", batch_input_shape=[None, 64, 2])) == 1
