"""Layers without state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.core_layers import CORE_LAYERS, TRAINING_ONLY


def _run(class_name: str, x: Array, weights: dict[str, Array] | None = None, **config: Any) -> Array:
    return CORE_LAYERS[class_name](layer_call(class_name, x, config, weights, version="2.15.0"))


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 3), (2, 2, 2, 3)])
def test_dense_works_on_the_last_axis(shape: tuple[int, ...]) -> None:
    x, kernel, bias = random_array(*shape), random_array(3, 5), random_array(5)
    y = _run("Dense", x, {"kernel": kernel, "bias": bias}, activation="relu")
    for index in np.ndindex(*shape[:-1]):
        expected = [max(0.0, sum(x[index][d] * kernel[d, u] for d in range(3)) + bias[u]) for u in range(5)]
        np.testing.assert_allclose(y[index], expected)


def test_embedding_looks_rows_up() -> None:
    table = random_array(4, 3)
    np.testing.assert_array_equal(_run("Embedding", np.array([[3.0, 0.0]]), {"embeddings": table}), table[[[3, 0]]])


@pytest.mark.parametrize("ids", [[[4]], [[-1]]])
def test_embedding_outside_the_vocabulary(ids: list[list[int]]) -> None:
    with pytest.raises(NotCovered, match="vocabulary of 4"):
        _run("Embedding", np.array(ids), {"embeddings": random_array(4, 3)})


def test_masking_zeroes_steps_that_hold_the_value_throughout() -> None:
    x = np.array([[[0.1, 0.1], [0.1, 2.0], [3.0, 0.1]]], dtype=np.float32).astype(float)
    np.testing.assert_array_equal(_run("Masking", x, mask_value=0.1), x * np.array([0, 1, 1])[None, :, None])


@pytest.mark.parametrize(
    ("data_format", "expected"),
    [(None, range(6)), ("channels_last", range(6)), ("channels_first", [0, 3, 1, 4, 2, 5])],
)
def test_flatten(data_format: str | None, expected: Any) -> None:
    x = np.arange(6.0).reshape(1, 2, 3)
    np.testing.assert_array_equal(_run("Flatten", x, data_format=data_format), [list(expected)])
    np.testing.assert_array_equal(_run("Flatten", np.arange(2.0), data_format=data_format), [[0], [1]])


@pytest.mark.parametrize(
    ("class_name", "config", "shape"),
    [
        ("Reshape", {"target_shape": [6, 4]}, (2, 6, 4)),
        ("Reshape", {"target_shape": [-1, 8]}, (2, 3, 8)),
        ("Permute", {"dims": [3, 1, 2]}, (2, 4, 3, 2)),
    ],
)
def test_shapes(class_name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    x = random_array(2, 3, 2, 4)
    y = _run(class_name, x, **config)
    assert y.shape == shape
    if class_name == "Reshape":
        np.testing.assert_array_equal(y.ravel(), x.ravel())
    else:
        assert y[1, 3, 2, 1] == x[1, 2, 1, 3]


def test_repeat_vector() -> None:
    x = random_array(2, 3)
    np.testing.assert_array_equal(_run("RepeatVector", x, n=4), np.stack([x] * 4, axis=1))


@pytest.mark.parametrize("name", TRAINING_ONLY)
def test_what_acts_in_training_only(name: str) -> None:
    x = random_array(2, 3, 4)
    np.testing.assert_array_equal(_run(name, x, rate=0.5), x)


@pytest.mark.parametrize("shared", [(), (1,)])
def test_prelu(shared: tuple[int, ...]) -> None:
    x = random_array(2, 3, 4)
    alpha = random_array(*(1 if axis in shared else size for axis, size in enumerate(x.shape[1:], start=1)))
    y = _run("PReLU", x, {"alpha": alpha})
    for n, i, j in np.ndindex(*x.shape):
        slope = alpha[0 if shared else i, j]
        assert y[n, i, j] == pytest.approx(x[n, i, j] if x[n, i, j] > 0 else slope * x[n, i, j])


@pytest.mark.parametrize(("version", "masked"), [("2.2.4-tf", False), ("2.8.0", True), ("2.3.1", False)])
def test_softmax_under_a_mask(version: str, masked: bool) -> None:
    """TensorFlow 2.4 and later add -1e9 where the mask is False; a row that is all False comes out even."""
    x = np.log(np.array([[1.0, 3.0], [1.0, 3.0]]))
    call = layer_call("Softmax", x, {"axis": -1}, masks=[np.array([[True, False], [False, False]])], version=version)
    expected = [[1, 0], [0.5, 0.5]] if masked else [[0.25, 0.75]] * 2
    np.testing.assert_allclose(CORE_LAYERS["Softmax"](call), expected)


def test_softmax_under_a_mask_that_two_releases_treat_differently() -> None:
    x = np.zeros((2, 2))
    with pytest.raises(NotCovered, match=r"2\.3 ignores"):
        CORE_LAYERS["Softmax"](layer_call("Softmax", x, masks=[np.ones((2, 2), dtype=bool)], version="2.4.0"))
    # One that cannot be added can only have been ignored.
    steps = layer_call("Softmax", np.zeros((2, 3, 4)), masks=[np.ones((2, 3), dtype=bool)], version="2.4.0")
    np.testing.assert_array_equal(CORE_LAYERS["Softmax"](steps), np.full((2, 3, 4), 0.25))
