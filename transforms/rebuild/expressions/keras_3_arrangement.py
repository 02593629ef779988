"""Functions of `keras.ops` that make, join, split and rearrange tensors, in terms of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import as_integers


def _arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    first, last = (0, start) if stop is None else (start, stop)
    made = tf.range(first, last, step)
    return made if dtype is None else tf.cast(made, dtype)


def _converted(x: Any, dtype: Any = None, sparse: Any = None) -> Any:
    made = x if hasattr(x, "dtype") else tf.convert_to_tensor(x)
    return tf.identity(made) if dtype is None else tf.cast(made, dtype)


def _diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    rank = x.shape.rank
    first, second = axis1 % rank, axis2 % rank
    rest = [axis for axis in range(rank) if axis not in (first, second)]
    return tf.linalg.diag_part(tf.transpose(x, [*rest, first, second]), k=offset)


def _filled(value: float) -> Callable[..., Any]:
    return lambda shape, dtype=None: tf.fill(shape, tf.cast(value, "float32" if dtype is None else dtype))


def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return tf.fill(shape, tf.cast(fill_value, "float32" if dtype is None else dtype))


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, dtype=None: function(x, dtype=dtype)


def _full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    return tf.ones_like(x, dtype=dtype) * tf.cast(fill_value, x.dtype if dtype is None else dtype)


def _expand(x: Any, axis: Any) -> Any:
    for place in sorted(as_integers(axis)):
        x = tf.expand_dims(x, place)
    return x


def _flip(x: Any, axis: Any = None) -> Any:
    return tf.reverse(x, list(range(x.shape.rank)) if axis is None else as_integers(axis))


def _moved(x: Any, source: Any, destination: Any) -> Any:
    rank = x.shape.rank
    sources = [axis % rank for axis in as_integers(source)]
    order = [axis for axis in range(rank) if axis not in sources]
    for place, axis in sorted(zip([axis % rank for axis in as_integers(destination)], sources, strict=True)):
        order.insert(place, axis)
    return tf.transpose(x, order)


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    return tf.one_hot(
        tf.cast(x, tf.int64), num_classes, axis=axis, dtype=tf.as_dtype("float32" if dtype is None else dtype)
    )


def _pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    return tf.pad(x, pad_width, mode=mode.upper(), constant_values=0 if constant_values is None else constant_values)


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, [-1]), shift, 0), tf.shape(x))
    return tf.roll(x, shift, axis)


def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if isinstance(indices_or_sections, int):
        return tf.split(x, indices_or_sections, axis=axis)
    ends = [0, *indices_or_sections]
    return tf.split(x, [*(b - a for a, b in pairwise(ends)), -1], axis=axis)


def _swapped(x: Any, axis1: int, axis2: int) -> Any:
    order = list(range(x.shape.rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return tf.transpose(x, order)


def _take(x: Any, indices: Any, axis: Any = None) -> Any:
    return tf.gather(tf.reshape(x, [-1]), indices) if axis is None else tf.gather(x, indices, axis=axis)


def _take_along(x: Any, indices: Any, axis: Any = None) -> Any:
    if axis is None or axis % x.shape.rank != x.shape.rank - 1:
        raise ValueError("ops.take_along_axis along another axis than the last")
    return tf.gather(x, indices, batch_dims=x.shape.rank - 1, axis=-1)


def _band(lower: bool) -> Callable[..., Any]:
    """The part below or above a diagonal, including it; the rest is set to zero."""

    def rule(x: Any, k: int = 0) -> Any:
        rows, columns = tf.shape(x)[-2], tf.shape(x)[-1]
        distance = tf.range(columns)[tf.newaxis, :] - tf.range(rows)[:, tf.newaxis]
        kept = tf.less_equal(distance, k) if lower else tf.greater_equal(distance, k)
        return tf.where(kept, x, tf.zeros_like(x))

    return rule


#: The rules by name, without `keras.ops.`.
ARRANGING: Mapping[str, Callable[..., Any]] = {
    "arange": _arange,
    "broadcast_to": lambda x, shape: tf.broadcast_to(x, shape),
    "concatenate": lambda xs, axis=0: tf.concat(xs, axis=axis),
    "convert_to_tensor": _converted,
    "diagonal": _diagonal,
    "expand_dims": _expand,
    "flip": _flip,
    "full": _full,
    "full_like": _full_like,
    "identity": lambda n, dtype=None: tf.eye(n, dtype=tf.as_dtype("float32" if dtype is None else dtype)),
    "moveaxis": _moved,
    "one_hot": _one_hot,
    "ones": _filled(1.0),
    "ones_like": _like(tf.ones_like),
    "pad": _pad,
    "repeat": lambda x, repeats, axis=None: tf.repeat(x, repeats, axis=axis),
    "reshape": lambda x, newshape: tf.reshape(x, newshape),
    "roll": _roll,
    "shape": lambda x: tf.shape(x),
    "slice": lambda inputs, start_indices, shape: tf.slice(inputs, start_indices, shape),
    "split": _split,
    "squeeze": lambda x, axis=None: tf.squeeze(x, axis=axis),
    "stack": lambda x, axis=0: tf.stack(x, axis=axis),
    "swapaxes": _swapped,
    "take": _take,
    "take_along_axis": _take_along,
    "tile": lambda x, repeats: tf.tile(x, repeats),
    "transpose": lambda x, axes=None: tf.transpose(x, perm=axes),
    "tril": _band(True),
    "triu": _band(False),
    "unstack": lambda x, num=None, axis=0: tf.unstack(x, num=num, axis=axis),
    "zeros": _filled(0.0),
    "zeros_like": _like(tf.zeros_like),
}
