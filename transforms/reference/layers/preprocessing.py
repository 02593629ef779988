"""Preprocessing layers at inference: statistics, sizes of images, categories.

Sources: keras/layers/preprocessing/ (2.8, 2.15), tensorflow/python/keras/layers/preprocessing/ (2.3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.functions.images import IMAGES
from transforms.reference.functions.operands import clear_of_ties
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
    """(x - mean) / max(sqrt(variance), 1e-7) over the kept axes; the other way round with `invert`.

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
    """`tf.image.resize` without antialiasing."""
    if call.option("crop_to_aspect_ratio", False) or call.option("pad_to_aspect_ratio", False):
        raise NotCovered("Resizing that keeps the aspect ratio", call.path)
    _refuse_channels_first(call)
    method = str(call.option("interpolation", "bilinear")).lower()
    size = [call.config["height"], call.config["width"]]
    return np.asarray(IMAGES["image.resize"](call.x, size, method), dtype=np.float64)


def _center_crop(call: LayerCall) -> Array:
    """The middle of the image; half of the rest, rounded down, stands before it."""
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


def _encoded(call: LayerCall, ids: Array, depth: int) -> Array:
    """Ids as they are, or as counts over the last axis, at most 1 but for `count` (`encode_categorical_inputs`)."""
    mode = call.option("output_mode", "int")
    if mode == "int":
        return ids
    if mode not in ("one_hot", "multi_hot", "count"):
        raise NotCovered(f"the output mode {mode}", call.path)
    if call.option("pad_to_max_tokens", False):
        raise NotCovered("padding to max_tokens", call.path)
    if ids.ndim < 2 or (mode == "one_hot" and ids.shape[-1] != 1):
        ids = ids[..., np.newaxis]
    if ids.ndim != 2:
        raise NotCovered(f"categories of shape {ids.shape} in one {mode}", call.path)
    counts = (ids[..., np.newaxis] == np.arange(depth)).sum(axis=1)
    return np.asarray(counts if mode == "count" else np.minimum(counts, 1), dtype=np.float64)


def _category_encoding(call: LayerCall) -> Array:
    depth = call.config["num_tokens"]
    ids = np.asarray(call.x).astype(np.int64)
    if ids.size and (ids.min() < 0 or ids.max() >= depth):
        raise NotCovered(f"categories beyond num_tokens={depth}", call.path)
    return _encoded(call, ids, depth)


def _discretization(call: LayerCall) -> Array:
    """How many boundaries are at most x."""
    bounds = np.asarray(call.config["bin_boundaries"], dtype=np.float32).astype(np.float64)
    x = np.asarray(call.x, dtype=np.float64)
    clear_of_ties(x[..., np.newaxis], bounds)
    return _encoded(call, np.searchsorted(bounds, x, side="right"), len(bounds) + 1)


def _integer_lookup(call: LayerCall) -> Array:
    """The place of an id in [mask token] + out of vocabulary + vocabulary; with `invert`, the id of a place.

    Only the mode `int` has a place for the mask token, others count it nowhere. Of several places for what is out of
    vocabulary, id mod their number says which. A stored vocabulary may begin with the special tokens
    (keras/layers/preprocessing/index_lookup.py, `set_vocabulary` and `_lookup_dense`).
    """
    token, others = call.config.get("mask_token"), call.option("num_oov_indices", 1)
    masking = token is not None and call.option("output_mode", "int") == "int"
    oov = call.option("oov_token", -1)
    special = [token] * masking + [oov] * others
    words = list(call.config["vocabulary"])
    words = words[len(special) :] if special and words[: len(special)] == special else words
    ids = np.asarray(call.x).astype(np.int64)
    if call.option("invert", False):
        table = np.array([*special, *words], dtype=np.int64)
        inside = (ids >= 0) & (ids < len(table))
        return np.where(inside, table[np.clip(ids, 0, len(table) - 1)], oov)
    places = {word: len(special) + index for index, word in enumerate(words)}
    if token is not None:
        places[token] = 0 if masking else -1

    def place(word: int) -> int:
        if word not in places and not others:
            raise NotCovered("ids out of vocabulary", call.path)
        return places[word] if word in places else len(special) - others + word % others

    found = np.array([place(int(word)) for word in ids.reshape(-1)], dtype=np.int64).reshape(ids.shape)
    return _encoded(call, found, len(special) + len(words))


PREPROCESSING: Mapping[str, StatelessLayer] = {
    "Normalization": _normalization,
    "Resizing": _resizing,
    "CenterCrop": _center_crop,
    "CategoryEncoding": _category_encoding,
    "Discretization": _discretization,
    "IntegerLookup": _integer_lookup,
    **dict.fromkeys(AUGMENTATION, _identity),
}
