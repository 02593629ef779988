"""ZeroPadding, Cropping and UpSampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from transforms.records.runtime import Family
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.correlation import Pads
from transforms.reference.layers.spatial_layer import (
    channels_first,
    from_channels_last,
    sizes,
    to_channels_last,
)


def _zero_padding(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        amounts = _pairs(call, call.option("padding", 1), rank, ("pad", "padding"))
        return from_channels_last(np.pad(x, [(0, 0), *amounts, (0, 0)]), first)

    return layer


def _cropping(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        amounts = _pairs(call, call.option("cropping", 1), rank, ("crop", "cropping"))
        if any(before + after >= n for n, (before, after) in zip(x.shape[1:-1], amounts, strict=True)):
            raise NotCovered(f"cropping {list(amounts)} leaves nothing of {list(x.shape[1:-1])} positions", call.path)
        spatial = (slice(before, n - after) for n, (before, after) in zip(x.shape[1:-1], amounts, strict=True))
        return from_channels_last(x[(slice(None), *spatial)], first)

    return layer


def _pairs(call: LayerCall, value: Any, rank: int, names: tuple[str, str]) -> Pads:
    """Amounts before and after each axis from the spellings of Keras.

    p, or (p,) * rank: the same on both sides. ((a, b), ...): one pair for each axis. On one axis, (a, b) is that
    pair. Keras 1 also had (top, bottom, left, right), and dictionaries for ZeroPadding1D and 2D.
    """
    if isinstance(value, dict):
        sides = ("left", "right") if rank == 1 else ("top", "bottom", "left", "right")
        value = [value.get(f"{side}_{names[0]}", 0) for side in sides]
    if isinstance(value, int):
        return ((value, value),) * rank
    items = list(value) if isinstance(value, (list, tuple)) else []
    if len(items) == 2 * rank and all(isinstance(item, int) for item in items):
        return tuple((items[2 * axis], items[2 * axis + 1]) for axis in range(rank))
    pairs = [(item, item) if isinstance(item, int) else tuple(item) for item in items]
    if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        raise NotCovered(f"{names[1]} {value!r} on {rank} spatial axes", call.path)
    return tuple((before, after) for before, after in pairs)


def _repetition(rank: int) -> StatelessLayer:
    """UpSampling1D and 3D: `K.repeat_elements`, the same in every runtime."""

    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = call.x
        for axis, factor in enumerate(sizes(call, "size", rank, (2,) * rank)):
            x = np.repeat(x, factor, axis=axis + (2 if first else 1))
        return x

    return layer


def _upsampling_2d(call: LayerCall) -> Array:
    """UpSampling2D: `K.resize_images`, nearest or bilinear.

    Standalone Keras, and tf.keras up to 1.14, call TensorFlow's old `resize_*`, which place output i at input i * n /
    m; Theano's `bilinear_upsampling` by 2 gives the same (measured). tf.keras from 1.15 on calls `resize_images_v2`,
    which places it at (i + 1/2) * n / m - 1/2. Only the latter stores `interpolation` in the config of tf.keras files,
    so that the key distinguishes them; if it is missing, `nearest` is assumed, since such a file records nothing else.
    """
    first = channels_first(call, 2)
    factors = sizes(call, "size", 2, (2, 2))
    interpolation = call.option("interpolation", "nearest")
    half_pixel = call.runtime.family is not Family.KERAS and "interpolation" in call.config
    x = to_channels_last(call.x, first)
    for axis, factor in enumerate(factors, start=1):
        length = x.shape[axis]
        if interpolation == "nearest":
            # Theano's T.repeat, CNTK's repeat_elements, and either TensorFlow rule for whole factors.
            x = np.repeat(x, factor, axis=axis)
        elif interpolation == "bilinear" and call.runtime.backend != "cntk":
            x = interpolate(x, axis, _centres(length, length * factor, half_pixel))
        else:
            raise NotCovered(f"interpolation {interpolation!r} under {call.runtime.backend or 'tensorflow'}", call.path)
    return from_channels_last(x, first)


def _centres(length: int, wanted: int, half_pixel: bool) -> Array:
    """The position of each of the `wanted` outputs on an axis of `length` positions."""
    scale = length / wanted
    places = np.arange(wanted, dtype=np.float64)
    return (places + 0.5) * scale - 0.5 if half_pixel else places * scale


def interpolate(x: Array, axis: int, places: Array) -> Array:
    """Linear interpolation along an axis; beyond the first and last position the edge value is used."""
    last = x.shape[axis] - 1
    below = np.floor(places).astype(np.intp)
    shape = [1] * x.ndim
    shape[axis] = len(places)
    share = (places - below).reshape(shape)
    lower = np.take(x, np.clip(below, 0, last), axis=axis)
    upper = np.take(x, np.clip(below + 1, 0, last), axis=axis)
    return np.asarray(lower + (upper - lower) * share)


RESIZING: Mapping[str, StatelessLayer] = {
    **{f"ZeroPadding{rank}D": _zero_padding(rank) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": _cropping(rank) for rank in (1, 2, 3)},
    "UpSampling1D": _repetition(1),
    "UpSampling2D": _upsampling_2d,
    "UpSampling3D": _repetition(3),
}
