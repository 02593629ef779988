"""Functions of `tf.image` over colours and edges (tensorflow/python/ops/image_ops_impl.py of 1.15 and 2.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array
from transforms.reference.layer_call import Array, NotCovered

#: Colours as rows: the new channels of red, of green and of blue.
_YUV = np.array([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])
_RGB_OF_YUV = np.array([[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]])
_YIQ = np.array([[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]])
_RGB_OF_YIQ = np.array([[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]])


def _colours(matrix: Array) -> Callable[..., Array]:
    return lambda images: np.asarray(array(images) @ matrix)


def _hsv(images: Any) -> Array:
    """Hue in [0, 1), saturation (max - min) / max, value max (`RGBToHSV` in core/kernels/colorspace_op.h)."""
    x = array(images)
    r, g, b = np.moveaxis(x, -1, 0)
    value = x.max(axis=-1)
    spread = value - x.min(axis=-1)
    saturation = np.where(value > 0, spread / np.where(value > 0, value, 1.0), 0.0)
    unit = 1.0 / (6.0 * np.where(spread > 0, spread, 1.0))
    hue = np.where(r == value, unit * (g - b), np.where(g == value, unit * (b - r) + 2 / 6, unit * (r - g) + 4 / 6))
    hue = np.where(spread > 0, hue, 0.0)
    return np.stack([np.where(hue < 0, hue + 1.0, hue), saturation, value], axis=-1)


def _rgb(images: Any) -> Array:
    """Back: each channel is value (1 - saturation (1 - d)), d how near the hue is to it."""
    h, s, v = np.moveaxis(array(images), -1, 0)
    dh = h * 6.0
    nearness = [np.clip(np.abs(dh - 3.0) - 1.0, 0, 1), np.clip(2.0 - np.abs(dh - 2.0), 0, 1)]
    nearness.append(np.clip(2.0 - np.abs(dh - 4.0), 0, 1))
    return np.stack([((1.0 - s) + s * d) * v for d in nearness], axis=-1)


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


def _gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Array:
    """Gain * x ^ gamma."""
    x = array(image)
    if x.dtype.kind != "f":
        raise NotCovered("image.adjust_gamma of integers")
    return np.asarray(array(gain, x) * x ** array(gamma, x))


def _cropped_or_padded(image: Any, target_height: Any, target_width: Any) -> Array:
    """The middle of the image, or the image in the middle of zeros: the odd line behind."""
    x = array(image)
    for axis, wanted in ((x.ndim - 3, int(target_height)), (x.ndim - 2, int(target_width))):
        spare = x.shape[axis] - wanted
        if spare > 0:
            x = np.take(x, range(spare // 2, spare // 2 + wanted), axis=axis)
        elif spare < 0:
            pads = [(0, 0)] * x.ndim
            pads[axis] = (-spare // 2, -spare - -spare // 2)
            x = np.pad(x, pads)
    return x


COLOURS_AND_EDGES: Mapping[str, Callable[..., Any]] = {
    "image.adjust_gamma": _gamma,
    "image.hsv_to_rgb": _rgb,
    "image.image_gradients": _gradients,
    "image.psnr": _noise,
    "image.resize_with_crop_or_pad": _cropped_or_padded,
    "image.rgb_to_hsv": _hsv,
    "image.rgb_to_yiq": _colours(_YIQ),
    "image.rgb_to_yuv": _colours(_YUV),
    "image.sobel_edges": _sobel,
    "image.total_variation": _variation,
    "image.yiq_to_rgb": _colours(_RGB_OF_YIQ),
    "image.yuv_to_rgb": _colours(_RGB_OF_YUV),
}
