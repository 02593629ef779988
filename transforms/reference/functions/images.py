"""Functions of images, (n, height, width, channels)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, integers
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.resizing import interpolate


def _places(length: int, wanted: int, align_corners: bool, half_pixel: bool) -> Array:
    """The position of each output on the input's axis, in float32 as in the kernels (`CalculateResizeScale`)."""
    corners = align_corners and wanted > 1
    scale = np.float32((length - 1) / (wanted - 1)) if corners else np.float32(length) / np.float32(wanted)
    index = np.arange(wanted, dtype=np.float32)
    return np.asarray((index + np.float32(0.5)) * scale if half_pixel else index * scale)


def _nearest(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Array:
    x = array(images)
    for axis, wanted in enumerate(integers(size), start=1):
        places = _places(x.shape[axis], wanted, align_corners, half_pixel_centers)
        whole = np.floor(places + 0.5) if align_corners else np.floor(places)
        x = np.take(x, np.clip(whole.astype(np.int64), 0, x.shape[axis] - 1), axis=axis)
    return x


def _bilinear(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Array:
    x = array(images).astype(np.float64)
    for axis, wanted in enumerate(integers(size), start=1):
        places = _places(x.shape[axis], wanted, align_corners, half_pixel_centers).astype(np.float64)
        x = interpolate(x, axis, places - 0.5 if half_pixel_centers else places)
    return x


def _resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False
) -> Array:
    """`tf.image.resize`: aligned to pixel centres."""
    if preserve_aspect_ratio or antialias or method not in ("bilinear", "nearest"):
        raise NotCovered(f"image.resize with {method}, antialias {antialias}")
    rule = _bilinear if method == "bilinear" else _nearest
    return rule(images, size, half_pixel_centers=True)


def _to_grey(images: Any) -> Array:
    return np.asarray(array(images) @ np.array([[0.2989], [0.5870], [0.1140]]))


def _cropped(image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int) -> Array:
    rows = array(image)[..., offset_height : offset_height + target_height, :, :]
    return np.asarray(rows[..., offset_width : offset_width + target_width, :])


def _padded(image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int) -> Array:
    x = array(image)
    below = target_height - offset_height - x.shape[-3]
    right = target_width - offset_width - x.shape[-2]
    pads = [(0, 0)] * (x.ndim - 3) + [(offset_height, below), (offset_width, right), (0, 0)]
    return np.pad(x, pads)


def _depth_to_space(input: Any, block_size: int, data_format: str = "NHWC") -> Array:
    _refuse_channels_first(data_format)
    n, h, w, c = np.shape(input)
    b = int(block_size)
    x = np.reshape(input, (n, h, w, b, b, c // (b * b)))
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * b, w * b, -1)


def _space_to_depth(input: Any, block_size: int, data_format: str = "NHWC") -> Array:
    _refuse_channels_first(data_format)
    n, h, w, c = np.shape(input)
    b = int(block_size)
    x = np.reshape(input, (n, h // b, b, w // b, b, c))
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // b, w // b, b * b * c)


def _refuse_channels_first(data_format: str) -> None:
    if data_format != "NHWC":
        raise NotCovered(f"the data format {data_format}")


IMAGES: Mapping[str, Callable[..., Array]] = {
    "compat.v1.image.resize_bilinear": _bilinear,
    "compat.v1.image.resize_nearest_neighbor": _nearest,
    "image.resize": _resize,
    "image.rgb_to_grayscale": _to_grey,
    "image.grayscale_to_rgb": lambda images: np.repeat(array(images), 3, axis=-1),
    "image.flip_left_right": lambda image: np.flip(array(image), axis=-2),
    "image.flip_up_down": lambda image: np.flip(array(image), axis=-3),
    "image.crop_to_bounding_box": _cropped,
    "image.pad_to_bounding_box": _padded,
    "nn.depth_to_space": _depth_to_space,
    "nn.space_to_depth": _space_to_depth,
}
