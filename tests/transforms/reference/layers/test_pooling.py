"""Pooling over windows and over all positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import NotCovered
from transforms.reference.layers.pooling import POOLING

ROW = np.array([3.0, 1, 4, 1, 5]).reshape(1, 5, 1)


@pytest.mark.parametrize(
    ("backend", "config", "largest", "mean"),
    [
        ("tensorflow", {"pool_size": [2], "padding": "valid"}, [3, 4], [2, 2.5]),
        ("tensorflow", {"pool_size": [2], "padding": "same"}, [3, 4, 5], [2, 2.5, 5]),
        (
            "tensorflow",
            {"pool_size": [3], "strides": [1], "padding": "same"},
            [3, 4, 4, 5, 5],
            [2, 8 / 3, 2, 10 / 3, 3],
        ),
        ("tensorflow", {"pool_size": [1], "strides": [3], "padding": "same"}, [3, 1], [3, 1]),
        # Theano pads k - 1 = 1 before an even window, so that it starts one position earlier
        ("theano", {"pool_size": [2], "padding": "same"}, [3, 4, 5], [3, 2.5, 3]),
        # and k - 2 = 3 before a window of 5
        ("theano", {"pool_size": [5], "strides": [2], "padding": "same"}, [3, 4, 5], [2, 2.25, 2.75]),
    ],
)
def test_windows_on_a_row(backend: str, config: dict[str, Any], largest: list[float], mean: list[float]) -> None:
    for name, expected in (("MaxPooling1D", largest), ("AveragePooling1D", mean)):
        y = POOLING[name](layer_call(name, ROW, config, backend=backend))
        np.testing.assert_allclose(y.ravel(), expected)


def test_keras_1_option_names() -> None:
    config = {"pool_length": 2, "stride": 1, "border_mode": "valid"}
    y = POOLING["MaxPooling1D"](layer_call("MaxPooling1D", ROW, config, version="1.2.2"))
    assert y.ravel().tolist() == [3, 4, 4, 5]


@settings(max_examples=30, deadline=None)
@given(
    spatial=st.lists(st.integers(3, 6), min_size=2, max_size=3),
    window=st.integers(1, 3),
    stride=st.integers(1, 3),
    average=st.booleans(),
)
def test_valid_windows_match_loops(spatial: list[int], window: int, stride: int, average: bool) -> None:
    rank = len(spatial)
    name = f"{'Average' if average else 'Max'}Pooling{rank}D"
    x = random_array(2, *spatial, 2)
    y = POOLING[name](layer_call(name, x, {"pool_size": [window] * rank, "strides": [stride] * rank}))
    for place in np.ndindex(*y.shape[1:-1]):
        cut = x[(slice(None), *(slice(p * stride, p * stride + window) for p in place))]
        reduced = (np.mean if average else np.max)(cut, axis=tuple(range(1, 1 + rank)))
        np.testing.assert_allclose(y[(slice(None), *place)], reduced)


@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D"])
def test_channels_first_is_a_transposition(name: str) -> None:
    x = random_array(2, 5, 6, 3)
    config: dict[str, Any] = {"pool_size": [2, 3], "padding": "same"}
    last = POOLING[name](layer_call(name, x, {**config, "data_format": "channels_last"}))
    first = POOLING[name](layer_call(name, np.moveaxis(x, -1, 1), {**config, "data_format": "channels_first"}))
    np.testing.assert_allclose(first, np.moveaxis(last, -1, 1))


def test_global_pools() -> None:
    x = random_array(2, 3, 4, 5, 6)
    np.testing.assert_allclose(POOLING["GlobalMaxPooling3D"](layer_call("_", x)), x.max(axis=(1, 2, 3)))
    kept = POOLING["GlobalAveragePooling3D"](layer_call("_", x, {"keepdims": True}, version="2.8.0"))
    np.testing.assert_allclose(kept, x.mean(axis=(1, 2, 3), keepdims=True))


def test_a_mask_weighs_the_mean() -> None:
    mask = np.array([[True, True, False, False, True], [False] * 5])
    x = np.concatenate([ROW, ROW])
    y = POOLING["GlobalAveragePooling1D"](layer_call("GlobalAveragePooling1D", x, masks=[mask]))
    np.testing.assert_allclose(y, np.array([[3], [np.nan]]))
    first = layer_call(
        "GlobalAveragePooling1D",
        np.moveaxis(x, 1, 2),
        {"data_format": "channels_first", "keepdims": True},
        masks=[mask],
        version="2.8.0",
    )
    np.testing.assert_allclose(POOLING["GlobalAveragePooling1D"](first), np.array([[[3]], [[np.nan]]]))


@pytest.mark.parametrize(
    ("name", "shape", "config", "version", "backend"),
    [
        ("GlobalAveragePooling1D", (1, 5, 1), {"mask": True}, "2.1.6", "tensorflow"),
        ("GlobalAveragePooling1D", (1, 1, 5), {"mask": True, "data_format": "channels_first"}, "2.2.4", "tensorflow"),
        ("GlobalMaxPooling1D", (1, 5, 1), {"mask": True}, "2.2.4", "tensorflow"),
        ("MaxPooling1D", (1, 5, 1), {"padding": "same"}, "2.2.4", "cntk"),
        ("MaxPooling1D", (1, 1, 1), {}, "2.2.4", "tensorflow"),
        ("MaxPooling2D", (1, 5, 5, 1), {}, "1.2.2", "tensorflow"),
        ("MaxPooling3D", (1, 5, 5, 5, 1), {"pool_size": [1, 2, 2], "padding": "same"}, "2.2.4", "theano"),
        ("MaxPooling3D", (1, 9, 9, 9, 1), {"pool_size": 1, "strides": 3, "padding": "same"}, "2.8.0", "tensorflow"),
    ],
)
def test_what_is_not_known_is_not_answered(
    name: str, shape: tuple[int, ...], config: dict[str, Any], version: str, backend: str
) -> None:
    masks = [np.ones((1, 5), dtype=bool)] if config.get("mask") else []
    with pytest.raises(NotCovered):
        POOLING[name](layer_call(name, np.zeros(shape), config, masks=masks, version=version, backend=backend))
