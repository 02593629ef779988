"""`K.dot` and `K.batch_dot`, whose meaning changed with the backend and with Keras 2.3."""

from __future__ import annotations

from typing import Any

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.functions.operands import array, integers
from transforms.reference.layer_call import Array, NotCovered


def dot(x: Any, y: Any) -> Array:
    """Contracts the last axis of x with the last but one of y; all other axes follow one another."""
    a, b = array(x), array(y)
    if b.ndim == 1:
        return np.asarray(a @ b)
    return np.asarray(np.tensordot(a, b, axes=(a.ndim - 1, b.ndim - 2)))


def batch_dot(x: Any, y: Any, writer: Writer, axes: Any = None) -> Array:
    """A product for each sample; two vectors per sample give (batch, 1)."""
    a, b = array(x), array(y)
    if _multiplies_matrices(writer):
        found = _matrix_product(a, b, axes)
    else:
        found = _contraction(a, b, axes, late=writer.backend != "theano")
    return found[:, np.newaxis] if found.ndim == 1 else found


def _multiplies_matrices(writer: Writer) -> bool:
    """TensorFlow multiplied matrices over the last two axes, before Keras 2.3 and TensorFlow 2.2."""
    if writer.standalone is not None:
        return writer.backend == "tensorflow" and writer.standalone < (2, 3)
    return writer.agree_on(lambda release: release < (2, 2), "what K.batch_dot multiplies", ())


def _matrix_product(a: Array, b: Array, axes: Any) -> Array:
    """`tf.matmul`; x transposed unless its axis is the last, y if it is.

    The input of lower rank gets axes of length 1 at its end, which are removed from the result.
    """
    pair = [a.ndim - 1, b.ndim - 2] if axes is None else _pair(axes)
    if a.ndim == 2 and b.ndim == 2:
        if pair[0] == pair[1]:
            return np.asarray(np.sum(a * b, axis=pair[0]))
        return np.asarray(np.sum(a.T * b, axis=pair[1]))
    ranks, more = (a.ndim, b.ndim), abs(a.ndim - b.ndim)
    rank = max(ranks)
    a = a.reshape(*a.shape, *(1,) * (rank - a.ndim))
    b = b.reshape(*b.shape, *(1,) * (rank - b.ndim))
    if pair[0] != rank - 1:
        a = np.swapaxes(a, -1, -2)
    if pair[1] == rank - 1:
        b = np.swapaxes(b, -1, -2)
    product = np.asarray(a @ b)
    place = ranks[0] + ranks[1] - 3 if ranks[0] > ranks[1] else ranks[0] - 1
    return np.squeeze(product, axis=tuple(range(place, place + more))) if more else product


def _contraction(a: Array, b: Array, axes: Any, late: bool) -> Array:
    """Sums over one axis of each; the others follow the batch."""
    if axes is None:
        pair = [a.ndim - 1, b.ndim - 1 if late and b.ndim == 2 else b.ndim - 2]
    else:
        pair = [axis % rank for axis, rank in zip(_pair(axes), (a.ndim, b.ndim), strict=True)]
    if 0 in pair:
        raise NotCovered("K.batch_dot over the batch")
    rows = [np.tensordot(row, other, axes=(pair[0] - 1, pair[1] - 1)) for row, other in zip(a, b, strict=True)]
    return np.stack(rows)


def _pair(axes: Any) -> list[int]:
    found = integers(axes)
    return found * 2 if len(found) == 1 else found
