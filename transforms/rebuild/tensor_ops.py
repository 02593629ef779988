"""The closed list of TensorFlow functions that a canonical graph may contain besides layers.

Applied to a symbolic Keras tensor, each becomes a `TFOpLambda` layer, which every Keras 2 loader supports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from transforms.rebuild.expressions import evaluate_expression
from transforms.rebuild.functions import call_function
from transforms.rebuild.keras_3_ops import KERAS_3_OPS


def _reverse(x: Any, axis: list[int]) -> Any:
    return tf.reverse(x, axis=axis)


def _last_step(x: Any) -> Any:
    """(batch, time, ...) -> (batch, ...): the last entry of the time axis."""
    return x[:, -1]


def _softmax(x: Any, axis: int) -> Any:
    return tf.nn.softmax(x, axis=axis)


def _relu(x: Any, threshold: float, negative_slope: float, max_value: float | None) -> Any:
    y = tf.where(tf.greater(x, threshold), x, tf.zeros_like(x))
    if max_value is not None:
        y = tf.minimum(tf.nn.relu(y), max_value)
    return y - negative_slope * tf.nn.relu(threshold - x) if negative_slope else y


def _resize_bilinear(x: Any, factors: int | list[int]) -> Any:
    """(batch, height, width, channels), resized as TensorFlow 1 did."""
    height, width = (factors, factors) if isinstance(factors, int) else factors
    free = None in x.shape[1:3]
    size = tf.shape(x)[1:3] * [height, width] if free else [x.shape[1] * height, x.shape[2] * width]
    return tf.compat.v1.image.resize_bilinear(x, size, align_corners=False, half_pixel_centers=False)


def _samplewise_normalization(x: Any, epsilon: float) -> Any:
    """(x - mean) / (sqrt(var + eps) + eps) over the last axis."""
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
    return centred / (tf.sqrt(variance + epsilon) + epsilon)


def _inverse_root(x: Any, floor: float) -> Any:
    """1 / max(sqrt(x), floor), where a NaN root counts as less than the floor, as in TensorFlow 1."""
    root = tf.sqrt(x)
    return 1.0 / tf.where(tf.greater(root, floor), root, tf.constant(floor, x.dtype))


def _expand_dims(x: Any, axis: int) -> Any:
    return tf.expand_dims(x, axis)


def _ensure_shape(x: Any, shape: list[int | None]) -> Any:
    """The tensor itself with this static shape; an error at run time if it differs."""
    return tf.ensure_shape(x, shape)


def _identity(x: Any) -> Any:
    return tf.identity(x)


def _complement(x: Any) -> Any:
    return 1.0 - x


def _minimum(a: Any, b: Any) -> Any:
    return tf.where(tf.less(b, a), b, a)


def _maximum(a: Any, b: Any) -> Any:
    return tf.where(tf.less(a, b), b, a)


def _divide(x: Any, y: Any) -> Any:
    return tf.divide(x, y)


def _ones_like(x: Any) -> Any:
    return tf.ones_like(x)


def _border(x: Any, before: list[int], window: list[int], strides: list[int], lowest: bool) -> Any:
    """(batch, *space, channels) with a border in which windows at these strides have ceil(n / s) positions.

    `before` positions are added before each axis, and as many as needed after it; if the last window ends before the
    axis does, the rest is cut off. Their value is zero, or the lowest number of the dtype.
    """
    value = float(x.dtype.min) if lowest else 0.0
    padded = tf.pad(x, [[0, 0], *([size, size] for size in before), [0, 0]], constant_values=value)
    free = None in x.shape[1:-1]
    shape = tf.shape(x) if free else None
    stops = []
    for axis, (k, s) in enumerate(zip(window, strides, strict=True), start=1):
        length = shape[axis] if x.shape[axis] is None and shape is not None else x.shape[axis]
        stops.append((length + (s - 1)) // s * s + (k - s))
    return padded[(slice(None), *(slice(0, stop) for stop in stops))]


def _matrix_product(x: Any, y: Any, axes: int | list[int], normalize: bool) -> Any:
    """Multiplies inputs of two or more axes over the last two; the axes before them are paired.

    The input of lower rank gets axes of length 1 at its end. x is transposed unless `axes` names its last axis, y if
    it does. Two vectors per sample give (batch, 1).
    """
    ranks = x.shape.rank, y.shape.rank
    pair = (axes, axes) if isinstance(axes, int) else axes
    a, b = (axis % rank for axis, rank in zip(pair, ranks, strict=True))
    if normalize:
        x, y = tf.nn.l2_normalize(x, axis=a), tf.nn.l2_normalize(y, axis=b)
    if ranks == (2, 2):
        return tf.reduce_sum(x * y, axis=1, keepdims=True)
    more = abs(ranks[0] - ranks[1])
    for _ in range(ranks[1] - ranks[0]):
        x = tf.expand_dims(x, -1)
    for _ in range(ranks[0] - ranks[1]):
        y = tf.expand_dims(y, -1)
    last = max(ranks) - 1
    z = tf.matmul(x, y, transpose_a=a != last, transpose_b=b == last)
    at = sum(ranks) - 3 if ranks[0] > ranks[1] else ranks[0] - 1
    return tf.squeeze(z, axis=list(range(at, at + more))) if more else z


def _expression(*tensors: Any, expression: Any, era: Any, shapes: Any, results: Any) -> Any:
    """The result of a stored function, with its static shape set if TensorFlow does not infer it and the file states
    it.

    `shapes` are the input shapes that the expression was translated for. Raises ValueError for other inputs.
    """
    for x, shape in zip(tensors, shapes or (), strict=False):
        if shape is not None and not x.shape.is_compatible_with(shape):
            raise ValueError(f"a function translated for inputs of shape {shape}, called on {x.shape}")
    found = evaluate_expression(*tensors, expression=expression, era=era)
    outputs = found if isinstance(found, list) else [found]
    outputs = [tf.identity(y) if any(y is x for x in tensors) else y for y in outputs]  # which has no mask
    told = [_with_known_shape(y, shape) for y, shape in zip(outputs, results, strict=True)]
    return told if isinstance(found, list) else told[0]


def _with_known_shape(y: Any, shape: list[int | None] | None) -> Any:
    if shape is None or not y.shape.is_compatible_with(shape) or y.shape.is_fully_defined():
        return y
    unknown = y.shape.rank is None or any(
        mine is None and given is not None for mine, given in zip(y.shape, shape, strict=True)
    )
    return tf.ensure_shape(y, shape) if unknown else y


def _mask_of(x: Any) -> Any:
    """(n, t, d) -> (n, t): the mask of the tensor as booleans; all true if it has none.

    Attention distributes its weights over unmasked steps; a mean over none of them is NaN.
    """
    zeros = tf_keras.layers.ReLU(max_value=0.0)(x)
    query = tf.zeros_like(x[:, :1])
    _, weights = tf_keras.layers.Attention()([query, zeros, zeros], return_attention_scores=True)
    mean = tf_keras.layers.GlobalAveragePooling1D()(zeros)
    return tf.logical_and(tf.greater(weights[:, 0], 0.0), tf.equal(mean[:, :1], 0.0))


def _with_mask(x: Any, mask: Any) -> Any:
    """The tensor bearing a mask (n, t): that of zeros beside it, which Add merges and which add nothing."""
    if x.shape.rank < 2 or mask.shape.rank != 2:
        raise ValueError(f"a mask of {mask.shape.rank} axes for an output of {x.shape.rank}")
    counted = tf_keras.layers.Masking(0.0)(tf.expand_dims(tf.cast(mask, tf.float32), -1))
    zeros = tf_keras.layers.ReLU(max_value=0.0)(counted)
    if x.shape.rank == 2:
        return tf_keras.layers.Add()([x, tf_keras.layers.Reshape((-1,))(zeros)])
    for _ in range(x.shape.rank - 3):
        zeros = tf_keras.layers.Reshape((*zeros.shape[1:], 1))(zeros)
    return tf_keras.layers.Add()([x, zeros])


TENSOR_OPS: Mapping[str, Callable[..., Any]] = {
    "reverse": _reverse,
    "last_step": _last_step,
    "softmax": _softmax,
    "relu": _relu,
    "resize_bilinear": _resize_bilinear,
    "samplewise_normalization": _samplewise_normalization,
    "inverse_root": _inverse_root,
    "expand_dims": _expand_dims,
    "ensure_shape": _ensure_shape,
    "identity": _identity,
    "minimum": _minimum,
    "maximum": _maximum,
    "complement": _complement,
    "divide": _divide,
    "ones_like": _ones_like,
    "border": _border,
    "matrix_product": _matrix_product,
    "function": call_function,
    "expression": _expression,
    "mask_of": _mask_of,
    "with_mask": _with_mask,
    **KERAS_3_OPS,
}
