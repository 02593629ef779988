"""The convolutions of Keras 1 in both orderings and on both backends, against loops over the stored kernel."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.keras_1.convolution import KERAS_1_CONVOLUTIONS
from transforms.reference.layer_call import Array, NotCovered


def run(
    class_name: str,
    x: Array,
    config: dict[str, Any],
    weights: dict[str, Array],
    backend: str = "tensorflow",
) -> Array:
    return KERAS_1_CONVOLUTIONS[class_name](
        layer_call(class_name, x, config, weights, version="1.2.2", backend=backend)
    )


def slow_valid(x: Array, kernel: Array, strides: tuple[int, ...], rate: int, rotated: bool) -> Array:
    """th: x (n, c, *spatial) under kernel (f, c, *window) at every place where it fits, spelled out."""
    window = kernel.shape[2:]
    lengths = [(n - (k - 1) * rate - 1) // s + 1 for n, k, s in zip(x.shape[2:], window, strides, strict=True)]
    y = np.zeros((x.shape[0], kernel.shape[0], *lengths))
    for n, f in product(range(x.shape[0]), range(kernel.shape[0])):
        for place in np.ndindex(*lengths):
            for c, offset in product(range(x.shape[1]), np.ndindex(*window)):
                source = tuple(p * s + k * rate for p, s, k in zip(place, strides, offset, strict=True))
                tap = tuple(w - 1 - k for w, k in zip(window, offset, strict=True)) if rotated else offset
                y[(n, f, *place)] += x[(n, c, *source)] * kernel[(f, c, *tap)]
    return y


@pytest.mark.parametrize(("backend", "ordering"), product(["tensorflow", "theano"], ["th", "tf"]))
@pytest.mark.parametrize(
    ("rank", "strides", "rate"), [(2, (1, 1), 1), (2, (2, 1), 1), (2, (1, 1), 2), (3, (1, 2, 1), 1)]
)
def test_both_orderings_on_both_backends(
    backend: str, ordering: str, rank: int, strides: tuple[int, ...], rate: int
) -> None:
    x, kernel, bias = (
        random_array(2, 2, 5, 6, 4)[..., : (4 if rank == 3 else 1)],
        random_array(3, 2, 2, 3, 2),
        random_array(3),
    )
    if rank == 2:
        x, kernel = x[..., 0], kernel[..., 0]
    config = {"border_mode": "valid", "subsample": list(strides), "dim_ordering": ordering, "activation": "linear"}
    if rate > 1:
        config["atrous_rate"] = [rate, rate]
    class_name = f"{'Atrous' if rate > 1 else ''}Convolution{rank}D"
    expected = slow_valid(x, kernel, strides, rate, rotated=backend == "theano") + bias.reshape(-1, *(1,) * rank)
    if ordering == "th":
        y = run(class_name, x, config, {"W": kernel, "b": bias}, backend)
    else:
        stored = np.moveaxis(np.moveaxis(kernel, 0, -1), 0, -2)
        y = np.moveaxis(run(class_name, np.moveaxis(x, 1, -1), config, {"W": stored, "b": bias}, backend), -1, 1)
    np.testing.assert_allclose(y, expected)


ROW = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1)


@pytest.mark.parametrize(
    ("backend", "border_mode", "length", "stride", "expected"),
    [
        ("tensorflow", "valid", 3, 1, [321, 432]),
        ("tensorflow", "same", 3, 2, [321, 43]),
        ("tensorflow", "same", 2, 1, [21, 32, 43, 4]),
        ("theano", "valid", 3, 1, [123, 234]),
        ("theano", "same", 3, 2, [12, 234]),
        ("theano", "same", 2, 1, [1, 12, 23, 34]),
        ("theano", "full", 3, 1, [1, 12, 123, 234, 340, 400]),
        ("theano", "full", 2, 2, [1, 23, 40]),
    ],
)
def test_borders_of_a_row(backend: str, border_mode: str, length: int, stride: int, expected: list[float]) -> None:
    kernel = np.array([1.0, 10, 100][:length])
    config = {"border_mode": border_mode, "filter_length": length, "nb_filter": 1, "subsample_length": stride}
    layouts = kernel.reshape(length, 1, 1, 1), kernel.reshape(1, 1, length, 1)
    for stored in layouts:
        y = run("Convolution1D", ROW, config, {"W": stored}, backend)
        assert y.ravel().tolist() == expected


def test_the_kernel_layout_from_before_1_1() -> None:
    new = random_array(3, 1, 2, 5)
    config = {"border_mode": "valid", "filter_length": 3, "nb_filter": 5, "activation": "tanh"}
    x = random_array(2, 6, 2)
    old = run("Convolution1D", x, config, {"W": np.transpose(new, (3, 2, 0, 1))})
    np.testing.assert_array_equal(old, run("Convolution1D", x, config, {"W": new}))


def test_full_exists_on_theano_only() -> None:
    config = {"border_mode": "full", "filter_length": 1, "nb_filter": 1}
    with pytest.raises(NotCovered, match="full"):
        run("Convolution1D", ROW, config, {"W": np.ones((1, 1, 1, 1))})


def test_even_windows_on_volumes_under_theano() -> None:
    config = {"border_mode": "same", "dim_ordering": "th"}
    with pytest.raises(NotCovered, match="releases of Theano"):
        run("Convolution3D", np.ones((1, 1, 3, 3, 3)), config, {"W": np.ones((1, 1, 3, 2, 3))}, "theano")


@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_separable(ordering: str) -> None:
    x, depthwise, pointwise = random_array(1, 2, 4, 5), random_array(3, 2, 2, 2), random_array(4, 6, 1, 1)
    expected = np.zeros((1, 4, 3, 4))
    for row, column in np.ndindex(3, 4):
        for c, m in np.ndindex(2, 3):
            value = (x[0, c, row : row + 2, column : column + 2] * depthwise[m, c]).sum()
            expected[0, :, row, column] += value * pointwise[:, c * 3 + m, 0, 0]
    config = {"border_mode": "valid", "dim_ordering": ordering}
    weights = {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise}
    if ordering == "tf":
        weights = {role: np.transpose(kernel, (2, 3, 1, 0)) for role, kernel in weights.items()}
        x = np.moveaxis(x, 1, -1)
    y = run("SeparableConvolution2D", x, config, weights)
    np.testing.assert_allclose(np.moveaxis(y, -1, 1) if ordering == "tf" else y, expected)


def test_separable_needs_tensorflow() -> None:
    with pytest.raises(NotCovered, match="TensorFlow only"):
        run("SeparableConvolution2D", ROW[..., np.newaxis], {}, {}, "theano")


@pytest.mark.parametrize(
    ("backend", "border_mode", "length", "stride", "wanted", "expected"),
    [
        ("tensorflow", "valid", 3, 1, 4, [1, 12, 120, 200]),
        ("tensorflow", "valid", 2, 2, 4, [1, 10, 2, 20]),
        # a position that no window reaches
        ("tensorflow", "valid", 2, 2, 5, [1, 10, 2, 20, 0]),
        ("tensorflow", "same", 3, 2, 4, [1, 10, 102, 20]),
        ("tensorflow", "same", 3, 2, 3, [10, 102, 20]),
        ("theano", "valid", 3, 1, 4, [100, 210, 21, 2]),
        ("theano", "same", 3, 2, 4, [10, 201, 20, 2]),
        # one position less than given, and then cut to ceil(2 / s) positions, as a convolution of the input would be
        ("theano", "same", 2, 1, 1, [21]),
        ("theano", "same", 2, 2, 3, [1]),
    ],
)
def test_deconvolution_of_a_row(
    backend: str, border_mode: str, length: int, stride: int, wanted: int, expected: list[float]
) -> None:
    x = np.array([1.0, 2]).reshape(1, 1, 2, 1)
    kernel = np.array([1.0, 10, 100][:length]).reshape(1, 1, length, 1)
    config = {
        "border_mode": border_mode,
        "dim_ordering": "th",
        "subsample": [stride, 1],
        "output_shape": [None, 1, wanted, 1],
    }
    y = run("Deconvolution2D", x, config, {"W": kernel}, backend)
    assert y.shape[1:] == (1, len(expected), 1)
    assert y.ravel().tolist() == expected


def test_deconvolution_tells_filters_from_channels() -> None:
    x, kernel = random_array(1, 2, 3, 3), random_array(4, 2, 2, 2)
    expected = np.zeros((1, 4, 4, 4))
    for row, column in np.ndindex(3, 3):
        for f, c in np.ndindex(4, 2):
            expected[0, f, row : row + 2, column : column + 2] += x[0, c, row, column] * kernel[f, c]
    config = {"border_mode": "valid", "dim_ordering": "th", "output_shape": [None, 4, 4, 4]}
    np.testing.assert_allclose(run("Deconvolution2D", x, config, {"W": kernel}), expected)


@pytest.mark.parametrize(
    ("output_shape", "message"),
    [([None, 1, 9, 1], "9 positions"), ([2, 1, 3, 1], "a batch of 1"), (None, "output_shape")],
)
def test_deconvolution_refuses(output_shape: list[int | None] | None, message: str) -> None:
    config = {"border_mode": "valid", "dim_ordering": "th", "output_shape": output_shape}
    with pytest.raises(NotCovered, match=message):
        run("Deconvolution2D", np.ones((1, 1, 2, 1)), config, {"W": np.ones((1, 1, 2, 1))})
