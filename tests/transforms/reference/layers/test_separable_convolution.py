"""Depthwise and separable convolutions, as the ordinary convolutions they equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.convolution import CONVOLUTIONS
from transforms.reference.layers.separable_convolution import SEPARABLE_CONVOLUTIONS


def full_kernel(depthwise: Array) -> Array:
    """The ordinary kernel (*window, c, c * m) that is zero between a channel and the filters of another."""
    *window, channels, multiplier = depthwise.shape
    kernel = np.zeros((*window, channels, channels, multiplier))
    for channel in range(channels):
        kernel[..., channel, channel, :] = depthwise[..., channel, :]
    return kernel.reshape(*window, channels, channels * multiplier)


CONFIGS: list[dict[str, Any]] = [
    {"padding": "valid", "strides": [1, 1]},
    {"padding": "same", "strides": [2, 2], "activation": "tanh"},
    {"padding": "same", "dilation_rate": [2, 2]},
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_is_a_convolution_with_a_sparse_kernel(
    config: dict[str, Any], data_format: str, multiplier: int
) -> None:
    x = random_array(2, 7, 6, 3) if data_format == "channels_last" else random_array(2, 3, 7, 6)
    config = {**config, "data_format": data_format}
    kernel, bias = random_array(3, 2, 3, multiplier), random_array(3 * multiplier)
    y = SEPARABLE_CONVOLUTIONS["DepthwiseConv2D"](
        layer_call("DepthwiseConv2D", x, config, {"depthwise_kernel": kernel, "bias": bias})
    )
    expected = CONVOLUTIONS["Conv2D"](layer_call("Conv2D", x, config, {"kernel": full_kernel(kernel), "bias": bias}))
    np.testing.assert_allclose(y, expected)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("rank", [1, 2])
def test_separable_multiplies_both_kernels(config: dict[str, Any], rank: int) -> None:
    config = {key: value[:rank] if isinstance(value, list) else value for key, value in config.items()}
    x, kernel = random_array(2, *[7, 8][:rank], 3), random_array(*[3, 2][:rank], 3, 2)
    pointwise, bias = random_array(*[1, 1][:rank], 6, 4), random_array(4)
    weights = {"depthwise_kernel": kernel, "pointwise_kernel": pointwise, "bias": bias}
    name = f"SeparableConv{rank}D"
    y = SEPARABLE_CONVOLUTIONS[name](layer_call(name, x, config, weights))
    product = full_kernel(kernel) @ pointwise.reshape(6, 4)
    expected = CONVOLUTIONS[f"Conv{rank}D"](layer_call("Conv", x, config, {"kernel": product, "bias": bias}))
    np.testing.assert_allclose(y, expected)


def test_stored_kernels_mean_the_same_under_theano() -> None:
    x, weights = random_array(2, 7, 8, 3), {"depthwise_kernel": random_array(3, 3, 3, 1)}
    calls = [
        layer_call("DepthwiseConv2D", x, {"padding": "same"}, weights, backend=b) for b in ("theano", "tensorflow")
    ]
    theano, tensorflow = (SEPARABLE_CONVOLUTIONS["DepthwiseConv2D"](call) for call in calls)
    np.testing.assert_allclose(theano, tensorflow)


def test_an_even_window_grows_a_separable_layer_under_theano() -> None:
    weights = {"depthwise_kernel": np.ones((2, 1, 1)), "pointwise_kernel": np.ones((1, 1, 1))}
    x = np.array([1.0, 2, 4]).reshape(1, 3, 1)
    theano = layer_call("SeparableConv1D", x, {"padding": "same"}, weights, backend="theano")
    tensorflow = layer_call("SeparableConv1D", x, {"padding": "same"}, weights)
    assert SEPARABLE_CONVOLUTIONS["SeparableConv1D"](theano).ravel().tolist() == [1, 3, 6, 4]
    assert SEPARABLE_CONVOLUTIONS["SeparableConv1D"](tensorflow).ravel().tolist() == [3, 6, 4]


def test_causal_padding_is_of_tf_keras() -> None:
    weights = {"depthwise_kernel": np.ones((2, 1, 1)), "pointwise_kernel": np.ones((1, 1, 1))}
    x, config = np.array([1.0, 2, 4]).reshape(1, 3, 1), {"padding": "causal"}
    later = layer_call("SeparableConv1D", x, config, weights, version="2.4.0")
    assert SEPARABLE_CONVOLUTIONS["SeparableConv1D"](later).ravel().tolist() == [1, 3, 6]
    with pytest.raises(NotCovered):
        SEPARABLE_CONVOLUTIONS["SeparableConv1D"](layer_call("SeparableConv1D", x, config, weights))
