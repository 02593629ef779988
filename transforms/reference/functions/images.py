"""Functions of images, (n, height, width, channels)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, integers
from transforms.reference.functions.resampling import resampled
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


def _by_area(images: Any, size: Any, align_corners: bool = False) -> Array:
    if align_corners:
        raise NotCovered("resizing by area with aligned corners")
    return resampled(array(images), integers(size), "area", False)


def _bicubic(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Array:
    if align_corners or not half_pixel_centers:
        raise NotCovered("bicubic resizing of TensorFlow 1")
    return resampled(array(images), integers(size), "bicubic", False)


def _resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False
) -> Array:
    """`tf.image.resize`: aligned to pixel centres."""
    if preserve_aspect_ratio:
        raise NotCovered("image.resize that keeps the aspect ratio")
    method = str(method).lower()
    if method == "nearest":
        return _nearest(images, size, half_pixel_centers=True)
    if method == "bilinear" and not antialias:
        return _bilinear(images, size, half_pixel_centers=True)
    return resampled(array(images), integers(size), method, bool(antialias))


def _resized_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: bool = False
) -> Array:
    """Resized by one ratio until it fits, zeros evenly around it; counted in float32 (`resize_image_with_pad`)."""
    x = array(image)
    wanted = [np.float32(int(target_height)), np.float32(int(target_width))]
    sizes = [np.float32(size) for size in x.shape[1:3]]
    ratio = max(size / target for size, target in zip(sizes, wanted, strict=True))
    fitting = [size / ratio for size in sizes]
    before = [
        max(0, int(np.floor((target - size) / np.float32(2)))) for target, size in zip(wanted, fitting, strict=True)
    ]
    small = _resize(x, [int(np.floor(size)) for size in fitting], method, antialias=antialias)
    return _padded(small, before[0], before[1], int(target_height), int(target_width))


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


def _middle(image: Any, central_fraction: float) -> Array:
    """The middle of an image; int((n - n f) / 2) pixels are cut off before and behind (`central_crop`)."""
    x = array(image)
    rows, columns = (int((size - size * central_fraction) / 2) for size in x.shape[-3:-1])
    return np.asarray(x[..., rows : x.shape[-3] - rows, columns : x.shape[-2] - columns, :])


def _cut_or_padded(image: Any, target_height: int, target_width: int) -> Array:
    """Cut or padded with zeros, evenly on both sides, the smaller half in front."""
    x = array(image)
    for axis, wanted in ((-3, int(target_height)), (-2, int(target_width))):
        more = wanted - x.shape[axis]
        if more < 0:
            x = np.take(x, range(-more // 2, -more // 2 + wanted), axis=axis)
        elif more > 0:
            pads = [(0, 0)] * x.ndim
            pads[axis] = (more // 2, more - more // 2)
            x = np.pad(x, pads)
    return np.asarray(x)


IMAGES: Mapping[str, Callable[..., Array]] = {
    "compat.v1.image.resize_bilinear": _bilinear,
    "compat.v1.image.resize_nearest_neighbor": _nearest,
    "compat.v1.image.resize_area": _by_area,
    "compat.v1.image.resize_bicubic": _bicubic,
    "image.resize": _resize,
    "image.flip_left_right": lambda image: np.flip(array(image), axis=-2),
    "image.flip_up_down": lambda image: np.flip(array(image), axis=-3),
    "image.central_crop": _middle,
    "image.resize_with_crop_or_pad": _cut_or_padded,
    "image.resize_with_pad": _resized_with_pad,
    "image.rot90": lambda image, k=1: np.rot90(array(image), int(k), axes=(-3, -2)),
    "image.transpose": lambda image: np.swapaxes(array(image), -3, -2),
    "image.crop_to_bounding_box": _cropped,
    "image.pad_to_bounding_box": _padded,
    "nn.depth_to_space": _depth_to_space,
    "nn.space_to_depth": _space_to_depth,
}
