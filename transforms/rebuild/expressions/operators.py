"""Python's operators on tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import both


def _two(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def rule(x: Any, y: Any) -> Any:
        return function(*both(x, y))

    return rule


def _bitwise(of_truths: Callable[[Any, Any], Any], of_integers: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def rule(x: Any, y: Any) -> Any:
        a, b = both(x, y)
        return of_truths(a, b) if a.dtype == tf.bool else of_integers(a, b)

    return rule


def _inverted(x: Any) -> Any:
    return tf.math.logical_not(x) if x.dtype == tf.bool else tf.bitwise.invert(x)


OPERATORS: Mapping[str, Callable[..., Any]] = {
    "operator.add": _two(tf.math.add),
    "operator.sub": _two(tf.math.subtract),
    "operator.mul": _two(tf.math.multiply),
    "operator.truediv": _two(tf.math.truediv),
    "operator.div": _two(tf.compat.v1.div),
    "operator.floordiv": _two(tf.math.floordiv),
    "operator.mod": _two(tf.math.floormod),
    "operator.pow": _two(tf.math.pow),
    "operator.matmul": _two(tf.linalg.matmul),
    "operator.and_": _bitwise(tf.math.logical_and, tf.bitwise.bitwise_and),
    "operator.or_": _bitwise(tf.math.logical_or, tf.bitwise.bitwise_or),
    "operator.xor": _bitwise(tf.math.not_equal, tf.bitwise.bitwise_xor),
    "operator.lt": _two(tf.math.less),
    "operator.le": _two(tf.math.less_equal),
    "operator.gt": _two(tf.math.greater),
    "operator.ge": _two(tf.math.greater_equal),
    "operator.eq": _two(tf.math.equal),
    "operator.ne": _two(tf.math.not_equal),
    "operator.neg": lambda x: tf.math.negative(x),
    "operator.invert": _inverted,
}
