"""Functions of `keras.backend`, on TensorFlow unless stated otherwise.

Source: keras/backend/tensorflow_backend.py of 1.2.2, 2.2.4 and 2.3.1, tensorflow/python/keras/backend.py of 1.15, and
keras/backend.py of 2.15; theano_backend.py for functions that differ there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.functions.arrangement import ARRANGEMENT
from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, integers, pair, real
from transforms.reference.functions.reductions import REDUCTIONS
from transforms.reference.lambda_functions.activations import elu, relu, softmax
from transforms.reference.lambda_functions.backend_losses import EPSILON, LOSSES
from transforms.reference.lambda_functions.backend_products import batch_dot, dot
from transforms.reference.lambda_functions.backend_windows import WINDOWS
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers import activations


def _one(function: Callable[[Array], Any]) -> Callable[..., Array]:
    return lambda x: np.asarray(function(array(x)))


def _reduction(function: Callable[..., Any], as_float: bool = False, as_truth: bool = False) -> Callable[..., Array]:
    """A reduction over an axis, several, or all; booleans count as 0 and 1 in means."""

    def rule(x: Any, axis: Any = None, keepdims: Any = False) -> Array:
        values = array(x)
        if as_truth:
            values = values != 0
        elif as_float and values.dtype.kind == "b":
            values = values.astype(np.float64)
        return np.asarray(function(values, axis=axes(axis), keepdims=bool(keepdims)))

    return rule


def _place(which: str) -> Callable[..., Array]:
    """The position of the largest or smallest entry, by default along the last axis."""

    def rule(x: Any, axis: Any = -1) -> Array:
        return np.asarray(REDUCTIONS[which](array(x), axis=axis))

    return rule


def _log_sum_exp(x: Any, axis: Any = None, keepdims: Any = False) -> Array:
    return np.asarray(REDUCTIONS["math.reduce_logsumexp"](array(x), axis=axis, keepdims=keepdims))


def _compared(which: str) -> Callable[..., Array]:
    return lambda x, y: ELEMENTWISE[which](x, y)


def _clip(x: Any, min_value: Any, max_value: Any) -> Array:
    """Clips; if the bounds cross, the lower one is used for both."""
    values = array(x)
    low = -np.inf if min_value is None else array(min_value, values)
    high = np.inf if max_value is None else array(max_value, values)
    return np.asarray(np.minimum(np.maximum(values, low), np.maximum(high, low)))


def _unit_length(x: Any, writer: Writer, axis: Any = None) -> Array:
    """L2 normalization, x / sqrt(max(sum of squares, 1e-12)); on Theano the minimum is `K.epsilon()`."""
    values = array(x)
    squares = np.sum(np.square(values), axis=axes(axis), keepdims=True)
    floor = EPSILON if writer.backend == "theano" else 1e-12
    return np.asarray(values / np.sqrt(np.maximum(squares, floor)))


def _cast(x: Any, dtype: Any) -> Array:
    return ELEMENTWISE["cast"](x, dtype=dtype)


def _filled(value: float) -> Callable[..., Array]:
    def rule(shape: Any, dtype: Any = None) -> Array:
        return np.full(integers(shape), value, {"f": np.float64, "i": np.int64, "b": bool}[real(dtype)])

    return rule


def _like(value: float) -> Callable[..., Array]:
    def rule(x: Any, dtype: Any = None) -> Array:
        return ELEMENTWISE["ones_like" if value else "zeros_like"](array(x), dtype=dtype)

    return rule


def _constant(value: Any, dtype: Any = None, shape: Any = None) -> Array:
    """A constant, by default of `floatx`, repeated to fill a shape."""
    made = ELEMENTWISE["cast"](array(value), dtype="float32" if dtype is None else dtype)
    return made if shape is None else np.broadcast_to(made, integers(shape))


def _arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Array:
    """As `np.arange`: a single bound is the end."""
    first, last = (0, start) if stop is None else (start, stop)
    values = np.arange(array(first).item(), array(last).item(), array(step).item())
    return values.astype({"f": np.float64, "i": np.int64}[real(dtype)])


def _concatenate(tensors: Any, axis: Any = -1) -> Array:
    return np.concatenate([array(each) for each in tensors], axis=int(axis))


def _batch_flatten(x: Any) -> Array:
    values = array(x)
    return values.reshape(values.shape[0], -1)


def _repeat(x: Any, n: Any) -> Array:
    """(rows, d) -> (rows, n, d)."""
    values = array(x)
    if values.ndim != 2:
        raise NotCovered("K.repeat of other than two axes")
    return np.repeat(values[:, np.newaxis], int(n), axis=1)


def _gather(reference: Any, indices: Any) -> Array:
    return np.asarray(ARRANGEMENT["compat.v1.gather"](array(reference), indices))


def _one_hot(indices: Any, num_classes: Any) -> Array:
    return np.asarray(ARRANGEMENT["one_hot"](indices, depth=num_classes))


def _slice(x: Any, start: Any, size: Any) -> Array:
    return np.asarray(ARRANGEMENT["slice"](array(x), start, size))


def _reverse(x: Any, axes: Any) -> Array:
    along = integers(axes)
    return np.flip(array(x), axis=tuple(along))


def _tile(x: Any, n: Any) -> Array:
    return np.tile(array(x), integers(n))


def _switch(condition: Any, then_expression: Any, else_expression: Any) -> Array:
    """Selects element-wise; a condition of lower rank is broadcast over the missing trailing axes."""
    chosen, (then, other) = array(condition) != 0, pair(then_expression, else_expression)
    if 0 < chosen.ndim < max(then.ndim, other.ndim):
        chosen = chosen.reshape(*chosen.shape, *(1,) * (max(then.ndim, other.ndim) - chosen.ndim))
    return np.where(chosen, then, other)


def _batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any = None, gamma: Any = None, axis: Any = -1, epsilon: Any = 1e-3
) -> Array:
    """Batch normalization, gamma (x - mean) / sqrt(var + epsilon) + beta."""
    values = array(x)
    if int(axis) % values.ndim != values.ndim - 1:
        raise NotCovered("K.batch_normalization over another axis than the last")
    scaled = (values - array(mean)) / np.sqrt(array(var) + float(np.float32(epsilon)))
    scaled = scaled if gamma is None else scaled * array(gamma)
    return np.asarray(scaled if beta is None else scaled + array(beta))


def _bias_add(x: Any, bias: Any, data_format: Any = None) -> Array:
    """A bias of one axis along the channels, or one of as many axes as a sample has."""
    values, added = array(x), array(bias)
    if data_format in ("channels_first", "th") and added.ndim == 1:
        added = added.reshape(-1, *(1,) * (values.ndim - 2))
    elif data_format in ("channels_first", "th"):
        raise NotCovered("K.bias_add of several axes in channels_first")
    return np.asarray(values + added)


def _extreme(function: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    return lambda x, y: np.asarray(function(*pair(x, y)))


def _rounded(x: Any) -> Array:
    return ELEMENTWISE["math.round"](array(x))


def _squeeze(x: Any, axis: Any) -> Array:
    return np.squeeze(array(x), axis=int(axis))


def _eye(size: Any, dtype: Any = None) -> Array:
    rows, columns = (*integers(size), *integers(size))[:2]
    return np.eye(rows, columns).astype({"f": np.float64, "i": np.int64}[real(dtype)])


def _truth_number(function: Callable[..., Any]) -> Callable[..., Array]:
    return _reduction(function, as_truth=True)


_RULES: Mapping[str, Callable[..., Any]] = {
    **LOSSES,
    "abs": _one(np.abs),
    "all": _truth_number(np.all),
    "any": _truth_number(np.any),
    "arange": _arange,
    "argmax": _place("math.argmax"),
    "argmin": _place("math.argmin"),
    "batch_dot": batch_dot,
    "batch_flatten": _batch_flatten,
    "batch_normalization": _batch_normalization,
    "bias_add": _bias_add,
    "cast": _cast,
    "cast_to_floatx": lambda x: _cast(x, "float32"),
    "clip": _clip,
    "concatenate": _concatenate,
    "constant": _constant,
    "cos": _one(np.cos),
    "cumprod": lambda x, axis=0: np.cumprod(array(x), axis=int(axis)),
    "cumsum": lambda x, axis=0: np.cumsum(array(x), axis=int(axis)),
    "dot": dot,
    "elu": elu,
    "equal": _compared("math.equal"),
    "exp": _one(np.exp),
    "expand_dims": lambda x, axis=-1: np.expand_dims(array(x), int(axis)),
    "eye": _eye,
    "flatten": lambda x: array(x).reshape(-1),
    "gather": _gather,
    "greater": _compared("math.greater"),
    "greater_equal": _compared("math.greater_equal"),
    "hard_sigmoid": _one(activations.hard_sigmoid),
    "identity": _one(lambda x: x),
    "l2_normalize": _unit_length,
    "less": _compared("math.less"),
    "less_equal": _compared("math.less_equal"),
    "log": _one(np.log),
    "logsumexp": _log_sum_exp,
    "max": _reduction(np.max),
    "maximum": _extreme(np.maximum),
    "mean": _reduction(np.mean, as_float=True),
    "min": _reduction(np.min),
    "minimum": _extreme(np.minimum),
    "not_equal": _compared("math.not_equal"),
    "one_hot": _one_hot,
    "ones": _filled(1.0),
    "ones_like": _like(1.0),
    "permute_dimensions": lambda x, pattern: np.transpose(array(x), integers(pattern)),
    "pow": lambda x, a: np.power(*pair(x, a)),
    "prod": _reduction(np.prod),
    "relu": relu,
    "repeat": _repeat,
    "repeat_elements": lambda x, rep, axis: np.repeat(array(x), int(rep), axis=int(axis)),
    "reshape": lambda x, shape: np.reshape(array(x), integers(shape)),
    "reverse": _reverse,
    "round": _rounded,
    "shape": lambda x: np.asarray(np.shape(x), dtype=np.int64),
    "sigmoid": _one(activations.sigmoid),
    "sign": _one(np.sign),
    "sin": _one(np.sin),
    "size": lambda x: np.asarray(np.size(x), dtype=np.int64),
    "slice": _slice,
    "softmax": softmax,
    "softplus": _one(activations.softplus),
    "softsign": _one(activations.softsign),
    "sqrt": _one(lambda x: np.sqrt(np.maximum(x, 0.0))),
    "square": _one(np.square),
    "squeeze": _squeeze,
    "stack": lambda x, axis=0: np.stack([array(each) for each in x], axis=int(axis)),
    "std": _reduction(np.std, as_float=True),
    "stop_gradient": lambda variables: array(variables),
    "sum": _reduction(np.sum),
    "switch": _switch,
    "tanh": _one(np.tanh),
    "tile": _tile,
    "transpose": lambda x: np.transpose(array(x)),
    "var": _reduction(np.var, as_float=True),
    "zeros": _filled(0.0),
    "zeros_like": _like(0.0),
    **WINDOWS,
}


#: The rules by full name.
BACKEND: Mapping[str, Callable[..., Any]] = {f"keras.backend.{name}": rule for name, rule in _RULES.items()}
