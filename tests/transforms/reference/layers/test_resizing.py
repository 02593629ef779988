"""ZeroPadding, Cropping and UpSampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import NotCovered
from transforms.reference.layers.resizing import RESIZING


@pytest.mark.parametrize(
    ("rank", "padding", "expected"),
    [
        (1, 2, [[2, 2]]),
        (1, [1, 3], [[1, 3]]),
        (1, {"left_pad": 1, "right_pad": 2}, [[1, 2]]),
        (2, 1, [[1, 1], [1, 1]]),
        (2, [1, 2], [[1, 1], [2, 2]]),
        (2, [[1, 0], [2, 3]], [[1, 0], [2, 3]]),
        (2, [1, 0, 2, 3], [[1, 0], [2, 3]]),
        (2, {"top_pad": 1, "left_pad": 2, "right_pad": 3}, [[1, 0], [2, 3]]),
        (3, [1, 0, 2], [[1, 1], [0, 0], [2, 2]]),
        (3, [[1, 0], [0, 2], [0, 0]], [[1, 0], [0, 2], [0, 0]]),
    ],
)
def test_spellings_of_padding(rank: int, padding: Any, expected: list[list[int]]) -> None:
    x, name = random_array(2, *[3, 4, 5][:rank], 2), f"ZeroPadding{rank}D"
    y = RESIZING[name](layer_call(name, x, {"padding": padding}))
    np.testing.assert_array_equal(y, np.pad(x, [(0, 0), *expected, (0, 0)]))
    first = RESIZING[name](
        layer_call(name, np.moveaxis(x, -1, 1), {"padding": padding, "data_format": "channels_first"})
    )
    np.testing.assert_array_equal(first, np.moveaxis(y, -1, 1))


@settings(max_examples=30, deadline=None)
@given(amounts=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3))
def test_cropping_undoes_padding(amounts: list[tuple[int, int]]) -> None:
    rank = len(amounts)
    x = random_array(1, *[2, 3, 4][:rank], 2)
    stored: Any = [list(pair) for pair in amounts] if rank > 1 else list(amounts[0])
    padded = RESIZING[f"ZeroPadding{rank}D"](layer_call("_", x, {"padding": stored}))
    np.testing.assert_array_equal(RESIZING[f"Cropping{rank}D"](layer_call("_", padded, {"cropping": stored})), x)


def test_repetition() -> None:
    x = random_array(2, 3, 4, 5, 2)
    y = RESIZING["UpSampling3D"](layer_call("_", x, {"size": [2, 1, 3]}))
    np.testing.assert_array_equal(y, np.kron(x, np.ones((1, 2, 1, 3, 1))))
    nearest = RESIZING["UpSampling2D"](layer_call("_", x[:, 0], {"size": [7, 11]}))
    np.testing.assert_array_equal(nearest, np.kron(x[:, 0], np.ones((1, 7, 11, 1))))
    keras_1 = RESIZING["UpSampling1D"](layer_call("_", x[:, 0, 0], {"length": 3}, version="1.2.2"))
    np.testing.assert_array_equal(keras_1, np.repeat(x[:, 0, 0], 3, axis=1))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        # outputs at 0, 1/2, 1, 3/2, 2, 5/2 of the inputs 0 2 6
        ("2.2.4", [0, 1, 2, 4, 6, 6]),
        ("2.3.1", [0, 1, 2, 4, 6, 6]),
        # outputs at -1/4, 1/4, 3/4, 5/4, 7/4, 9/4
        ("2.2.4-tf", [0, 0.5, 1.5, 3, 5, 6]),
        ("2.8.0", [0, 0.5, 1.5, 3, 5, 6]),
    ],
)
def test_bilinear_places(version: str, expected: list[float]) -> None:
    x = np.array([0.0, 2, 6]).reshape(1, 3, 1, 1)
    config = {"size": [2, 1], "interpolation": "bilinear"}
    y = RESIZING["UpSampling2D"](layer_call("UpSampling2D", x, config, version=version))
    np.testing.assert_allclose(y.ravel(), expected)
    first = {**config, "size": [1, 2], "data_format": "channels_first"}
    y = RESIZING["UpSampling2D"](layer_call("UpSampling2D", x.reshape(1, 1, 1, 3), first, version=version))
    np.testing.assert_allclose(y.ravel(), expected)


@pytest.mark.parametrize(
    ("name", "config", "version", "backend"),
    [
        ("UpSampling2D", {"interpolation": "bicubic"}, "2.15.0", "tensorflow"),
        ("UpSampling2D", {"interpolation": "bilinear"}, "2.2.4", "cntk"),
        ("ZeroPadding2D", {"padding": [1, 1]}, "1.2.2", "tensorflow"),
        ("ZeroPadding2D", {"padding": [1, 2, 3]}, "2.2.4", "tensorflow"),
        ("Cropping2D", {"cropping": 2}, "2.2.4", "tensorflow"),
    ],
)
def test_what_is_not_known_is_not_answered(name: str, config: dict[str, Any], version: str, backend: str) -> None:
    with pytest.raises(NotCovered):
        RESIZING[name](layer_call(name, np.zeros((1, 4, 4, 1)), config, version=version, backend=backend))
