"""Where Theano places the windows of pooling layers and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.canonical.layer_rewrites import context, inside, layer_rewrite, read
from transforms.canonical.rewrites.theano import pad_as_theano, pool_as_theano
from transforms.canonical.rewrites.theano_conv_lstm import theano_conv_lstm
from transforms.errors import MigrationError, Reason
from transforms.rebuild.tensor_ops import TENSOR_OPS


@pytest.mark.parametrize(
    ("window", "stride", "before", "wanted"),
    [
        (2, 2, 1, [0, 1, 2, 3, 4, 5]),  # windows 0 1, 2 3, 4 5
        (3, 2, 1, [0, 1, 2, 3, 4, 5, 0]),  # the last one lacks its end
        (2, 1, 1, [0, 1, 2, 3, 4, 5]),
        (2, 3, 1, [0, 1, 2, 3, 4]),  # windows 0 1, 3 4: the rest is cut off
        (5, 5, 3, [0, 0, 0, 1, 2]),
    ],
)
def test_the_border_of_five_positions(window: int, stride: int, before: int, wanted: list[int]) -> None:
    import tensorflow as tf

    x = tf.reshape(tf.range(1.0, 6.0), (1, 5, 1))
    border = TENSOR_OPS["border"](x, before=[before], window=[window], strides=[stride], lowest=False)
    np.testing.assert_array_equal(border[0, :, 0], wanted)


def test_a_maximum_never_falls_on_the_border() -> None:
    import tensorflow as tf

    border = TENSOR_OPS["border"](-tf.ones((1, 2, 1)), before=[1], window=[2], strides=[1], lowest=True)
    assert border[0, 0, 0] == tf.float32.min


def test_a_mean_counts_no_border() -> None:
    config = {"padding": "same", "pool_size": [2, 3], "strides": None, "data_format": "channels_first"}
    classes = [name for name, _ in inside(pool_as_theano(layer_rewrite("AveragePooling2D", config), context()))]
    pooled = ["TensorOp", "AveragePooling2D"]
    assert classes == ["Permute", *pooled, "TensorOp", *pooled, "TensorOp", "Permute"]


@pytest.mark.parametrize(
    ("class_name", "role", "mode", "padding"),
    [
        ("Conv2D", "kernel", "same", [[1, 0], [1, 1]]),
        ("Conv2D", "kernel", "full", [[1, 1], [2, 2]]),
        ("SeparableConv2D", "depthwise_kernel", "same", [[1, 1], [1, 1]]),
    ],
)
def test_padding_in_front_of_a_convolution(class_name: str, role: str, mode: str, padding: list[list[int]]) -> None:
    before = layer_rewrite(class_name, {"padding": mode, "strides": [2, 2]}, {role: np.zeros((2, 3, 1, 4), "f4")})
    (_, zeros), (_, inner) = inside(pad_as_theano(before, context()))
    assert zeros["padding"] == padding
    assert inner["padding"] == "valid"


def conv_lstm(window: tuple[int, int], **config: Any) -> tuple[Any, dict[str, Any]]:
    kernel = np.arange(1.0, 1.0 + np.prod(window)).reshape(*window, 1, 1)
    held = {"kernel": kernel, "recurrent_kernel": kernel, "bias": np.zeros(1)}
    return layer_rewrite("ConvLSTM2D", {"kernel_size": list(window), **config}, held), held


def test_an_even_recurrent_window_is_made_odd() -> None:
    before, _ = conv_lstm((2, 1), padding="same")
    done = theano_conv_lstm(before, context())
    assert done.layer.config["kernel_size"] == [3, 1]
    assert read(done)["recurrent_kernel"][:, 0, 0, 0].tolist() == [1.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("config", "padding"),
    [
        ({"padding": "valid"}, [[0, 0], [0, 1], [0, 0]]),
        ({"padding": "same", "strides": [2, 2]}, [[0, 0], [1, 1], [1, 1]]),
        ({"padding": "valid", "dilation_rate": [2, 2]}, [[0, 0], [0, 2], [0, 0]]),
    ],
)
def test_the_input_gets_what_the_longer_window_needs(config: dict[str, Any], padding: list[list[int]]) -> None:
    before, _ = conv_lstm((2, 3), **config)
    (_, zeros), (_, inner) = inside(theano_conv_lstm(before, context()))
    assert (zeros["padding"], inner["padding"], inner["kernel_size"]) == (padding, "valid", [3, 3])


def test_odd_windows_stay() -> None:
    before, _ = conv_lstm((3, 3), padding="same")
    assert theano_conv_lstm(before, context()) is before


def test_full_exists_in_theano_alone() -> None:
    from transforms.canonical.keras_1 import upgrade_keras_1

    before = layer_rewrite("Convolution2D", {"border_mode": "full", "nb_filter": 1, "nb_row": 2, "nb_col": 2})
    assert upgrade_keras_1(before, context("1.2.2", "theano")).layer.config["padding"] == "full"
    with pytest.raises(MigrationError, match="State the backend 'theano'") as caught:
        upgrade_keras_1(before, context("1.2.2", "tensorflow"))
    assert caught.value.reason is Reason.UNSUPPORTED_LAYER
