"""Functions of single entries: arithmetic, comparisons, activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from math import erf, erfc
from typing import Any

import numpy as np

from transforms.reference.functions.operands import SMALL_INTEGERS, array, clear_of_steps, clear_of_ties, pair, real
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers import activations

_ERF = np.vectorize(erf, otypes=[np.float64])
_ERFC = np.vectorize(erfc, otypes=[np.float64])


def _one(function: Callable[[Array], Any]) -> Callable[..., Array]:
    return lambda x: np.asarray(function(array(x)))


def _two(function: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    return lambda x, y: np.asarray(function(*pair(x, y)))


def _compared(function: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    def rule(x: Any, y: Any) -> Array:
        a, b = pair(x, y)
        clear_of_ties(a, b)
        return np.asarray(function(a, b))

    return rule


def _no_nan(function: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    """Zero where y is 0, for any x."""

    def rule(x: Any, y: Any) -> Array:
        a, b = pair(x, y)
        return np.where(b == 0, 0.0, function(a, np.where(b == 0, 1.0, b)))

    return rule


def _floor_div(x: Any, y: Any) -> Array:
    a, b = pair(x, y)
    if a.dtype.kind == "f":
        clear_of_steps(a / b, np.round(a / b))
    return np.asarray(np.floor_divide(a, b))


def _floormod(x: Any, y: Any) -> Array:
    a, b = pair(x, y)
    if a.dtype.kind == "f":
        clear_of_steps(a / b, np.round(a / b))
    return np.asarray(np.mod(a, b))


def _whole(function: Callable[[Array], Any], shift: float = 0.0) -> Callable[..., Array]:
    """Rounding: floor and ceil step at integers, round halfway between."""

    def rule(x: Any) -> Array:
        values = array(x)
        if values.dtype.kind != "f":
            return values
        return np.asarray(function(clear_of_steps(values, np.round(values - shift) + shift)))

    return rule


def _of_features(function: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda features: function(array(features))


def _cast(x: Any, dtype: Any) -> Array:
    values, kind = array(x), real(dtype)
    if kind == "f":
        return np.real(values).astype(np.float64)
    if kind == "b":
        return np.asarray(values != 0)
    if kind == "c":
        return values.astype(np.complex128)
    if values.dtype.kind == "f":
        clear_of_steps(values, np.round(values))
    found = values.astype(np.int64)
    if str(dtype) in SMALL_INTEGERS and np.any(found != found.astype(str(dtype))):
        raise NotCovered(f"a cast to {dtype} of numbers beyond its range")
    return found


def _as_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None) -> Array:
    return array(value) if dtype is None else _cast(value, dtype)


def _clip(t: Any, clip_value_min: Any, clip_value_max: Any) -> Array:
    """min(max(t, low), high), also if the bounds cross."""
    return np.asarray(np.minimum(np.maximum(t, array(clip_value_min, t)), array(clip_value_max, t)))


def _gelu(features: Any, approximate: bool = False) -> Array:
    x = array(features)
    if not approximate:
        return activations.gelu(x)
    return np.asarray(0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3))))


def _silu(features: Any, beta: Any = 1.0) -> Array:
    x = array(features)
    return np.asarray(x * activations.sigmoid(array(beta, x) * x))


def _where(condition: Any, x: Any, y: Any) -> Array:
    return np.where(array(condition).astype(bool), *pair(x, y))


def _rows_where(condition: Any, x: Any, y: Any) -> Array:
    """`tf.where` of TensorFlow 1: a vector of conditions selects whole rows."""
    chosen, a, b = array(condition).astype(bool), array(x, y), array(y, x)
    if chosen.ndim == 1:
        chosen = chosen.reshape(-1, *(1,) * (a.ndim - 1))
    return np.where(chosen, a, b)


def _bias_add(value: Any, bias: Any, data_format: Any = None) -> Array:
    if data_format not in (None, "NHWC", "N...C"):
        raise NotCovered(f"nn.bias_add in {data_format}")
    return np.asarray(value + array(bias, value))


def _xlogy(x: Any, y: Any) -> Array:
    a, b = pair(x, y)
    return np.where(a == 0, 0.0, a * np.log(np.where(a == 0, 1.0, b)))


def _like(fill: float) -> Callable[..., Array]:
    def rule(input: Any, dtype: Any = None) -> Array:
        values = np.full_like(array(input), fill)
        return values if dtype is None else _cast(values, dtype)

    return rule


def _identity(input: Any) -> Array:
    return array(input)


def _sign(x: Any) -> Array:
    return np.sign(array(x))


def _sum_of(inputs: Any) -> Array:
    tensors = [item for item in inputs if isinstance(item, np.ndarray)]
    return np.asarray(reduce(np.add, (array(item, tensors[0]) for item in inputs)))


ELEMENTWISE: Mapping[str, Callable[..., Array]] = {
    "__operators__.add": _two(np.add),
    "math.add": _two(np.add),
    "math.add_n": _sum_of,
    "math.subtract": _two(np.subtract),
    "math.multiply": _two(np.multiply),
    "compat.v1.math.scalar_mul": lambda scalar, x: np.asarray(np.multiply(*pair(scalar, x))),
    "math.truediv": _two(np.true_divide),
    "math.divide_no_nan": _no_nan(np.true_divide),
    "math.multiply_no_nan": _no_nan(np.multiply),
    "math.floordiv": _floor_div,
    "compat.v1.floor_div": _floor_div,
    "math.floormod": _floormod,
    "math.pow": _two(np.power),
    "math.maximum": _two(np.maximum),
    "math.minimum": _two(np.minimum),
    "math.squared_difference": _two(lambda x, y: np.square(x - y)),
    "math.atan2": lambda y, x: np.arctan2(*pair(y, x)),
    "math.xlogy": _xlogy,
    "math.greater": _compared(np.greater),
    "math.greater_equal": _compared(np.greater_equal),
    "math.less": _compared(np.less),
    "math.less_equal": _compared(np.less_equal),
    "math.equal": _compared(np.equal),
    "math.not_equal": _compared(np.not_equal),
    "math.logical_and": _two(np.logical_and),
    "math.logical_or": _two(np.logical_or),
    "math.logical_not": _one(np.logical_not),
    "math.abs": _one(np.abs),
    "math.acos": _one(np.arccos),
    "math.acosh": _one(np.arccosh),
    "math.asin": _one(np.arcsin),
    "math.asinh": _one(np.arcsinh),
    "math.atan": _one(np.arctan),
    "math.atanh": _one(np.arctanh),
    "math.ceil": _whole(np.ceil),
    "math.floor": _whole(np.floor),
    "math.rint": _whole(np.rint, 0.5),
    "math.round": _whole(np.rint, 0.5),
    "math.cos": _one(np.cos),
    "math.cosh": _one(np.cosh),
    "math.erf": _one(_ERF),
    "math.erfc": _one(_ERFC),
    "math.exp": _one(np.exp),
    "math.expm1": _one(np.expm1),
    "math.is_finite": _one(np.isfinite),
    "math.is_inf": _one(np.isinf),
    "math.is_nan": _one(np.isnan),
    "math.log": _one(np.log),
    "math.log1p": _one(np.log1p),
    "math.log_sigmoid": _one(lambda x: -activations.softplus(-x)),
    "math.negative": _one(np.negative),
    "math.reciprocal": _one(lambda x: 1.0 / x),
    "math.rsqrt": _one(lambda x: 1.0 / np.sqrt(x)),
    "math.sigmoid": _one(activations.sigmoid),
    "math.sign": _sign,
    "math.sin": _one(np.sin),
    "math.sinh": _one(np.sinh),
    "math.sqrt": _one(np.sqrt),
    "math.square": _one(np.square),
    "math.tan": _one(np.tan),
    "math.tanh": _one(np.tanh),
    "math.softplus": _of_features(activations.softplus),
    "nn.elu": _of_features(activations.elu),
    "nn.relu": _of_features(lambda x: np.maximum(x, 0)),
    "nn.relu6": _of_features(lambda x: np.clip(x, 0, 6)),
    "nn.selu": _of_features(activations.selu),
    "nn.softsign": _of_features(activations.softsign),
    "nn.leaky_relu": lambda features, alpha=0.2: activations.leaky_relu(array(features), float(np.float32(alpha))),
    "nn.silu": _silu,
    "nn.gelu": _gelu,
    "compat.v1.nn.crelu": lambda features, axis=-1: np.concatenate(
        [np.maximum(features, 0.0), np.maximum(-features, 0.0)], axis=axis
    ),
    "nn.bias_add": _bias_add,
    "clip_by_value": _clip,
    "cast": _cast,
    "convert_to_tensor": _as_tensor,
    "identity": _identity,
    "stop_gradient": _identity,
    "ensure_shape": lambda x, shape: array(x),
    "where": _where,
    "compat.v1.where": _rows_where,
    "ones_like": _like(1),
    "zeros_like": _like(0),
}
