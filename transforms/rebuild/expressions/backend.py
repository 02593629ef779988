"""Functions of `keras.backend` in terms of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.activations import elu, relu, softmax
from transforms.rebuild.expressions.backend_products import batch_dot, dot
from transforms.rebuild.expressions.backend_windows import WINDOWS
from transforms.rebuild.expressions.era import Era, as_integers, beside, both, floats

_EPSILON = 1e-7


def _one(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda x: function(x)


def _two(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda x, y: function(*both(x, y))


def _reduction(function: Callable[..., Any], prepare: Callable[[Any], Any] = lambda x: x) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: function(prepare(x), axis=axis, keepdims=bool(keepdims))


def _truths(x: Any) -> Any:
    return tf.cast(x, tf.bool)


def _clip(x: Any, min_value: Any, max_value: Any) -> Any:
    bounds = [bound for bound in (min_value, max_value) if bound is not None]
    if len(bounds) == 2 and not any(hasattr(bound, "dtype") for bound in bounds) and max_value < min_value:
        max_value = min_value
    if min_value is not None:
        x = tf.maximum(x, beside(min_value, x))
    return x if max_value is None else tf.minimum(x, beside(max_value, x))


def _unit_length(x: Any, era: Era, axis: Any = None) -> Any:
    return tf.math.l2_normalize(x, axis=axis, epsilon=_EPSILON if era.backend == "theano" else 1e-12)


def _constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    made = tf.cast(tf.constant(value), tf.float32 if dtype is None else dtype)
    return made if shape is None else tf.broadcast_to(made, shape)


def _arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    first, last = (0, start) if stop is None else (start, stop)
    return tf.cast(tf.range(first, last, step), dtype)


def _batch_flatten(x: Any) -> Any:
    rest = x.shape[1:]
    size = rest.num_elements() if rest.is_fully_defined() else tf.reduce_prod(tf.shape(x)[1:])
    return tf.reshape(x, tf.stack([-1, size]) if hasattr(size, "dtype") else [-1, size])


def _repeat(x: Any, n: Any) -> Any:
    """(rows, d) -> (rows, n, d)."""
    return tf.tile(tf.expand_dims(x, 1), [1, n, 1])


def _repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Repeats each entry consecutively: an axis of copies after the axis, merged into it."""
    place, shape = axis % x.shape.rank, x.shape.as_list()
    copies = [1] * (len(shape) + 1)
    copies[place + 1] = rep
    wide = tf.tile(tf.expand_dims(x, place + 1), copies)
    free = [index for index, extent in enumerate(shape) if extent is None]
    known = [None if extent is None else extent * (rep if index == place else 1) for index, extent in enumerate(shape)]
    if len(free) <= 1:
        return tf.reshape(wide, [-1 if extent is None else extent for extent in known])
    counted = tf.shape(x)
    target = [
        counted[index] * (rep if index == place else 1) if index in free else known[index]
        for index in range(len(shape))
    ]
    return tf.reshape(wide, tf.stack(target))


def _switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    chosen, (then, other) = tf.cast(condition, tf.bool), both(then_expression, else_expression)
    for _ in range(max(then.shape.rank, other.shape.rank) - chosen.shape.rank if chosen.shape.rank else 0):
        chosen = tf.expand_dims(chosen, -1)
    return tf.where(chosen, then, other)


def _batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any = None, gamma: Any = None, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    if axis % x.shape.rank != x.shape.rank - 1:
        raise ValueError("K.batch_normalization over another axis than the last")
    return tf.nn.batch_normalization(x, mean, var, beta, gamma, epsilon)


def _bias_add(x: Any, bias: Any, data_format: Any = None) -> Any:
    if data_format in ("channels_first", "th"):
        bias = tf.reshape(bias, [-1, *[1] * (x.shape.rank - 2)])
    return x + bias


def _binary_crossentropy(target: Any, output: Any, era: Era, from_logits: bool = False) -> Any:
    if from_logits:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    p = tf.clip_by_value(output, _EPSILON, 1.0 - _EPSILON)
    if era.before((99,), (1, 14)):
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=tf.math.log(p / (1.0 - p)))
    return -(target * tf.math.log(p + _EPSILON) + (1.0 - target) * tf.math.log(1.0 - p + _EPSILON))


def _categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    if from_logits:
        return tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=output, axis=axis)
    p = tf.clip_by_value(output / tf.reduce_sum(output, axis, True), _EPSILON, 1.0 - _EPSILON)
    return -tf.reduce_sum(target * tf.math.log(p), axis)


def _sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    if axis % output.shape.rank != output.shape.rank - 1:
        raise ValueError("K.sparse_categorical_crossentropy over another axis than the last")
    logits = output if from_logits else tf.math.log(tf.clip_by_value(output, _EPSILON, 1.0 - _EPSILON))
    classes = tf.cast(tf.reshape(target, tf.shape(output)[:-1]), tf.int64)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)


