"""Which positions of the spread output a transposed convolution puts out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.transforms.canonical.layer_rewrites import context, inside, layer_rewrite
from transforms.canonical.model import LayerRewrite
from transforms.canonical.rewrites.transposed_convolution import (
    state_deconvolution_length,
    transpose_convolution_as_theano,
)


def deconvolution(length: int, window: int, stride: int, padding: str) -> LayerRewrite:
    config = {"padding": padding, "strides": [stride] * 2, "output_shape": [None, length, length, 3]}
    return layer_rewrite("Conv2DTranspose", config, {"kernel": np.zeros((window, window, 3, 2), "f4")})


@pytest.mark.parametrize(
    ("backend", "length", "window", "stride", "padding", "output_padding", "cropping"),
    [
        # 5 inputs spread over 14 positions
        ("tensorflow", 14, 2, 3, "same", 0, None),
        # 14 positions and 2 zeros
        ("tensorflow", 16, 2, 3, "valid", 2, None),
        # 5 inputs spread over 11 positions, of which TensorFlow's padding took the first
        ("tensorflow", 9, 3, 2, "same", 0, [1, 1]),
        ("theano", 9, 3, 2, "same", 0, [1, 1]),
        # 11 positions: Theano begins at the second whatever the length
        ("theano", 10, 3, 2, "same", 0, [1, 0]),
        # 5 inputs spread over 6, of which `same` would leave 4
        ("theano", 4, 2, 1, "same", 0, [1, 1]),
        # an even window: 5 inputs spread over 12, cut to ceil(5 / 2)
        ("theano", 8, 4, 2, "same", 0, [2, 7]),
    ],
)
def test_a_stated_length(
    backend: str,
    length: int,
    window: int,
    stride: int,
    padding: str,
    output_padding: int,
    cropping: list[int] | None,
) -> None:
    done = state_deconvolution_length(deconvolution(length, window, stride, padding), context("1.2.2", backend))
    (_, spread), *behind = inside(done)
    assert (spread["padding"], spread["output_padding"]) == ("valid", [output_padding] * 2)
    assert [config["cropping"] for _, config in behind] == ([] if cropping is None else [[cropping] * 2])
    assert [note.rule for note in done.rewrites] == ["keras_1_deconvolution"]


@pytest.mark.parametrize(("length", "padding"), [(10, "same"), (11, "valid")])
def test_the_length_of_keras_2_needs_no_rewrite(length: int, padding: str) -> None:
    before = deconvolution(length, 3, 2, padding)
    assert state_deconvolution_length(before, context("1.2.2", "tensorflow")) is before


@pytest.mark.parametrize(
    ("window", "stride", "stated", "output_padding", "cropping"),
    [(3, 2, None, 0, [1, 0]), (5, 2, None, 0, [2, 1]), (1, 2, None, 1, None), (3, 3, 2, 1, [1, 0])],
)
def test_theano_begins_half_a_window_in(
    window: int, stride: int, stated: int | None, output_padding: int, cropping: list[int] | None
) -> None:
    config = {"padding": "same", "strides": [stride] * 2, "output_padding": stated and [stated] * 2}
    before = layer_rewrite("Conv2DTranspose", config, {"kernel": np.zeros((window, window, 3, 2), "f4")})
    (_, spread), *behind = inside(transpose_convolution_as_theano(before, context()))
    assert spread["output_padding"] == [output_padding] * 2
    assert [config["cropping"] for _, config in behind] == ([] if cropping is None else [[cropping] * 2])


def test_without_strides_both_backends_begin_alike() -> None:
    before = layer_rewrite(
        "Conv2DTranspose", {"padding": "same", "strides": [1, 1]}, {"kernel": np.zeros((3, 3, 3, 2), "f4")}
    )
    assert transpose_convolution_as_theano(before, context()) is before
