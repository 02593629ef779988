"""The TensorFlow functions for masks, operations and activations of Keras 3: a closed list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import tensorflow as tf


def _counted_steps(x: Any, mask_value: float) -> Any:
    """(n, t, d) -> (n, t): True where any feature differs from the value (`Masking.compute_mask`)."""
    return tf.reduce_any(tf.not_equal(x, tf.cast(mask_value, x.dtype)), axis=-1)


def _counted_values(x: Any, mask_value: float) -> Any:
    """The input, with zeros at masked steps (`Masking.call`)."""
    return x * tf.cast(tf.expand_dims(_counted_steps(x, mask_value), -1), x.dtype)


def _not_zero(x: Any) -> Any:
    return tf.not_equal(x, tf.zeros_like(x))


def _any_mask(*masks: Any) -> Any:
    return reduce(tf.logical_or, masks)


def _attention_mask(*masks: Any, masked: list[bool]) -> Any:
    """Combines the masks of query (n, t), value and key (n, s), as far as given, to (n, t or 1, s or 1)."""
    present = iter(masks)
    of_query, *of_sources = [next(present) if has else None for has in masked]
    wide = [] if of_query is None else [of_query[:, :, tf.newaxis]]
    wide += [mask[:, tf.newaxis, :] for mask in of_sources if mask is not None]
    return reduce(tf.logical_and, wide)


def _split(tensors: tuple[Any, ...], masked: list[bool]) -> tuple[list[Any], list[Any]]:
    """The values, and the mask of each or None."""
    values, masks = list(tensors[: len(masked)]), iter(tensors[len(masked) :])
    return values, [next(masks) if has else None for has in masked]


def _concatenated_mask(*tensors: Any, masked: list[bool], axis: int) -> Any:
    """`Concatenate.compute_mask`: the masks in the shapes of their values, concatenated; any over the last axis."""
    values, masks = _split(tensors, masked)
    shaped = []
    for x, mask in zip(values, masks, strict=True):
        if mask is None:
            shaped.append(tf.ones_like(x, dtype=tf.bool))
        else:
            wide = mask if mask.shape.rank == x.shape.rank else tf.expand_dims(mask, -1)
            shaped.append(tf.logical_or(wide, tf.zeros_like(x, dtype=tf.bool)))
    return tf.reduce_any(tf.concat(shaped, axis=axis), axis=-1)


def _masked_product(*tensors: Any, masked: list[bool]) -> Any:
    """`Multiply._merge_function`: 1 where a value is masked; 0 where all values are masked."""
    values, masks = _split(tensors, masked)
    rank = max(x.shape.rank for x in values)
    factors, seen = [], []
    for x, mask in zip(values, masks, strict=True):
        if mask is not None and x.shape.rank == rank:
            wide = tf.expand_dims(mask, -1)
            if wide.shape.rank != rank:
                raise ValueError(f"a mask of rank {mask.shape.rank} on values of rank {rank}")
            seen.append(tf.logical_or(wide, tf.zeros_like(x, dtype=tf.bool)))
            x = tf.where(seen[-1], x, tf.ones_like(x))
        for _ in range(rank - x.shape.rank):
            x = tf.expand_dims(x, 1)
        factors.append(x)
    y = reduce(tf.multiply, factors)
    return tf.where(_any_mask(*seen), y, tf.zeros_like(y)) if len(seen) == len(values) else y


def _hard_sigmoid(x: Any) -> Any:
    return tf.nn.relu6(x + 3.0) / 6.0


_ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = {
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "hard_swish": lambda x: x * _hard_sigmoid(x),
    "hard_tanh": lambda x: tf.clip_by_value(x, -1.0, 1.0),
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, alpha=0.2),
    "log_softmax": lambda x: tf.nn.log_softmax(x, axis=-1),
    "log_sigmoid": lambda x: -tf.nn.softplus(-x),
    "mish": lambda x: x * tf.tanh(tf.nn.softplus(x)),
    "celu": lambda x: tf.nn.relu(x) + tf.math.expm1(tf.minimum(x, 0.0)),
    "squareplus": lambda x: (x + tf.sqrt(x * x + 4.0)) / 2.0,
    "tanh_shrink": lambda x: x - tf.tanh(x),
}


def _activation(x: Any, function: str) -> Any:
    return _ACTIVATIONS[function](x)


_PAIRS: Mapping[str, Callable[[Any, Any], Any]] = {
    "Add": tf.add,
    "Subtract": tf.subtract,
    "Multiply": tf.multiply,
    "Divide": tf.divide,
    "TrueDivide": tf.divide,
    "NotEqual": tf.not_equal,
    "LogicalAnd": tf.logical_and,
    "LogicalOr": tf.logical_or,
}
_SINGLES: Mapping[str, Callable[[Any], Any]] = {
    "LogicalNot": tf.logical_not,
    "Relu": tf.nn.relu,
    "Sigmoid": tf.sigmoid,
    "Tanh": tf.tanh,
    "Exp": tf.exp,
    "Square": tf.square,
    "Sqrt": tf.sqrt,
    "Negative": tf.negative,
    "Absolute": tf.abs,
    "ConvertToTensor": tf.identity,
}
_REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "Any": tf.reduce_any,
    "All": tf.reduce_all,
    "Mean": tf.reduce_mean,
    "Sum": tf.reduce_sum,
    "Max": tf.reduce_max,
    "Min": tf.reduce_min,
}


def _operation(
    *tensors: Any, name: str, operands: list[Any], axis: Any = None, keepdims: bool = False, dtype: str | None = None
) -> Any:
    """An operation of Keras 3, with arguments as in `transforms.architecture.keras_3`."""
    found = _placed(operands, tensors)
    if name in _PAIRS:
        x, y = _of_one_dtype(found)
        return _PAIRS[name](x, y)
    if name in _SINGLES:
        return _SINGLES[name](found[0])
    if name in _REDUCTIONS:
        return _REDUCTIONS[name](found[0], axis=axis, keepdims=keepdims)
    if name == "Concatenate":
        return tf.concat(found[0] if isinstance(found[0], list) else found, axis=0 if axis is None else axis)
    if name == "ExpandDims":
        return tf.expand_dims(found[0], axis)
    if name == "Squeeze":
        return tf.squeeze(found[0], axis=axis)
    if name in ("ZerosLike", "OnesLike"):
        filled = tf.zeros_like if name == "ZerosLike" else tf.ones_like
        return filled(found[0], dtype=None if dtype is None else tf.as_dtype(dtype))
    raise ValueError(f"the operation {name}")


def _placed(value: Any, tensors: tuple[Any, ...]) -> Any:
    if isinstance(value, list):
        return [_placed(item, tensors) for item in value]
    return tensors[value["input"]] if isinstance(value, Mapping) else value


def _of_one_dtype(pair: list[Any]) -> list[Any]:
    """Gives numbers the dtype of the tensor operand."""
    dtype = next(value.dtype for value in pair if not isinstance(value, (int, float)))
    return [tf.constant(value, dtype=dtype) if isinstance(value, (int, float)) else value for value in pair]


KERAS_3_OPS: Mapping[str, Callable[..., Any]] = {
    "counted_steps": _counted_steps,
    "counted_values": _counted_values,
    "not_zero": _not_zero,
    "any_mask": _any_mask,
    "attention_mask": _attention_mask,
    "concatenated_mask": _concatenated_mask,
    "masked_product": _masked_product,
    "activation": _activation,
    "operation": _operation,
}
