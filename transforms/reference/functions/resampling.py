"""Resizing of images by weights: bicubic, by area, and by the kernels of ScaleAndTranslate.

y[i] = sum over j of W[i, j] x[j] along each spatial axis, with a W for each method. Output i lies at (i + 1/2) n / m of
an axis of n pixels, each of which is centred at j + 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from transforms.reference.layer_call import Array, NotCovered

#: Steps of the table of bicubic weights (`kTableSize` in tensorflow/core/kernels/image/resize_bicubic_op.cc).
_TABLE = 1024


def _keys(x: Array) -> Array:
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _mitchell(x: Array) -> Array:
    near = (((7.0 / 6.0) * x - 2.0) * x) * x + 8.0 / 9.0
    far = (((-7.0 / 18.0) * x + 2.0) * x - 10.0 / 3.0) * x + 16.0 / 9.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(radius: float) -> Callable[[Array], Array]:
    return lambda x: np.where(x > radius, 0.0, np.sinc(x) * np.sinc(x / radius))


def _gaussian(x: Array) -> Array:
    """Of radius 1.5 and a third of that as deviation."""
    return np.where(x < 1.5, np.exp(-x * x / (2.0 * 0.5 * 0.5)), 0.0)


#: Kernel and radius by method (tensorflow/core/kernels/image/sampling_kernels.h).
_KERNELS: Mapping[str, tuple[Callable[[Array], Array], float]] = {
    "bilinear": (lambda x: np.maximum(1.0 - x, 0.0), 1.0),
    "bicubic": (_keys, 2.0),
    "lanczos3": (_lanczos(3.0), 3.0),
    "lanczos5": (_lanczos(5.0), 5.0),
    "gaussian": (_gaussian, 1.5),
    "mitchellcubic": (_mitchell, 2.0),
}


def resampled(images: Array, size: Sequence[int], method: str, antialias: bool) -> Array:
    """Images (n, height, width, channels) of another size, as `tf.image.resize` of TensorFlow 2 makes them.

    Raises NotCovered for a method that it does not have.
    """
    if method == "area":
        weights = _area_weights
    elif method == "bicubic" and not antialias:
        weights = _bicubic_weights
    elif method in _KERNELS:
        kernel, radius = _KERNELS[method]

        def weights(length: int, wanted: int) -> Array:
            return _kernel_weights(length, wanted, kernel, radius, antialias)
    else:
        raise NotCovered(f"resizing by the method {method}")
    rows, columns = (weights(images.shape[axis], wanted) for axis, wanted in zip((1, 2), size, strict=True))
    return np.asarray(np.einsum("ih,nhwc,jw->nijc", rows, images.astype(np.float64), columns, optimize=True))


def _kernel_weights(
    length: int, wanted: int, kernel: Callable[[Array], Array], radius: float, antialias: bool
) -> Array:
    """`ComputeSpansCore` in scale_and_translate_op.cc: a wider kernel where a smaller image is smoothed."""
    step = length / wanted
    wide = max(step, 1.0) if antialias else 1.0
    places = (np.arange(wanted) + 0.5) * step
    distance = np.abs(np.arange(length) + 0.5 - places[:, np.newaxis])
    weights = np.where(distance <= radius * wide, kernel(distance / wide), 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _bicubic_weights(length: int, wanted: int) -> Array:
    """Keys's kernel over the four nearest pixels, those outside the image left out (`GetWeightsAndIndices`)."""
    places = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * (np.float32(length) / np.float32(wanted))
    places = places - np.float32(0.5)
    first = np.floor(places).astype(np.int64)
    share = np.rint((places - first) * _TABLE).astype(np.float64) / _TABLE
    weights = np.zeros((wanted, length))
    for offset in (-1, 0, 1, 2):
        found = _keys(np.abs(share - offset))
        inside = (first + offset >= 0) & (first + offset < length)
        rows = np.flatnonzero(inside)
        weights[rows, first[rows] + offset] += found[rows]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _area_weights(length: int, wanted: int) -> Array:
    """The part of each output's stretch of the axis that a pixel covers (resize_area_op.cc)."""
    step = length / wanted
    starts = np.arange(wanted)[:, np.newaxis] * step
    pixels = np.arange(length)[np.newaxis]
    overlap = np.minimum(starts + step, pixels + 1.0) - np.maximum(starts, pixels)
    return np.asarray(np.maximum(overlap, 0.0) / step)
