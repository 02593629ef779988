"""Functions of `tf.image` over colours and edges (tensorflow/python/ops/image_ops_impl.py of 1.15 and 2.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array
from transforms.reference.layer_call import Array, NotCovered


def _sobel(image: Any) -> Array:
    """(n, h, w, c) -> (n, h, w, c, 2): dy and dx, the border reflected."""
    x = np.pad(array(image), [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    height, width = x.shape[1] - 2, x.shape[2] - 2
    kernel = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
    edges = []
    for weights in (kernel, kernel.T):
        edges.append(sum(weights[i, j] * x[:, i : i + height, j : j + width] for i in range(3) for j in range(3)))
    return np.stack(edges, axis=-1)


def _gradients(image: Any) -> tuple[Array, Array]:
    """What the next row and the next column differ by, zeros at the end."""
    x = array(image)
    dy, dx = np.zeros_like(x), np.zeros_like(x)
    dy[:, :-1] = x[:, 1:] - x[:, :-1]
    dx[:, :, :-1] = x[:, :, 1:] - x[:, :, :-1]
    return dy, dx


def _variation(images: Any) -> Array:
    """Sum of |x[i+1, j] - x[i, j]| + |x[i, j+1] - x[i, j]| over each image."""
    x = array(images)
    over = (-3, -2, -1)
    rows = np.abs(x[..., 1:, :, :] - x[..., :-1, :, :]).sum(axis=over)
    columns = np.abs(x[..., :, 1:, :] - x[..., :, :-1, :]).sum(axis=over)
    return np.asarray(rows + columns)


def _noise(a: Any, b: Any, max_val: Any) -> Array:
    """20 log10(max) - 10 log10(mean of (a - b)^2)."""
    x, y = array(a), array(b)
    if x.dtype.kind != "f" or y.dtype.kind != "f":
        raise NotCovered("image.psnr of integers")
    error = np.mean(np.square(x - y), axis=(-3, -2, -1))
    return np.asarray(20.0 * np.log10(float(max_val)) - 10.0 * np.log10(error))


COLOURS_AND_EDGES: Mapping[str, Callable[..., Any]] = {
    "image.image_gradients": _gradients,
    "image.psnr": _noise,
    "image.sobel_edges": _sobel,
    "image.total_variation": _variation,
}
