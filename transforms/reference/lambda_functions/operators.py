"""Python's operators on tensors, as TensorFlow overloads them (`OVERLOADABLE_OPERATORS` in python/framework/ops.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, pair
from transforms.reference.layer_call import Array


def _two(function: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    return lambda x, y: np.asarray(function(*pair(x, y)))


def _python_2_division(x: Any, y: Any) -> Array:
    """`tf.div`: integer division for integers."""
    a, b = pair(x, y)
    return np.asarray(np.floor_divide(a, b) if a.dtype.kind == "i" and b.dtype.kind == "i" else np.true_divide(a, b))


def _inverted(x: Any) -> Array:
    return np.asarray(np.invert(array(x)))


OPERATORS: Mapping[str, Callable[..., Array]] = {
    "operator.add": _two(np.add),
    "operator.sub": _two(np.subtract),
    "operator.mul": _two(np.multiply),
    "operator.truediv": _two(np.true_divide),
    "operator.div": _python_2_division,
    "operator.floordiv": ELEMENTWISE["math.floordiv"],
    "operator.mod": ELEMENTWISE["math.floormod"],
    "operator.pow": _two(np.power),
    "operator.matmul": _two(np.matmul),
    "operator.and_": _two(np.bitwise_and),
    "operator.or_": _two(np.bitwise_or),
    "operator.xor": _two(np.bitwise_xor),
    "operator.lt": ELEMENTWISE["math.less"],
    "operator.le": ELEMENTWISE["math.less_equal"],
    "operator.gt": ELEMENTWISE["math.greater"],
    "operator.ge": ELEMENTWISE["math.greater_equal"],
    "operator.eq": ELEMENTWISE["math.equal"],
    "operator.ne": ELEMENTWISE["math.not_equal"],
    "operator.neg": lambda x: np.negative(array(x)),
    "operator.invert": _inverted,
}
