"""Functions of `keras.ops` in terms of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.einsum import einsum_as_matmul
from transforms.rebuild.expressions.activations import elu, gelu, softmax
from transforms.rebuild.expressions.era import beside, both
from transforms.rebuild.expressions.keras_3_arrangement import ARRANGING


def _one(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda x: function(x)


def _two(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Operands with one dtype: a constant takes that of the tensor, and of two tensors that of the float one is
    used.
    """

    def rule(x1: Any, x2: Any) -> Any:
        a, b = both(x1, x2)
        if a.dtype != b.dtype:
            wide = a.dtype if a.dtype.is_floating else b.dtype
            a, b = tf.cast(a, wide), tf.cast(b, wide)
        return function(a, b)

    return rule


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=bool(keepdims))


def _truths(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: function(tf.cast(x, tf.bool), axis=axis, keepdims=bool(keepdims))


def _place(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None:
            return function(tf.reshape(x, [-1]), axis=0, output_type=tf.int32)
        found = function(x, axis=axis, output_type=tf.int32)
        return tf.expand_dims(found, axis) if keepdims else found

    return rule


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(x: Any, axis: Any = None, dtype: Any = None) -> Any:
        values = x if dtype is None else tf.cast(x, dtype)
        return function(tf.reshape(values, [-1]), axis=0) if axis is None else function(values, axis=axis)

    return rule


def _average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return tf.reduce_mean(x, axis=axis)
    share = beside(weights, x)
    if share.shape.rank == 1 and isinstance(axis, int):
        share = tf.reshape(share, [-1, *[1] * (x.shape.rank - 1 - axis % x.shape.rank)])
    return tf.reduce_sum(x * share, axis=axis) / tf.reduce_sum(tf.ones_like(x) * share, axis=axis)


def _clip(x: Any, x_min: Any, x_max: Any) -> Any:
    return tf.minimum(tf.maximum(x, beside(x_min, x)), beside(x_max, x))


def _dot(x1: Any, x2: Any) -> Any:
    a, b = both(x1, x2)
    return tf.tensordot(a, b, axes=[[a.shape.rank - 1], [max(b.shape.rank - 2, 0)]])


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return tf.norm(x, ord="euclidean" if ord is None else ord, axis=axis, keepdims=bool(keepdims))


def _normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: Any = None) -> Any:
    if order != 2:
        raise ValueError(f"ops.normalize of order {order}")
    return tf.math.l2_normalize(x, axis=axis, epsilon=(1e-7 if epsilon is None else epsilon) ** 2)


def _round(x: Any, decimals: int = 0) -> Any:
    if decimals:
        raise ValueError("ops.round to decimals")
    return tf.round(x)


def _top_k(x: Any, k: int, sorted: bool = True) -> Any:
    return tf.math.top_k(x, k=k, sorted=sorted)


def _true(x: Any) -> Any:
    return tf.cast(x, tf.bool)


def _where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    return tf.where(tf.cast(condition, tf.bool), *both(x1, x2))


def _hard_sigmoid(x: Any) -> Any:
    return tf.nn.relu6(x + 3.0) / 6.0


def _log_to(base: float) -> Callable[..., Any]:
    return lambda x: tf.math.log(x) / tf.math.log(tf.constant(base, x.dtype))


_RULES: Mapping[str, Callable[..., Any]] = {
    **ARRANGING,
    **dict.fromkeys(("abs", "absolute"), _one(tf.abs)),
    "add": _two(tf.add),
    "all": _truths(tf.reduce_all),
    "any": _truths(tf.reduce_any),
    **dict.fromkeys(("amax", "max"), _reduction(tf.reduce_max)),
    **dict.fromkeys(("amin", "min"), _reduction(tf.reduce_min)),
    "arccos": _one(tf.acos),
    "arcsin": _one(tf.asin),
    "arctan": _one(tf.atan),
    "arctan2": _two(tf.atan2),
    "argmax": _place(tf.argmax),
    "argmin": _place(tf.argmin),
    "average": _average,
    "cast": lambda x, dtype: tf.cast(x, dtype),
    "ceil": _one(tf.math.ceil),
    "clip": _clip,
    "cos": _one(tf.cos),
    "cosh": _one(tf.cosh),
    "cumprod": _along(tf.math.cumprod),
    "cumsum": _along(tf.math.cumsum),
    **dict.fromkeys(("divide", "true_divide"), _two(tf.math.truediv)),
    "divide_no_nan": _two(tf.math.divide_no_nan),
    "dot": _dot,
    "einsum": lambda subscripts, operands: einsum_as_matmul(subscripts, *operands),
    "elu": elu,
    "equal": _two(tf.equal),
    "erf": _one(tf.math.erf),
    "exp": _one(tf.exp),
    "expm1": _one(tf.math.expm1),
    "floor": _one(tf.floor),
    "floor_divide": _two(tf.math.floordiv),
    "gelu": lambda x, approximate=True: gelu(x, approximate),
    "greater": _two(tf.greater),
    "greater_equal": _two(tf.greater_equal),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "isfinite": _one(tf.math.is_finite),
    "isinf": _one(tf.math.is_inf),
    "isnan": _one(tf.math.is_nan),
    "leaky_relu": lambda x, negative_slope=0.2: tf.nn.leaky_relu(x, alpha=negative_slope),
    "less": _two(tf.less),
    "less_equal": _two(tf.less_equal),
    "log": _one(tf.math.log),
    "log10": _log_to(10.0),
    "log1p": _one(tf.math.log1p),
    "log2": _log_to(2.0),
    "log_sigmoid": lambda x: -tf.nn.softplus(-x),
    "log_softmax": lambda x, axis=-1: tf.nn.log_softmax(x, axis=axis),
    "logaddexp": _two(lambda a, b: tf.maximum(a, b) + tf.math.log1p(tf.exp(-tf.abs(a - b)))),
    "logical_and": lambda x1, x2: tf.logical_and(_true(x1), _true(x2)),
    "logical_not": lambda x: tf.logical_not(tf.cast(x, tf.bool)),
    "logical_or": lambda x1, x2: tf.logical_or(_true(x1), _true(x2)),
    "logsumexp": _reduction(tf.reduce_logsumexp),
    "matmul": _two(tf.matmul),
    "maximum": _two(tf.maximum),
    "mean": _reduction(tf.reduce_mean),
    "minimum": _two(tf.minimum),
    "mod": _two(tf.math.floormod),
    "multiply": _two(tf.multiply),
    "negative": _one(tf.negative),
    "norm": _norm,
    "normalize": _normalize,
    "not_equal": _two(tf.not_equal),
    "power": _two(tf.pow),
    "prod": _reduction(tf.reduce_prod),
    "reciprocal": _one(tf.math.reciprocal),
    "relu": _one(tf.nn.relu),
    "relu6": _one(tf.nn.relu6),
    "round": _round,
    "rsqrt": _one(tf.math.rsqrt),
    "selu": _one(tf.nn.selu),
    "sigmoid": _one(tf.sigmoid),
    "sign": _one(tf.sign),
    **dict.fromkeys(("silu", "swish"), lambda x: x * tf.sigmoid(x)),
    "sin": _one(tf.sin),
    "sinh": _one(tf.sinh),
    "softmax": softmax,
    "softplus": _one(tf.nn.softplus),
    "softsign": _one(tf.nn.softsign),
    "sqrt": _one(tf.sqrt),
    "square": _one(tf.square),
    "std": _reduction(tf.math.reduce_std),
    "stop_gradient": lambda variable: tf.stop_gradient(variable),
    "subtract": _two(tf.subtract),
    "sum": _reduction(tf.reduce_sum),
    "tan": _one(tf.tan),
    "tanh": _one(tf.tanh),
    "tensordot": lambda x1, x2, axes=2: tf.tensordot(*both(x1, x2), axes=axes),
    "top_k": _top_k,
    "var": _reduction(tf.math.reduce_variance),
    "where": _where,
}


#: The rules by full name.
OPS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
