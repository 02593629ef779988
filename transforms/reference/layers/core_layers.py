"""Layers without state: Dense, Embedding, reshaping, masking, activations; and those that do nothing at inference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.records.runtime import Family
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layer_weights import narrow, product, rows
from transforms.reference.layers.activations import ACTIVATION_LAYERS, activation_of


def _dense(call: LayerCall) -> Array:
    """activation(x . kernel + bias): x (n, ..., d), kernel (d, u)."""
    y = product(call.x, call.weights, "kernel")
    if "bias" in call.weights:
        y = y + call.weights["bias"]
    return activation_of(call.config.get("activation"), call)(y)


def _einsum_dense(call: LayerCall) -> Array:
    """activation(einsum(equation, x, kernel) + bias), with the bias in its stored shape."""
    y = np.einsum(call.config["equation"], np.asarray(call.x, dtype=np.float64), call.weights["kernel"])
    y = y + call.weights["bias"] if "bias" in call.weights else y
    return activation_of(call.config.get("activation"), call)(np.asarray(y))


def _activation(call: LayerCall) -> Array:
    return activation_of(call.config.get("activation"), call)(call.x)


def _activation_layer(call: LayerCall) -> Array:
    return ACTIVATION_LAYERS[call.class_name](call.config)(call.x)


def _softmax(call: LayerCall) -> Array:
    """Softmax along `axis`. A mask is added, as -1e9 where False, since TensorFlow 2.4 (`Softmax.call`).

    The mask gets no additional axes: (n, t) broadcasts with (n, t, d) only if the lengths happen to match.
    """
    mask = call.masks[0]
    x = call.x
    if mask is not None and call.runtime.family is Family.TF_KERAS and call.runtime.version >= (2, 4):
        try:
            # In float32, as there: x is mostly rounded away where the mask is False.
            lowered = (x.astype(np.float32) + np.float32(-1e9)).astype(np.float64)
            masked = np.where(mask, x, lowered)
        except ValueError as error:
            if call.runtime.version >= (2, 5):
                raise NotCovered(f"Softmax under a mask that does not fit: {error}", call.path) from error
            masked = x
        else:
            if call.runtime.version < (2, 5):
                raise NotCovered("Softmax under a mask, which TensorFlow 2.3 ignores and 2.4 applies", call.path)
        x = masked
    return ACTIVATION_LAYERS["Softmax"](call.config)(x)


def _prelu(call: LayerCall) -> Array:
    """max(x, 0) - alpha * max(-x, 0); alpha has no batch axis, and length 1 on shared axes."""
    return np.asarray(np.maximum(call.x, 0.0) - call.weights["alpha"] * np.maximum(-call.x, 0.0))


def _embedding(call: LayerCall) -> Array:
    """Rows of `embeddings` (vocabulary, d); float ids are truncated to integers."""
    return looked_up(call, "embeddings")


def looked_up(call: LayerCall, role: str) -> Array:
    """Rows of the table (vocabulary, d) of that role; float ids are truncated to integers."""
    ids = call.x.astype(np.int64)
    vocabulary = len(narrow(call.weights, role))
    if ids.size and (ids.min() < 0 or ids.max() >= vocabulary):
        raise NotCovered(f"ids from {ids.min()} to {ids.max()} in a vocabulary of {vocabulary}", call.path)
    return rows(call.weights, role, ids)


def counted_steps(call: LayerCall) -> Array:
    """The mask of Masking: True where any feature differs from `mask_value`, compared in float32 as the runtime did."""
    wide = call.config.get("dtype") == "float64"
    dtype = np.float64 if wide else np.float32
    return np.asarray(np.any(call.x.astype(dtype) != dtype(call.option("mask_value", 0.0)), axis=-1))


def _masking(call: LayerCall) -> Array:
    return np.asarray(call.x * counted_steps(call)[..., np.newaxis])


def _flatten(call: LayerCall) -> Array:
    """(n, ...) -> (n, p), in the order of channels last: channels first, where so configured, are moved to the end."""
    x = call.x
    if call.config.get("data_format") == "channels_first" and x.ndim > 1:
        x = np.moveaxis(x, 1, -1)
    return x.reshape(x.shape[0], int(np.prod(x.shape[1:])))


def _reshape(call: LayerCall) -> Array:
    target = call.config.get("target_shape")
    if not isinstance(target, (list, tuple)):
        raise NotCovered(f"target_shape {target!r}", call.path)
    known = int(np.prod([size for size in target if size != -1]))
    inferred = int(np.prod(call.x.shape[1:])) // known if known else 0
    return call.x.reshape(call.x.shape[0], *(inferred if size == -1 else size for size in target))


def _permute(call: LayerCall) -> Array:
    return np.transpose(call.x, (0, *call.config["dims"]))


def _repeat_vector(call: LayerCall) -> Array:
    """(n, d) -> (n, times, d)."""
    return np.repeat(call.x[:, np.newaxis, :], call.config["n"], axis=1)


def _identity(call: LayerCall) -> Array:
    return call.x


#: Layers that act in training only.
TRAINING_ONLY = (
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
)

CORE_LAYERS: Mapping[str, StatelessLayer] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Activation": _activation,
    **dict.fromkeys(("LeakyReLU", "ELU", "ThresholdedReLU", "ReLU"), _activation_layer),
    "Softmax": _softmax,
    "PReLU": _prelu,
    "Embedding": _embedding,
    "Masking": _masking,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Identity": _identity,
    **dict.fromkeys(TRAINING_ONLY, _identity),
}
