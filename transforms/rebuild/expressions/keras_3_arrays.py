"""Further functions of `keras.ops` that make or arrange arrays, in terms of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import both


def _array(x: Any, dtype: Any = None) -> Any:
    return tf.convert_to_tensor(x) if dtype is None else tf.cast(x, dtype)


def _eye(N: int, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the diagonal that lies k above the main one."""
    columns = N if M is None else M
    distance = tf.range(columns)[tf.newaxis, :] - tf.range(N)[:, tf.newaxis]
    return tf.cast(tf.equal(distance, k), "float32" if dtype is None else dtype)


def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, axis: int = 0) -> Any:
    if endpoint:
        return tf.linspace(start, stop, num, axis=axis)
    return tf.linspace(start, stop, num + 1, axis=axis)[:-1]


def _count(x: Any, axis: Any = None) -> Any:
    return tf.math.count_nonzero(x, axis=axis, dtype=tf.int32)


def _finite(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    high, low = x.dtype.max if posinf is None else posinf, x.dtype.min if neginf is None else neginf
    x = tf.where(tf.math.is_nan(x), tf.constant(nan, x.dtype), x)
    x = tf.where(tf.equal(x, float("inf")), tf.constant(high, x.dtype), x)
    return tf.where(tf.equal(x, -float("inf")), tf.constant(low, x.dtype), x)


def _median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if not isinstance(axis, int):
        raise ValueError("ops.median over other than one axis")
    extent = x.shape[axis]
    if extent is None:
        raise ValueError("ops.median over a free axis")
    ranked = tf.sort(x, axis=axis)
    middle = tf.gather(ranked, [(extent - 1) // 2, extent // 2], axis=axis)
    return tf.reduce_mean(middle, axis=axis, keepdims=bool(keepdims))


def _outer(x1: Any, x2: Any) -> Any:
    a, b = both(x1, x2)
    return tf.reshape(a, [-1, 1]) * tf.reshape(b, [1, -1])


def _hstack(xs: Any) -> Any:
    return tf.concat(xs, axis=0 if xs[0].shape.rank == 1 else 1)


def _vstack(xs: Any) -> Any:
    return tf.stack(xs) if xs[0].shape.rank == 1 else tf.concat(xs, axis=0)


_RULES: Mapping[str, Callable[..., Any]] = {
    "argsort": lambda x, axis=-1: tf.argsort(x, axis=axis),
    "array": _array,
    "count_nonzero": _count,
    "eye": _eye,
    "hstack": _hstack,
    "linspace": _linspace,
    "median": _median,
    "meshgrid": lambda args, indexing="xy": tf.meshgrid(*args, indexing=indexing),
    "nan_to_num": _finite,
    "outer": _outer,
    "ravel": lambda x: tf.reshape(x, [-1]),
    "sort": lambda x, axis=-1: tf.sort(x, axis=axis),
    "vstack": _vstack,
}

#: The rules by full name.
ARRAYS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
