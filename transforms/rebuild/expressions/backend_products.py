"""`K.dot` and `K.batch_dot` in terms of TensorFlow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import Era, both


def dot(x: Any, y: Any) -> Any:
    """The last axis of x with the last but one of y, or its only one."""
    a, b = both(x, y)
    return tf.tensordot(a, b, axes=[[a.shape.rank - 1], [max(b.shape.rank - 2, 0)]])


def batch_dot(x: Any, y: Any, era: Era, axes: Any = None) -> Any:
    """A product for each sample. TensorFlow backends before Keras 2.3 and TensorFlow 2.2 multiplied matrices."""
    by_matrices = era.backend == "tensorflow" and era.before((2, 3), (2, 2))
    if by_matrices:
        y_axis = y.shape.rank - 2
    else:
        y_axis = y.shape.rank - (1 if y.shape.rank == 2 and era.backend != "theano" else 2)
    pair = [x.shape.rank - 1, y_axis] if axes is None else _pair(axes)
    found = _matrix_product(x, y, *pair) if by_matrices else _contraction(x, y, *pair)
    return tf.expand_dims(found, 1) if found.shape.rank == 1 else found


def _pair(axes: Any) -> list[int]:
    return [axes, axes] if isinstance(axes, int) else list(axes)


def _matrix_product(x: Any, y: Any, a: int, b: int) -> Any:
    ranks = x.shape.rank, y.shape.rank
    if ranks == (2, 2):
        return tf.reduce_sum(x * y, axis=a) if a == b else tf.reduce_sum(tf.transpose(x) * y, axis=b)
    for _ in range(ranks[1] - ranks[0]):
        x = tf.expand_dims(x, -1)
    for _ in range(ranks[0] - ranks[1]):
        y = tf.expand_dims(y, -1)
    last, more = max(ranks) - 1, abs(ranks[0] - ranks[1])
    z = tf.matmul(x, y, transpose_a=a != last, transpose_b=b == last)
    at = sum(ranks) - 3 if ranks[0] > ranks[1] else ranks[0] - 1
    return tf.squeeze(z, axis=list(range(at, at + more))) if more else z


def _contraction(x: Any, y: Any, a: int, b: int) -> Any:
    """Sum over s of x[n, ..., s, ...] y[n, ..., s, ...], as matrices for each sample whose other axes are merged."""
    left, left_rest = _rows(x, a % x.shape.rank)
    right, right_rest = _rows(y, b % y.shape.rank)
    z = tf.matmul(left, right, transpose_b=True)
    batch = x.shape[0] if x.shape[0] is not None else -1
    extents = [*left_rest, *right_rest]
    if any(hasattr(extent, "dtype") for extent in extents):
        return tf.reshape(z, tf.stack([tf.shape(x)[0], *extents]))
    return tf.reshape(z, [batch, *extents])


def _rows(x: Any, summed: int) -> tuple[Any, list[Any]]:
    """(n, ..., s, ...) -> (n, p, s), and the extents that p merges."""
    rank = x.shape.rank
    if not 0 < summed < rank:
        raise ValueError("K.batch_dot over the batch")
    rest = [axis for axis in range(1, rank) if axis != summed]
    sizes = {axis: tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis] for axis in range(1, rank)}
    moved = tf.transpose(x, [0, *rest, summed])
    if len(rest) == 1:
        return moved, [sizes[rest[0]]]
    if not rest:
        return tf.expand_dims(moved, 1), []
    product = sizes[rest[0]]
    for axis in rest[1:]:
        product = product * sizes[axis]
    first = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
    target = [first, product, sizes[summed]]
    return tf.reshape(moved, tf.stack(target)), [sizes[axis] for axis in rest]
