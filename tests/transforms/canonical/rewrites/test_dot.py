"""Dot as a matrix product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.canonical.layer_rewrites import context, layer_rewrite
from tests.transforms.reference.models import functional, node, parse, placeholder
from transforms.canonical.rewrites.single_layer import expand_dot_to_matrix_product, may_have_more_than_three_axes
from transforms.rebuild.tensor_ops import TENSOR_OPS


@pytest.mark.parametrize(
    ("left", "right", "axes", "equation"),
    [
        ((2, 4, 3), (2, 5, 3), 3, "npik,npjk->npij"),
        ((2, 4, 3), (2, 3, 5), [3, 2], "npik,npkj->npij"),
        ((2, 3, 4), (2, 3, 5), 2, "npki,npkj->npij"),
        ((4, 3), (5, 3), -1, "nik,njk->nij"),
        ((4, 3), (3,), [2, 1], "nik,nk->ni"),
        ((3,), (4, 3), [1, 2], "nk,nik->ni"),
    ],
)
def test_the_axes_before_the_last_two_pair_up(left: Any, right: Any, axes: int | list[int], equation: str) -> None:
    import tensorflow as tf

    draw = np.random.default_rng(0).normal
    x, y = draw(size=(2, *left)), draw(size=(2, *right))
    product = TENSOR_OPS["matrix_product"](tf.constant(x), tf.constant(y), axes=axes, normalize=False)
    np.testing.assert_allclose(product, np.einsum(equation, x, y), rtol=1e-12)


def test_two_vectors_and_their_lengths() -> None:
    import tensorflow as tf

    x, y = tf.constant([[3.0, 4.0]]), tf.constant([[0.0, 2.0]])
    assert TENSOR_OPS["matrix_product"](x, y, axes=1, normalize=True).numpy().tolist() == [[np.float32(0.8)]]


@pytest.mark.parametrize(
    ("version", "backend", "rewritten"),
    [
        ("1.2.2", "tensorflow", True),
        ("2.2.4", "tensorflow", True),
        ("2.2.4-tf", "tensorflow", True),
        ("2.3.1", "tensorflow", False),
        ("2.2.4", "theano", False),
        ("2.4.0", "tensorflow", False),
    ],
)
def test_which_runtimes_multiplied_matrices(version: str, backend: str, rewritten: bool) -> None:
    before = layer_rewrite("Dot", {"axes": 3})
    assert (expand_dot_to_matrix_product(before, context(version, backend)) is not before) == rewritten
    assert expand_dot_to_matrix_product(before, context(version, backend, more_than_three_axes=False)) is before


@pytest.mark.parametrize(
    ("shape", "class_name", "config", "found"),
    [
        ([None, 4, 3], "Dense", {"units": 2}, False),
        ([None, 4, 3, 2], "Dense", {"units": 2}, True),
        (None, "Dense", {"units": 2}, True),
        ([None, 12], "Reshape", {"target_shape": [2, 3, 2]}, True),
        ([None, 4, 3], "Embedding", {"input_dim": 5, "output_dim": 2}, True),
        ([None, 4], "Embedding", {"input_dim": 5, "output_dim": 2}, False),
    ],
)
def test_models_that_cannot_have_more_axes(
    shape: list[int | None] | None, class_name: str, config: dict[str, Any], found: bool
) -> None:
    source = placeholder("x")
    source["config"]["batch_input_shape"] = shape
    graph = parse(functional([source, node(class_name, "inner", ["x"], **config)], ["inner"]))
    assert may_have_more_than_three_axes(graph) == found
