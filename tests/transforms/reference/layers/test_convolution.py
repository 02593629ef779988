"""Conv1D, Conv2D and Conv3D against loops over every output position, window offset and channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.convolution import CONVOLUTIONS
from transforms.reference.layers.correlation import rotate


def slow_correlation(x: Array, kernel: Array, strides: tuple[int, ...], dilation: tuple[int, ...]) -> Array:
    """y[n, p, f] = sum over k, c of x[n, p*s + k*d, c] w[k, c, f], spelled out."""
    rank = kernel.ndim - 2
    sizes = [(x.shape[a + 1] - (kernel.shape[a] - 1) * dilation[a] - 1) // strides[a] + 1 for a in range(rank)]
    y = np.zeros((x.shape[0], *sizes, kernel.shape[-1]))
    for place in np.ndindex(*sizes):
        for offset in np.ndindex(*kernel.shape[:rank]):
            source = tuple(p * s + k * d for p, s, k, d in zip(place, strides, offset, dilation, strict=True))
            for n in range(x.shape[0]):
                for f in range(kernel.shape[-1]):
                    y[(n, *place, f)] += sum(x[(n, *source, c)] * kernel[(*offset, c, f)] for c in range(x.shape[-1]))
    return y


@pytest.mark.parametrize(
    ("padding", "window", "stride", "expected"),
    [
        # y = sum of 1, 10, 100 times the window of 1 2 3 4
        ("valid", 3, 1, [321, 432]),
        ("same", 3, 1, [210, 321, 432, 43]),
        ("same", 3, 2, [321, 43]),
        ("same", 2, 1, [21, 32, 43, 4]),
        ("causal", 3, 1, [100, 210, 321, 432]),
        ("causal", 3, 2, [100, 321]),
    ],
)
def test_padding_on_tensorflow(padding: str, window: int, stride: int, expected: list[float]) -> None:
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1)
    kernel = np.array([1.0, 10, 100][:window]).reshape(window, 1, 1)
    call = layer_call("Conv1D", x, {"padding": padding, "strides": [stride]}, {"kernel": kernel})
    assert CONVOLUTIONS["Conv1D"](call).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("padding", "window", "stride", "expected"),
    [
        ("valid", 3, 1, [123, 234]),
        ("same", 3, 1, [12, 123, 234, 340]),
        # `half` pads both sides alike: with a stride the windows start one position before TensorFlow's
        ("same", 3, 2, [12, 234]),
        ("same", 2, 1, [1, 12, 23, 34]),
        ("causal", 3, 1, [1, 12, 123, 234]),
    ],
)
def test_theano_rotates_the_kernel_and_pads_alike(
    padding: str, window: int, stride: int, expected: list[float]
) -> None:
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1)
    kernel = np.array([1.0, 10, 100][:window]).reshape(window, 1, 1)
    config = {"padding": padding, "strides": [stride]}
    call = layer_call("Conv1D", x, config, {"kernel": kernel}, backend="theano")
    assert CONVOLUTIONS["Conv1D"](call).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("spatial", "window", "strides", "dilation"),
    [
        ((9,), (3,), (2,), (1,)),
        ((9,), (3,), (1,), (3,)),
        ((5, 6), (2, 3), (1, 2), (1, 1)),
        ((6, 7), (3, 2), (1, 1), (2, 2)),
        ((3, 4, 5), (2, 1, 3), (1, 2, 2), (1, 1, 1)),
    ],
)
def test_valid_matches_loops(
    spatial: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> None:
    x, kernel, bias = random_array(2, *spatial, 3), random_array(*window, 3, 4), random_array(4)
    name = f"Conv{len(spatial)}D"
    config = {"padding": "valid", "strides": list(strides), "dilation_rate": list(dilation), "activation": "linear"}
    y = CONVOLUTIONS[name](layer_call(name, x, config, {"kernel": kernel, "bias": bias}))
    np.testing.assert_allclose(y, slow_correlation(x, kernel, strides, dilation) + bias, atol=1e-12)


def test_channels_first_is_a_transposition() -> None:
    x, weights = random_array(2, 5, 6, 3), {"kernel": random_array(3, 2, 3, 4), "bias": random_array(4)}
    config: dict[str, Any] = {"padding": "same", "strides": [2, 1], "activation": "tanh"}
    last = CONVOLUTIONS["Conv2D"](layer_call("Conv2D", x, {**config, "data_format": "channels_last"}, weights))
    first = layer_call("Conv2D", np.moveaxis(x, -1, 1), {**config, "data_format": "channels_first"}, weights)
    np.testing.assert_allclose(CONVOLUTIONS["Conv2D"](first), np.moveaxis(last, -1, 1))


def test_softmax_works_on_the_last_axis_of_the_data_format() -> None:
    x, weights = random_array(2, 3, 5, 6), {"kernel": random_array(1, 1, 3, 4)}
    config = {"activation": "softmax", "data_format": "channels_first"}
    y = CONVOLUTIONS["Conv2D"](layer_call("Conv2D", x, config, weights))
    np.testing.assert_allclose(y.sum(axis=-1), np.ones((2, 4, 5)))


def test_groups_see_their_own_channels() -> None:
    x, kernel = random_array(2, 5, 6, 4), random_array(3, 3, 2, 6)
    y = CONVOLUTIONS["Conv2D"](layer_call("Conv2D", x, {"groups": 2}, {"kernel": kernel}, version="2.4.0"))
    halves = [slow_correlation(x[..., :2], kernel[..., :3], (1, 1), (1, 1))]
    halves.append(slow_correlation(x[..., 2:], kernel[..., 3:], (1, 1), (1, 1)))
    np.testing.assert_allclose(y, np.concatenate(halves, axis=-1), atol=1e-12)


def test_further_batch_axes() -> None:
    x, kernel = random_array(2, 3, 8, 2), random_array(3, 2, 4)
    y = CONVOLUTIONS["Conv1D"](layer_call("Conv1D", x, {}, {"kernel": kernel}, version="2.8.0"))
    assert y.shape == (2, 3, 6, 4)
    np.testing.assert_allclose(y[1], slow_correlation(x[1], kernel, (1,), (1,)), atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 12), k=st.integers(1, 5), s=st.integers(1, 4), backend=st.sampled_from(["tensorflow", "theano"])
)
def test_same_yields_a_position_for_each_stride(n: int, k: int, s: int, backend: str) -> None:
    weights = {"kernel": random_array(k, 2, 3)}
    call = layer_call("Conv1D", random_array(1, n, 2), {"padding": "same", "strides": [s]}, weights, backend=backend)
    assert CONVOLUTIONS["Conv1D"](call).shape == (1, -(-n // s), 3)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(5, 9), k=st.sampled_from([1, 3, 5]))
def test_theano_and_tensorflow_differ_by_a_rotation(n: int, k: int) -> None:
    x, kernel = random_array(2, n, n, 2), random_array(k, k, 2, 3)
    theano = layer_call("Conv2D", x, {"padding": "same"}, {"kernel": kernel}, backend="theano")
    tensorflow = layer_call("Conv2D", x, {"padding": "same"}, {"kernel": rotate(kernel, 2)})
    np.testing.assert_allclose(CONVOLUTIONS["Conv2D"](theano), CONVOLUTIONS["Conv2D"](tensorflow))


@pytest.mark.parametrize(
    ("config", "backend", "length"),
    [
        ({"padding": "full"}, "tensorflow", 9),
        ({"padding": "same", "strides": [2]}, "cntk", 9),
        ({"padding": "valid"}, "tensorflow", 2),
        ({"data_format": "diagonal"}, "tensorflow", 9),
    ],
)
def test_what_is_not_known_is_not_answered(config: dict[str, Any], backend: str, length: int) -> None:
    call = layer_call("Conv1D", random_array(1, length, 2), config, {"kernel": random_array(3, 2, 4)}, backend=backend)
    with pytest.raises(NotCovered):
        CONVOLUTIONS["Conv1D"](call)
