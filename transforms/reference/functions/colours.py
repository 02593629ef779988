"""Functions of the colours of images, (…, channels): brightness and contrast, and other spaces than RGB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, clear_of_ties
from transforms.reference.layer_call import Array, NotCovered

# Kernels of tensorflow/python/ops/image_ops_impl.py.
_RGB_TO_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_YUV_TO_RGB = [[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]]
_RGB_TO_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_YIQ_TO_RGB = [[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_TO_GREY = [[0.2989], [0.5870], [0.1140]]


def _linear(kernel: list[list[float]]) -> Callable[..., Array]:
    return lambda images: np.asarray(array(images) @ np.array(kernel))


def _floats(image: Any) -> Array:
    x = array(image)
    if x.dtype.kind != "f":
        raise NotCovered("an image of integers, whose range it would be scaled by")
    return x


def _standardized(image: Any) -> Array:
    """(x - mean) / max(std, 1 / sqrt(N)) over the N numbers of each image (`per_image_standardization`)."""
    x = array(image).astype(np.float64)
    over = (-3, -2, -1)
    least = 1.0 / np.sqrt(np.prod(x.shape[-3:]))
    return np.asarray((x - x.mean(axis=over, keepdims=True)) / np.maximum(x.std(axis=over, keepdims=True), least))


def _contrasted(images: Any, contrast_factor: Any) -> Array:
    """(x - mean) * factor + mean, the mean over each channel of each image."""
    x = _floats(images)
    mean = x.mean(axis=(-3, -2), keepdims=True)
    return np.asarray((x - mean) * array(contrast_factor, x) + mean)


def _brightened(image: Any, delta: Any) -> Array:
    x = _floats(image)
    return np.asarray(x + array(delta, x))


def _gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Array:
    x = _floats(image)
    return np.asarray(array(gain, x) * x ** array(gamma, x))


def _same_kind(image: Any, dtype: Any = "float32", saturate: bool = False) -> Array:
    """`convert_image_dtype` between floats of one size, which changes nothing."""
    if str(dtype) != "float32":
        raise NotCovered(f"the conversion of an image to {dtype}")
    return _floats(image)


def _to_hsv(images: Any) -> Array:
    """Hue, saturation and value of RGB in [0, 1] (tensorflow/core/kernels/image/colorspace_op.h).

    With V = max, d = V - min: S = d / V, and H is (G - B) / 6d where R is the largest, 1/3 + (B - R) / 6d where G is,
    2/3 + (R - G) / 6d where B is, plus 1 where that is negative.
    """
    x = array(images)
    ordered = np.sort(x, axis=-1)
    clear_of_ties(ordered[..., :-1], ordered[..., 1:])
    red, green, blue = np.moveaxis(x, -1, 0)
    value, spread = ordered[..., -1], ordered[..., -1] - ordered[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(value > 0, spread / value, 0.0)
        hue = np.where(
            red == value,
            (green - blue) / (6 * spread),
            np.where(green == value, (blue - red) / (6 * spread) + 2 / 6, (red - green) / (6 * spread) + 4 / 6),
        )
    hue = np.where(spread > 0, hue, 0.0)
    return np.stack([np.where(hue < 0, hue + 1, hue), saturation, value], axis=-1)


def _from_hsv(images: Any) -> Array:
    """((1 - S) + S C) V, with C = |6H - 3| - 1 for red, 2 - |6H - 2| for green, 2 - |6H - 4| for blue, in [0, 1]."""
    hue, saturation, value = np.moveaxis(array(images), -1, 0)
    shares = [np.abs(hue * 6 - 3) - 1, 2 - np.abs(hue * 6 - 2), 2 - np.abs(hue * 6 - 4)]
    return np.stack([((1 - saturation) + saturation * np.clip(each, 0, 1)) * value for each in shares], axis=-1)


COLOURS: Mapping[str, Callable[..., Array]] = {
    "image.adjust_brightness": _brightened,
    "image.adjust_contrast": _contrasted,
    "image.adjust_gamma": _gamma,
    "image.convert_image_dtype": _same_kind,
    "image.grayscale_to_rgb": lambda images: np.repeat(array(images), 3, axis=-1),
    "image.hsv_to_rgb": _from_hsv,
    "image.per_image_standardization": _standardized,
    "image.rgb_to_grayscale": _linear(_TO_GREY),
    "image.rgb_to_hsv": _to_hsv,
    "image.rgb_to_yiq": _linear(_RGB_TO_YIQ),
    "image.rgb_to_yuv": _linear(_RGB_TO_YUV),
    "image.yiq_to_rgb": _linear(_YIQ_TO_RGB),
    "image.yuv_to_rgb": _linear(_YUV_TO_RGB),
}