def _filled(value: float) -> Callable[..., Any]:
    return lambda shape, dtype=None: tf.fill(shape, tf.cast(value, tf.float32 if dtype is None else dtype))


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, dtype=None: function(x, dtype=dtype)


def _eye(size: Any, dtype: Any = None) -> Any:
    return tf.eye(*as_integers(size), dtype=tf.as_dtype("float32" if dtype is None else dtype))


def _reshape(x: Any, shape: Any) -> Any:
    return tf.reshape(x, shape)


_RULES: Mapping[str, Callable[..., Any]] = {
    "abs": _one(tf.abs),
    "all": _reduction(tf.reduce_all, _truths),
    "any": _reduction(tf.reduce_any, _truths),
    "arange": _arange,
    "argmax": lambda x, axis=-1: tf.argmax(x, axis=axis),
    "argmin": lambda x, axis=-1: tf.argmin(x, axis=axis),
    "batch_dot": batch_dot,
    "batch_flatten": _batch_flatten,
    "batch_normalization": _batch_normalization,
    "bias_add": _bias_add,
    "binary_crossentropy": _binary_crossentropy,
    "cast": lambda x, dtype: tf.cast(x, dtype),
    "cast_to_floatx": lambda x: tf.cast(x, tf.float32),
    "categorical_crossentropy": _categorical_crossentropy,
    "clip": _clip,
    "concatenate": lambda tensors, axis=-1: tf.concat(tensors, axis=axis),
    "constant": _constant,
    "cos": _one(tf.cos),
    "cumprod": lambda x, axis=0: tf.math.cumprod(x, axis=axis),
    "cumsum": lambda x, axis=0: tf.math.cumsum(x, axis=axis),
    "dot": dot,
    "elu": elu,
    "equal": _two(tf.equal),
    "exp": _one(tf.exp),
    "expand_dims": lambda x, axis=-1: tf.expand_dims(x, axis),
    "eye": _eye,
    "flatten": lambda x: tf.reshape(x, [-1]),
    "gather": lambda reference, indices: tf.gather(reference, indices),
    "greater": _two(tf.greater),
    "greater_equal": _two(tf.greater_equal),
    "hard_sigmoid": lambda x: tf.clip_by_value(0.2 * floats(x) + 0.5, 0.0, 1.0),
    "identity": _one(tf.identity),
    "l2_normalize": _unit_length,
    "less": _two(tf.less),
    "less_equal": _two(tf.less_equal),
    "log": _one(tf.math.log),
    "logsumexp": _reduction(tf.reduce_logsumexp),
    "max": _reduction(tf.reduce_max),
    "maximum": _two(tf.maximum),
    "mean": _reduction(tf.reduce_mean, floats),
    "min": _reduction(tf.reduce_min),
    "minimum": _two(tf.minimum),
    "not_equal": _two(tf.not_equal),
    "one_hot": lambda indices, num_classes: tf.one_hot(indices, num_classes),
    "ones": _filled(1.0),
    "ones_like": _like(tf.ones_like),
    "permute_dimensions": lambda x, pattern: tf.transpose(x, perm=pattern),
    "pow": lambda x, a: tf.pow(*both(x, a)),
    "prod": _reduction(tf.reduce_prod),
    "relu": relu,
    "repeat": _repeat,
    "repeat_elements": _repeat_elements,
    "reshape": _reshape,
    "reverse": lambda x, axes: tf.reverse(x, as_integers(axes)),
    "round": _one(tf.round),
    "shape": _one(tf.shape),
    "sigmoid": _one(tf.sigmoid),
    "sign": _one(tf.sign),
    "sin": _one(tf.sin),
    "size": lambda x: tf.reduce_prod(tf.shape(x)),
    "slice": lambda x, start, size: tf.slice(x, start, size),
    "softmax": softmax,
    "softplus": _one(tf.nn.softplus),
    "softsign": _one(tf.nn.softsign),
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
    "sqrt": lambda x: tf.sqrt(tf.maximum(x, beside(0.0, x))),
    "square": _one(tf.square),
    "squeeze": lambda x, axis: tf.squeeze(x, axis=[axis]),
    "stack": lambda x, axis=0: tf.stack(x, axis=axis),
    "std": _reduction(tf.math.reduce_std, floats),
    "stop_gradient": lambda variables: tf.stop_gradient(variables),
    "sum": _reduction(tf.reduce_sum),
    "switch": _switch,
    "tanh": _one(tf.tanh),
    "tile": lambda x, n: tf.tile(x, n if isinstance(n, list) or hasattr(n, "dtype") else [n]),
    "transpose": lambda x: tf.transpose(x),
    "var": _reduction(tf.math.reduce_variance, floats),
    "zeros": _filled(0.0),
    "zeros_like": _like(tf.zeros_like),
    **WINDOWS,
}

#: The rules by full name.
BACKEND: Mapping[str, Callable[..., Any]] = {f"keras.backend.{name}": rule for name, rule in _RULES.items()}
