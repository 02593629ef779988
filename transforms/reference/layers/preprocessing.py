"""Preprocessing layers at inference: statistics and sizes of images. `categories` has the others.

Sources: keras/layers/preprocessing/ (2.8, 2.15), tensorflow/python/keras/layers/preprocessing/ (2.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transforms.reference.functions.images import IMAGES
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer

#: Layers that change images in training only.
AUGMENTATION = (
    "RandomFlip",
    "RandomTranslation",
    "RandomRotation",
    "RandomZoom",
    "RandomHeight",
    "RandomWidth",
    "RandomContrast",
    "RandomBrightness",
)


def _normalization(call: LayerCall) -> Array:
    """(x - mean) / max(sqrt(variance), 1e-7) over the kept axes; its inverse with `invert`.

    TensorFlow 2.3, which records the same version as 2.4, has no lower bound.
    """
    stated = call.config.get("mean") is not None
    if not stated and ("mean" not in call.weights or call.runtime.version < (2, 4)):
        raise NotCovered("Normalization before TensorFlow 2.3, or without statistics", call.path)
    x = np.asarray(call.x, dtype=np.float64)
    axis = call.option("axis", [] if "axis" in call.config else -1)
    kept = sorted(each % x.ndim for each in ([axis] if isinstance(axis, int) else axis))
    shape = [size if place in kept else 1 for place, size in enumerate(x.shape)]
    mean, variance = (_statistic(call, name, shape, bool(kept)) for name in ("mean", "variance"))
    root = np.sqrt(variance)
    if call.runtime.version < (2, 5) and np.any(root < 1e-7):
        raise NotCovered("Normalization of a constant feature in TensorFlow 2.3 or 2.4", call.path)
    root = np.maximum(root, 1e-7)
    return np.asarray(mean + x * root if call.option("invert", False) else (x - mean) / root)


def _statistic(call: LayerCall, name: str, shape: list[int], kept: bool) -> Array:
    stated = call.config.get(name)
    values = np.asarray(call.weights[name] if stated is None else np.float32(stated), dtype=np.float64)
    return values.reshape(shape) if kept and values.size > 1 else values.reshape(-1)[0]


def _resizing(call: LayerCall) -> Array:
    """`tf.image.resize` without antialiasing; with `crop_to_aspect_ratio`, of the middle of the image."""
    if call.option("pad_to_aspect_ratio", False):
        raise NotCovered("Resizing that pads to the aspect ratio", call.path)
    _refuse_channels_first(call)
    method = str(call.option("interpolation", "bilinear")).lower()
    size = [call.config["height"], call.config["width"]]
    x = _middle_of_ratio(call.x, size) if call.option("crop_to_aspect_ratio", False) else call.x
    return np.asarray(IMAGES["image.resize"](x, size, method), dtype=np.float64)


def _middle_of_ratio(x: Array, size: Sequence[int]) -> Array:
    """The largest part with the ratio of `size` in the middle of an image (`smart_resize` in keras/utils/image_utils).

    Of n rows and m columns, min(n, m h / w) rows and min(m, n w / h) columns stay, counted in float32 and cut off;
    half of the rest, rounded down, stands before them.
    """
    rows, columns = x.shape[-3:-1]
    height, width = size
    kept_rows = min(rows, int(np.float32(columns * height) / np.float32(width)))
    kept_columns = min(columns, int(np.float32(rows * width) / np.float32(height)))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return np.asarray(x[..., top : top + kept_rows, left : left + kept_columns, :])


def _random_crop(call: LayerCall) -> Array:
    """At inference the middle of the image, resized (`RandomCrop.call`, TensorFlow 2.8)."""
    if call.runtime.version < (2, 8):
        raise NotCovered("RandomCrop before TensorFlow 2.8, which resizes first and crops then", call.path)
    size = [call.config["height"], call.config["width"]]
    return np.asarray(IMAGES["image.resize"](_middle_of_ratio(call.x, size), size), dtype=np.float64)


def _center_crop(call: LayerCall) -> Array:
    """The middle of the image; half of the rest, rounded down, is before it."""
    _refuse_channels_first(call)
    height, width = call.config["height"], call.config["width"]
    rows, columns = call.x.shape[-3] - height, call.x.shape[-2] - width
    if rows < 0 or columns < 0:
        raise NotCovered("CenterCrop of an image that is smaller", call.path)
    top, left = rows // 2, columns // 2
    return np.asarray(call.x[..., top : top + height, left : left + width, :], dtype=np.float64)


def _refuse_channels_first(call: LayerCall) -> None:
    if call.config.get("data_format") == "channels_first":
        raise NotCovered(f"{call.class_name} with channels first", call.path)


def _identity(call: LayerCall) -> Array:
    return call.x


PREPROCESSING: Mapping[str, StatelessLayer] = {
    "Normalization": _normalization,
    "Resizing": _resizing,
    "CenterCrop": _center_crop,
    "RandomCrop": _random_crop,
    **dict.fromkeys(AUGMENTATION, _identity),
}
