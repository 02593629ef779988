"""Transposed convolutions: literal rows, and the identity <conv(x), y> = <x, transposed(y)>."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import NotCovered
from transforms.reference.layers.convolution import CONVOLUTIONS
from transforms.reference.layers.transposed_convolution import TRANSPOSED_CONVOLUTIONS


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # 1 2 spread by the kernel 1 10 100, at stride 2: 1 10 102 20 200
        ({"padding": "valid"}, [1, 10, 102, 20, 200]),
        ({"padding": "same"}, [1, 10, 102, 20]),
        ({"padding": "same", "output_padding": [0]}, [10, 102, 20]),
        ({"padding": "same", "output_padding": [1]}, [1, 10, 102, 20]),
        ({"padding": "valid", "output_padding": [1]}, [1, 10, 102, 20, 200, 0]),
    ],
)
def test_output_length_and_crop(config: dict[str, Any], expected: list[float]) -> None:
    x = np.array([1.0, 2]).reshape(1, 2, 1)
    weights = {"kernel": np.array([1.0, 10, 100]).reshape(3, 1, 1)}
    call = layer_call("Conv1DTranspose", x, {"strides": [2], **config}, weights, version="2.4.0")
    assert TRANSPOSED_CONVOLUTIONS["Conv1DTranspose"](call).ravel().tolist() == expected


def test_a_stride_beyond_the_window_leaves_zeros() -> None:
    weights = {"kernel": np.ones((1, 1, 1))}
    call = layer_call("Conv1DTranspose", np.ones((1, 2, 1)), {"strides": [3], "padding": "valid"}, weights)
    assert TRANSPOSED_CONVOLUTIONS["Conv1DTranspose"](call).ravel().tolist() == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("padding", "window", "strides", "dilation", "spatial"),
    [
        ("valid", [3, 2], [2, 1], [1, 1], [7, 6]),
        ("same", [3, 3], [2, 2], [1, 1], [8, 6]),
        ("same", [5, 3], [1, 1], [1, 1], [5, 6]),
        ("same", [3, 3], [1, 1], [2, 2], [7, 8]),
    ],
)
def test_it_transposes_the_convolution_of_its_backend(
    backend: str,
    data_format: str,
    padding: str,
    window: list[int],
    strides: list[int],
    dilation: list[int],
    spatial: list[int],
) -> None:
    def shaped(channels: int, lengths: list[int]) -> tuple[int, ...]:
        return (2, channels, *lengths) if data_format == "channels_first" else (2, *lengths, channels)

    config = {"padding": padding, "strides": strides, "dilation_rate": dilation, "data_format": data_format}
    weights = {"kernel": random_array(*window, 3, 4)}
    x = random_array(*shaped(3, spatial))
    forward = CONVOLUTIONS["Conv2D"](layer_call("Conv2D", x, config, weights, backend=backend))
    y = random_array(*forward.shape, seed=1)
    backward = TRANSPOSED_CONVOLUTIONS["Conv2DTranspose"](
        layer_call("Conv2DTranspose", y, config, weights, backend=backend)
    )
    assert backward.shape == x.shape
    np.testing.assert_allclose(np.sum(forward * y), np.sum(x * backward))


def test_bias_and_activation_on_volumes() -> None:
    x, weights = random_array(1, 2, 3, 2, 2), {"kernel": np.zeros((2, 2, 2, 3, 2)), "bias": np.array([-1.0, 0, 2])}
    call = layer_call("Conv3DTranspose", x, {"padding": "valid", "activation": "relu"}, weights)
    y = TRANSPOSED_CONVOLUTIONS["Conv3DTranspose"](call)
    assert y.shape == (1, 3, 4, 3, 3)
    assert np.unique(y.reshape(-1, 3), axis=0).tolist() == [[0, 0, 2]]


@pytest.mark.parametrize(
    ("config", "window", "backend"),
    [
        ({"padding": "same"}, 2, "theano"),
        ({"padding": "same"}, 3, "cntk"),
        ({"padding": "full"}, 3, "tensorflow"),
        ({"strides": [2], "dilation_rate": [2]}, 3, "tensorflow"),
    ],
)
def test_what_is_not_known_is_not_answered(config: dict[str, Any], window: int, backend: str) -> None:
    weights = {"kernel": random_array(window, 2, 2)}
    with pytest.raises(NotCovered):
        TRANSPOSED_CONVOLUTIONS["Conv1DTranspose"](
            layer_call("Conv1DTranspose", random_array(1, 5, 2), config, weights, backend=backend)
        )
