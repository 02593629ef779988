"""Functions of `keras.ops`, with the meaning of NumPy's functions of the same names.

Source: keras/src/ops/{numpy,nn,math,core,linalg}.py and keras/src/backend/tensorflow/ of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.arrangement import ARRANGEMENT
from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, integers, pair, real
from transforms.reference.functions.reductions import REDUCTIONS
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers import activations

_KINDS = {"f": np.float64, "i": np.int64, "b": bool}


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


def _arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Array:
    first, last = (0, start) if stop is None else (start, stop)
    values = np.arange(array(first).item(), array(last).item(), array(step).item())
    return values if dtype is None else values.astype(_KINDS[real(dtype)])


def _cast(x: Any, dtype: Any) -> Array:
    return ELEMENTWISE["cast"](x, dtype=dtype)


def _converted(x: Any, dtype: Any = None, sparse: Any = None) -> Array:
    return array(x) if dtype is None else _cast(x, dtype)


def _clip(x: Any, x_min: Any, x_max: Any) -> Array:
    values = array(x)
    return np.asarray(np.minimum(np.maximum(values, array(x_min, values)), array(x_max, values)))


def _concatenate(xs: Any, axis: Any = 0) -> Array:
    return np.concatenate([array(each) for each in xs], axis=int(axis))


def _einsum(subscripts: str, operands: Any) -> Array:
    return np.asarray(REDUCTIONS["einsum"](subscripts, operands))


def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Array:
    return np.full(integers(shape), array(fill_value)).astype(_KINDS[real(dtype)])


def _filled(value: float) -> Callable[..., Array]:
    return lambda shape, dtype=None: np.full(integers(shape), value, _KINDS[real(dtype)])


def _like(value: float) -> Callable[..., Array]:
    def rule(x: Any, dtype: Any = None) -> Array:
        filled = np.full_like(array(x), value)
        return filled if dtype is None else _cast(filled, dtype)

    return rule


def _full_like(x: Any, fill_value: Any, dtype: Any = None) -> Array:
    filled = np.full_like(array(x), array(fill_value, array(x)))
    return filled if dtype is None else _cast(filled, dtype)


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


def _one_hot(x: Any, num_classes: Any, axis: Any = -1, dtype: Any = None) -> Array:
    return np.asarray(ARRANGEMENT["one_hot"](x, depth=num_classes, axis=axis, dtype=dtype))


def _pad(x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None) -> Array:
    fill = 0 if constant_values is None else constant_values
    return np.asarray(ARRANGEMENT["compat.v1.pad"](array(x), pad_width, mode=str(mode).upper(), constant_values=fill))


def _repeat(x: Any, repeats: Any, axis: Any = None) -> Array:
    return np.asarray(ARRANGEMENT["repeat"](array(x), repeats=repeats, axis=axis))


def _roll(x: Any, shift: Any, axis: Any = None) -> Array:
    return np.roll(array(x), integers(shift) if np.ndim(shift) else int(shift), axis=axes(axis))


def _round(x: Any, decimals: Any = 0) -> Array:
    if int(decimals):
        raise NotCovered("ops.round to decimals")
    return ELEMENTWISE["math.round"](array(x))


def _slice(inputs: Any, start_indices: Any, shape: Any) -> Array:
    return np.asarray(ARRANGEMENT["slice"](array(inputs), start_indices, shape))


def _softmax(x: Any, axis: Any = -1) -> Array:
    return activations.softmax(array(x), tuple(axis) if isinstance(axis, list) else int(axis))


def _split(x: Any, indices_or_sections: Any, axis: Any = 0) -> tuple[Array, ...]:
    where = int(indices_or_sections) if np.ndim(indices_or_sections) == 0 else integers(indices_or_sections)
    return tuple(np.split(array(x), where, axis=int(axis)))


def _take(x: Any, indices: Any, axis: Any = None) -> Array:
    values = array(x)
    return np.take(values, array(indices).astype(np.int64), axis=None if axis is None else int(axis))


def _take_along(x: Any, indices: Any, axis: Any = None) -> Array:
    return np.take_along_axis(array(x), array(indices).astype(np.int64), axis=None if axis is None else int(axis))


def _tensordot(x1: Any, x2: Any, axes: Any = 2) -> Array:
    return np.asarray(REDUCTIONS["tensordot"](x1, x2, axes))


def _top_k(x: Any, k: Any, sorted: Any = True) -> tuple[Array, Array]:
    found: tuple[Array, Array] = REDUCTIONS["math.top_k"](array(x), k=k, sorted=sorted)
    return found


def _transpose(x: Any, axes: Any = None) -> Array:
    return np.transpose(array(x), None if axes is None else integers(axes))


def _moved(x: Any, source: Any, destination: Any) -> Array:
    return np.moveaxis(array(x), axes(source), axes(destination))  # type: ignore[arg-type]


def _unstack(x: Any, num: Any = None, axis: Any = 0) -> tuple[Array, ...]:
    found: tuple[Array, ...] = ARRANGEMENT["unstack"](array(x), axis=axis)
    return found


def _where(condition: Any, x1: Any = None, x2: Any = None) -> Array:
    if x1 is None or x2 is None:
        raise NotCovered("ops.where without values")
    return np.where(array(condition) != 0, *pair(x1, x2))


def _flip(x: Any, axis: Any = None) -> Array:
    return np.flip(array(x), axis=axes(axis))


def _diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Array:
    return np.diagonal(array(x), int(offset), int(axis1), int(axis2))


def _rounding(which: str) -> Callable[..., Array]:
    return lambda x: ELEMENTWISE[which](array(x))


def _matrix(function: Callable[..., Any]) -> Callable[..., Array]:
    return lambda x, k=0: np.asarray(function(array(x), int(k)))


_RULES: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(("abs", "absolute"), _one(np.abs)),
    "add": _two(np.add),
    "all": _reduction(lambda x, axis, keepdims: np.all(x != 0, axis=axis, keepdims=keepdims)),
    "any": _reduction(lambda x, axis, keepdims: np.any(x != 0, axis=axis, keepdims=keepdims)),
    **dict.fromkeys(("amax", "max"), _reduction(np.max)),
    **dict.fromkeys(("amin", "min"), _reduction(np.min)),
    "arange": _arange,
    "arccos": _one(np.arccos),
    "arcsin": _one(np.arcsin),
    "arctan": _one(np.arctan),
    "arctan2": _two(np.arctan2),
    "argmax": _place("math.argmax"),
    "argmin": _place("math.argmin"),
    "average": _average,
    "broadcast_to": lambda x, shape: np.broadcast_to(array(x), integers(shape)),
    "cast": _cast,
    "ceil": _rounding("math.ceil"),
    "clip": _clip,
    "concatenate": _concatenate,
    "convert_to_tensor": _converted,
    "cos": _one(np.cos),
    "cosh": _one(np.cosh),
    "cumprod": _along(np.cumprod),
    "cumsum": _along(np.cumsum),
    "diagonal": _diagonal,
    **dict.fromkeys(("divide", "true_divide"), _two(np.true_divide)),
    "divide_no_nan": lambda x1, x2: ELEMENTWISE["math.divide_no_nan"](x1, x2),
    "dot": lambda x1, x2: np.dot(*pair(x1, x2)),
    "einsum": _einsum,
    "elu": lambda x, alpha=1.0: activations.elu(array(x), float(np.float32(alpha))),
    "equal": _compared("math.equal"),
    "erf": lambda x: ELEMENTWISE["math.erf"](array(x)),
    "exp": _one(np.exp),
    "expand_dims": lambda x, axis: np.expand_dims(array(x), axes(axis)),  # type: ignore[arg-type]
    "expm1": _one(np.expm1),
    "flip": _flip,
    "floor": _rounding("math.floor"),
    "floor_divide": lambda x1, x2: ELEMENTWISE["math.floordiv"](x1, x2),
    "full": _full,
    "full_like": _full_like,
    "gelu": _gelu,
    "greater": _compared("math.greater"),
    "greater_equal": _compared("math.greater_equal"),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: array(x) * _hard_sigmoid(x),
    "identity": lambda n, dtype=None: np.eye(int(n)).astype(_KINDS[real(dtype)]),
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
    "moveaxis": _moved,
    "multiply": _two(np.multiply),
    "negative": _one(np.negative),
    "norm": _norm,
    "normalize": _normalize,
    "not_equal": _compared("math.not_equal"),
    "one_hot": _one_hot,
    "ones": _filled(1.0),
    "ones_like": _like(1.0),
    "pad": _pad,
    "power": _two(np.power),
    "prod": _reduction(np.prod),
    "reciprocal": _one(lambda x: 1.0 / x),
    "relu": _one(lambda x: np.maximum(x, 0)),
    "relu6": _one(lambda x: np.clip(x, 0, 6)),
    "repeat": _repeat,
    "reshape": lambda x, newshape: np.reshape(array(x), integers(newshape)),
    "roll": _roll,
    "round": _round,
    "rsqrt": _one(lambda x: 1.0 / np.sqrt(x)),
    "selu": _one(activations.selu),
    "shape": lambda x: np.asarray(np.shape(x), dtype=np.int64),
    "sigmoid": _one(activations.sigmoid),
    "sign": _one(np.sign),
    **dict.fromkeys(("silu", "swish"), _one(activations.swish)),
    "sin": _one(np.sin),
    "sinh": _one(np.sinh),
    "slice": _slice,
    "softmax": _softmax,
    "softplus": _one(activations.softplus),
    "softsign": _one(activations.softsign),
    "split": _split,
    "sqrt": _one(np.sqrt),
    "square": _one(np.square),
    "squeeze": lambda x, axis=None: np.squeeze(array(x), axis=axes(axis)),
    "stack": lambda x, axis=0: np.stack([array(each) for each in x], axis=int(axis)),
    "std": _reduction(np.std),
    "stop_gradient": lambda variable: array(variable),
    "subtract": _two(np.subtract),
    "sum": _reduction(np.sum),
    "swapaxes": lambda x, axis1, axis2: np.swapaxes(array(x), int(axis1), int(axis2)),
    "take": _take,
    "take_along_axis": _take_along,
    "tan": _one(np.tan),
    "tanh": _one(np.tanh),
    "tensordot": _tensordot,
    "tile": lambda x, repeats: np.tile(array(x), integers(repeats)),
    "top_k": _top_k,
    "transpose": _transpose,
    "tril": _matrix(np.tril),
    "triu": _matrix(np.triu),
    "unstack": _unstack,
    "var": _reduction(np.var),
    "where": _where,
    "zeros": _filled(0.0),
    "zeros_like": _like(0.0),
}

#: The rules by full name.
OPS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
