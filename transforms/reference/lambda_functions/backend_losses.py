"""Losses of `keras.backend`, on TensorFlow unless stated otherwise.

Source: keras/backend/tensorflow_backend.py of 2.2.4 and 2.3.1, tensorflow/python/keras/backend.py of 1.15, and
keras/backend.py of 2.15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.functions.operands import array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers import activations

#: `K.epsilon()`, the minimum distance of losses' probabilities from 0 and 1.
EPSILON = 1e-7


def _binary_crossentropy(target: Any, output: Any, writer: Writer, from_logits: Any = False) -> Array:
    """-(t log p + (1 - t) log(1 - p)); p clipped away from 0 and 1, and since TensorFlow 1.14 also shifted by
    epsilon.
    """
    wanted, given = array(target), array(output)
    if from_logits:
        return np.asarray(np.maximum(given, 0) - given * wanted + np.log1p(np.exp(-np.abs(given))))
    p = np.clip(given, EPSILON, 1.0 - EPSILON)
    shifted = writer.standalone is None and writer.agree_on(
        lambda release: release >= (1, 14), "by how much K.binary_crossentropy clips from 0", ()
    )
    shift = EPSILON if shifted else 0.0
    return np.asarray(-(wanted * np.log(p + shift) + (1.0 - wanted) * np.log(1.0 - p + shift)))


def _categorical_crossentropy(target: Any, output: Any, from_logits: Any = False, axis: Any = -1) -> Array:
    """-sum(t log p), p scaled to sum to 1."""
    wanted, given, along = array(target), array(output), int(axis)
    if from_logits:
        return np.asarray(-np.sum(wanted * np.log(activations.softmax(given, along)), axis=along))
    p = np.clip(given / np.sum(given, axis=along, keepdims=True), EPSILON, 1.0 - EPSILON)
    return np.asarray(-np.sum(wanted * np.log(p), axis=along))


def _sparse_categorical_crossentropy(target: Any, output: Any, from_logits: Any = False, axis: Any = -1) -> Array:
    """The same with the class number in place of t."""
    given = array(output)
    if int(axis) % given.ndim != given.ndim - 1:
        raise NotCovered("K.sparse_categorical_crossentropy over another axis than the last")
    p = activations.softmax(given) if from_logits else np.clip(given, EPSILON, 1.0 - EPSILON)
    p = p / p.sum(axis=-1, keepdims=True)
    classes = array(target).astype(np.int64).reshape(given.shape[:-1])
    return np.asarray(-np.log(np.take_along_axis(p, classes[..., np.newaxis], axis=-1)[..., 0]))


#: The rules by name, without `keras.backend.`.
LOSSES: Mapping[str, Callable[..., Any]] = {
    "binary_crossentropy": _binary_crossentropy,
    "categorical_crossentropy": _categorical_crossentropy,
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
}
