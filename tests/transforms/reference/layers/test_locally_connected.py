"""The implementations of locally connected layers agree once their kernels say the same."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.locally_connected import LOCALLY_CONNECTED


def flat_pairs(
    spatial: list[int], lengths: list[int], config: dict[str, Any]
) -> dict[tuple[int, int], tuple[int, ...]]:
    """Stored connections (output, input) of flat indices, and for each the entry of a kernel of implementation 1.

    A loop in the manner of `conv_kernel_idxs`, for channels last and 2 channels and 3 filters.
    """
    pairs: dict[tuple[int, int], tuple[int, ...]] = {}
    for place in itertools.product(*map(range, lengths)):
        for offset in itertools.product(*map(range, config["kernel_size"])):
            centred = [k // 2 if config["padding"] == "same" else 0 for k in config["kernel_size"]]
            source = [p * s + k - c for p, s, k, c in zip(place, config["strides"], offset, centred, strict=True)]
            if not all(0 <= i < n for i, n in zip(source, spatial, strict=True)):
                continue
            for c, f in itertools.product(range(2), range(3)):
                out = int(np.ravel_multi_index((*place, f), (*lengths, 3)))
                into = int(np.ravel_multi_index((*source, c), (*spatial, 2)))
                number = int(np.ravel_multi_index(place, lengths))
                feature = int(np.ravel_multi_index((*offset, c), (*config["kernel_size"], 2)))
                pairs[out, into] = (number, feature, f)
    return pairs


CASES = [
    (1, [7], {"kernel_size": [3], "strides": [2], "padding": "valid"}, [3]),
    (2, [4, 5], {"kernel_size": [2, 3], "strides": [1, 2], "padding": "valid"}, [3, 2]),
]


@pytest.mark.parametrize(("rank", "spatial", "config", "lengths"), CASES)
def test_implementations_agree(rank: int, spatial: list[int], config: dict[str, Any], lengths: list[int]) -> None:
    name, x = f"LocallyConnected{rank}D", random_array(2, *spatial, 2)
    config = {**config, "filters": 3, "activation": "tanh"}
    kernel, bias = (
        random_array(int(np.prod(lengths)), int(np.prod(config["kernel_size"])) * 2, 3),
        random_array(*lengths, 3),
    )
    first = LOCALLY_CONNECTED[name](layer_call(name, x, config, {"kernel": kernel, "bias": bias}))
    pairs = flat_pairs(spatial, lengths, config)
    dense = random_array(int(np.prod(spatial)) * 2, int(np.prod(lengths)) * 3)
    for (out, into), entry in pairs.items():
        dense[into, out] = kernel[entry]
    shaped = dense.reshape(*spatial, 2, *lengths, 3)
    sparse = np.array([kernel[pairs[pair]] for pair in sorted(pairs)])
    for implementation, stored in ((2, shaped), (3, sparse)):
        call = layer_call(
            name, x, {**config, "implementation": implementation}, {"kernel": stored, "bias": bias}, version="2.4.0"
        )
        np.testing.assert_allclose(LOCALLY_CONNECTED[name](call), first)
    assert first.shape == (2, *lengths, 3)


def slow_row(x: Array, kernel: Array, stride: int) -> Array:
    """LocallyConnected1D in its first implementation, position by position."""
    length, features, filters = kernel.shape
    window = features // x.shape[-1]
    y = np.zeros((x.shape[0], length, filters))
    for n, p in np.ndindex(x.shape[0], length):
        y[n, p] = x[n, p * stride : p * stride + window].ravel() @ kernel[p]
    return y


def test_first_implementation_matches_loops() -> None:
    x, kernel = random_array(2, 9, 2), random_array(4, 6, 3)
    call = layer_call("LocallyConnected1D", x, {"kernel_size": [3], "strides": [2]}, {"kernel": kernel})
    np.testing.assert_allclose(LOCALLY_CONNECTED["LocallyConnected1D"](call), slow_row(x, kernel, 2))


@pytest.mark.parametrize("implementation", [2, 3])
def test_same_centres_the_window(implementation: int) -> None:
    # Length 4, window 3, stride 2: the windows start at -1 and 1, where a convolution's start at 0 and 2.
    x = np.array([1.0, 10, 100, 1000]).reshape(1, 4, 1)
    config = {"kernel_size": [3], "strides": [2], "padding": "same", "filters": 1, "implementation": implementation}
    kernel = np.ones((4, 1, 2, 1)) if implementation == 2 else np.ones(5)
    call = layer_call("LocallyConnected1D", x, config, {"kernel": kernel}, version="2.4.0")
    assert LOCALLY_CONNECTED["LocallyConnected1D"](call).ravel().tolist() == [11, 1110]


def test_channels_first_orders_features_and_reshapes_the_bias() -> None:
    x, kernel = random_array(2, 2, 4, 5), random_array(6, 12, 3)
    bias = np.arange(18.0).reshape(3, 2, 3)
    config = {"kernel_size": [2, 3], "strides": [1, 2], "data_format": "channels_first"}
    call = layer_call("LocallyConnected2D", x, config, {"kernel": kernel, "bias": bias})
    y = LOCALLY_CONNECTED["LocallyConnected2D"](call)
    for number, (row, column) in enumerate(np.ndindex(3, 2)):
        patch = x[:, :, row : row + 2, column * 2 : column * 2 + 3].reshape(2, 12)
        expected = patch @ kernel[number] + bias.reshape(3, 3, 2)[:, row, column]
        np.testing.assert_allclose(y[:, :, row, column], expected)


@pytest.mark.parametrize(("rank", "spatial", "config", "lengths"), CASES)
def test_channels_first_of_the_later_implementations(
    rank: int, spatial: list[int], config: dict[str, Any], lengths: list[int]
) -> None:
    name, x = f"LocallyConnected{rank}D", random_array(2, *spatial, 2)
    config = {**config, "filters": 3, "implementation": 2}
    dense = random_array(*spatial, 2, *lengths, 3)
    last = LOCALLY_CONNECTED[name](layer_call(name, x, config, {"kernel": dense}, version="2.4.0"))
    moved = np.moveaxis(np.moveaxis(dense, rank, 0), -1, rank + 1)
    config = {**config, "data_format": "channels_first"}
    first = LOCALLY_CONNECTED[name](layer_call(name, np.moveaxis(x, -1, 1), config, {"kernel": moved}, version="2.4.0"))
    np.testing.assert_allclose(first, np.moveaxis(last, -1, 1))


@pytest.mark.parametrize(
    ("config", "kernel"),
    [
        ({"implementation": 4}, random_array(3, 4, 1)),
        ({"implementation": 1, "padding": "same"}, random_array(3, 4, 1)),
        ({"implementation": 3}, random_array(7)),
    ],
)
def test_what_is_not_known_is_not_answered(config: dict[str, Any], kernel: Array) -> None:
    config = {"kernel_size": [2], "filters": 1, **config}
    with pytest.raises(NotCovered):
        LOCALLY_CONNECTED["LocallyConnected1D"](
            layer_call("LocallyConnected1D", random_array(1, 4, 2), config, {"kernel": kernel}, version="2.4.0")
        )
