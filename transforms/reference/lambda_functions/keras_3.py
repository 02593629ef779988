"""Functions of `keras.ops`, with the meaning of NumPy's functions of the same names.

Source: keras/src/ops/{numpy,nn,math,core,linalg}.py and keras/src/backend/tensorflow/ of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, pair
from transforms.reference.functions.reductions import REDUCTIONS
from transforms.reference.lambda_functions.keras_3_arrangement import ARRANGING, cast_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers import activations


def _one(function: Callable[[Array], Any]) -> Callable[..., Array]:
    return lambda x: np.asarray(function(array(x)))


def _two(function: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    """Converts operands of two kinds to floats."""

    def rule(x1: Any, x2: Any) -> Array:
        a, b = pair(x1, x2)
        if {a.dtype.kind, b.dtype.kind} == {"i", "f"}:
            a, b = a.astype(np.float64), b.astype(np.float64)
        return np.asarray(function(a, b))

    return rule


def _compared(which: str) -> Callable[..., Array]:
    return lambda x1, x2: ELEMENTWISE[which](x1, x2)


def _reduction(function: Callable[..., Any]) -> Callable[..., Array]:
    def rule(x: Any, axis: Any = None, keepdims: Any = False) -> Array:
        return np.asarray(function(array(x), axis=axes(axis), keepdims=bool(keepdims)))

    return rule


def _place(which: str) -> Callable[..., Array]:
    """Argmax or argmin; over the flattened array by default."""

    def rule(x: Any, axis: Any = None, keepdims: Any = False) -> Array:
        values = array(x)
        if axis is None:
            return np.asarray(REDUCTIONS[which](values.reshape(-1), axis=0))
        found = REDUCTIONS[which](values, axis=axis)
        return np.expand_dims(found, int(axis)) if keepdims else found

    return rule


def _along(function: Callable[..., Any]) -> Callable[..., Array]:
    def rule(x: Any, axis: Any = None, dtype: Any = None) -> Array:
        return np.asarray(function(array(x), axis=None if axis is None else int(axis)))

    return rule


def _average(x: Any, axis: Any = None, weights: Any = None) -> Array:
    return np.asarray(np.average(array(x), axis=axes(axis), weights=None if weights is None else array(weights)))


def _clip(x: Any, x_min: Any, x_max: Any) -> Array:
    values = array(x)
    return np.asarray(np.minimum(np.maximum(values, array(x_min, values)), array(x_max, values)))


def _einsum(subscripts: str, operands: Any) -> Array:
    return np.asarray(REDUCTIONS["einsum"](subscripts, operands))


def _gelu(x: Any, approximate: Any = True) -> Array:
    values = array(x)
    if not approximate:
        return activations.gelu(values)
    return np.asarray(0.5 * values * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (values + 0.044715 * values**3))))


def _hard_sigmoid(x: Any) -> Array:
    return np.asarray(np.clip(array(x) / 6.0 + 0.5, 0.0, 1.0))


def _log_softmax(x: Any, axis: Any = -1) -> Array:
    return np.moveaxis(activations.log_softmax(np.moveaxis(array(x), int(axis), -1)), -1, int(axis))


def _log_sum_exp(x: Any, axis: Any = None, keepdims: Any = False) -> Array:
    return np.asarray(REDUCTIONS["math.reduce_logsumexp"](array(x), axis=axis, keepdims=keepdims))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Array:
    order = "euclidean" if ord is None else ord
    return np.asarray(REDUCTIONS["compat.v1.norm"](array(x), ord=order, axis=axis, keepdims=keepdims))


def _normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: Any = None) -> Array:
    """Divides by max(|x|, epsilon), epsilon 1e-7 by default, as the root of the maximum of the squares."""
    values, least = array(x), 1e-7 if epsilon is None else float(epsilon)
    if int(order) != 2:
        raise NotCovered(f"ops.normalize of order {order}")
    squares = np.sum(np.square(values), axis=axes(axis), keepdims=True)
    return np.asarray(values / np.sqrt(np.maximum(squares, least**2)))


def _round(x: Any, decimals: Any = 0) -> Array:
    if int(decimals):
        raise NotCovered("ops.round to decimals")
    return ELEMENTWISE["math.round"](array(x))


def _softmax(x: Any, axis: Any = -1) -> Array:
    return activations.softmax(array(x), tuple(axis) if isinstance(axis, list) else int(axis))


def _tensordot(x1: Any, x2: Any, axes: Any = 2) -> Array:
    return np.asarray(REDUCTIONS["tensordot"](x1, x2, axes))


def _top_k(x: Any, k: Any, sorted: Any = True) -> tuple[Array, Array]:
    found: tuple[Array, Array] = REDUCTIONS["math.top_k"](array(x), k=k, sorted=sorted)
    return found


def _where(condition: Any, x1: Any = None, x2: Any = None) -> Array:
    if x1 is None or x2 is None:
        raise NotCovered("ops.where without values")
    return np.where(array(condition) != 0, *pair(x1, x2))


def _rounding(which: str) -> Callable[..., Array]:
    return lambda x: ELEMENTWISE[which](array(x))


_RULES: Mapping[str, Callable[..., Any]] = {
    **ARRANGING,
    **dict.fromkeys(("abs", "absolute"), _one(np.abs)),
    "add": _two(np.add),
    "all": _reduction(lambda x, axis, keepdims: np.all(x != 0, axis=axis, keepdims=keepdims)),
    "any": _reduction(lambda x, axis, keepdims: np.any(x != 0, axis=axis, keepdims=keepdims)),
    **dict.fromkeys(("amax", "max"), _reduction(np.max)),
    **dict.fromkeys(("amin", "min"), _reduction(np.min)),
    "arccos": _one(np.arccos),
    "arcsin": _one(np.arcsin),
    "arctan": _one(np.arctan),
    "arctan2": _two(np.arctan2),
    "argmax": _place("math.argmax"),
    "argmin": _place("math.argmin"),
    "average": _average,
    "cast": cast_array,
    "ceil": _rounding("math.ceil"),
    "clip": _clip,
    "cos": _one(np.cos),
    "cosh": _one(np.cosh),
    "cumprod": _along(np.cumprod),
    "cumsum": _along(np.cumsum),
    **dict.fromkeys(("divide", "true_divide"), _two(np.true_divide)),
    "divide_no_nan": lambda x1, x2: ELEMENTWISE["math.divide_no_nan"](x1, x2),
    "dot": lambda x1, x2: np.dot(*pair(x1, x2)),
    "einsum": _einsum,
    "elu": lambda x, alpha=1.0: activations.elu(array(x), float(np.float32(alpha))),
    "equal": _compared("math.equal"),
    "erf": lambda x: ELEMENTWISE["math.erf"](array(x)),
    "exp": _one(np.exp),
    "expm1": _one(np.expm1),
    "floor": _rounding("math.floor"),
    "floor_divide": lambda x1, x2: ELEMENTWISE["math.floordiv"](x1, x2),
    "gelu": _gelu,
    "greater": _compared("math.greater"),
    "greater_equal": _compared("math.greater_equal"),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: array(x) * _hard_sigmoid(x),
    "isfinite": _one(np.isfinite),
    "isinf": _one(np.isinf),
    "isnan": _one(np.isnan),
    "leaky_relu": lambda x, negative_slope=0.2: activations.leaky_relu(array(x), float(np.float32(negative_slope))),
    "less": _compared("math.less"),
    "less_equal": _compared("math.less_equal"),
    "log": _one(np.log),
    "log10": _one(np.log10),
    "log1p": _one(np.log1p),
    "log2": _one(np.log2),
    "log_sigmoid": _one(lambda x: -activations.softplus(-x)),
    "log_softmax": _log_softmax,
    "logaddexp": _two(np.logaddexp),
    "logical_and": _two(np.logical_and),
    "logical_not": _one(np.logical_not),
    "logical_or": _two(np.logical_or),
    "logsumexp": _log_sum_exp,
    "matmul": _two(np.matmul),
    "maximum": _two(np.maximum),
    "mean": _reduction(np.mean),
    "minimum": _two(np.minimum),
    "mod": lambda x1, x2: ELEMENTWISE["math.floormod"](x1, x2),
    "multiply": _two(np.multiply),
    "negative": _one(np.negative),
    "norm": _norm,
    "normalize": _normalize,
    "not_equal": _compared("math.not_equal"),
    "power": _two(np.power),
    "prod": _reduction(np.prod),
    "reciprocal": _one(lambda x: 1.0 / x),
    "relu": _one(lambda x: np.maximum(x, 0)),
    "relu6": _one(lambda x: np.clip(x, 0, 6)),
    "round": _round,
    "rsqrt": _one(lambda x: 1.0 / np.sqrt(x)),
    "selu": _one(activations.selu),
    "sigmoid": _one(activations.sigmoid),
    "sign": _one(np.sign),
    **dict.fromkeys(("silu", "swish"), _one(activations.swish)),
    "sin": _one(np.sin),
    "sinh": _one(np.sinh),
    "softmax": _softmax,
    "softplus": _one(activations.softplus),
    "softsign": _one(activations.softsign),
    "sqrt": _one(np.sqrt),
    "square": _one(np.square),
    "std": _reduction(np.std),
    "stop_gradient": lambda variable: array(variable),
    "subtract": _two(np.subtract),
    "sum": _reduction(np.sum),
    "tan": _one(np.tan),
    "tanh": _one(np.tanh),
    "tensordot": _tensordot,
    "top_k": _top_k,
    "var": _reduction(np.var),
    "where": _where,
}


#: The rules by full name.
OPS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
