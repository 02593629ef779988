"""Functions of `keras.ops` that layers are made of, in terms of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import as_integers, both

_EPSILON = 1e-7


def _refuse_channels_first(data_format: Any) -> None:
    if data_format not in (None, "channels_last"):
        raise ValueError(f"the data format {data_format}")


def _each(value: Any, rank: int) -> list[int]:
    found: list[int] = as_integers(value)
    return found * rank if len(found) == 1 else found


def _pool(kind: str) -> Callable[..., Any]:
    def rule(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
        _refuse_channels_first(data_format)
        rank = inputs.shape.rank - 2
        window = _each(pool_size, rank)
        steps = window if strides is None else _each(strides, rank)
        functions = {
            ("max", 1): tf.nn.max_pool1d,
            ("max", 2): tf.nn.max_pool2d,
            ("avg", 1): tf.nn.avg_pool1d,
            ("avg", 2): tf.nn.avg_pool2d,
        }
        if (kind, rank) not in functions:
            raise ValueError(f"ops.{kind}_pool over {rank} axes")
        return functions[kind, rank](inputs, window, steps, padding.upper())

    return rule


def _convolution(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    _refuse_channels_first(data_format)
    rank = inputs.shape.rank - 2
    return tf.nn.convolution(
        inputs, kernel, strides=_each(strides, rank), padding=padding.upper(), dilations=_each(dilation_rate, rank)
    )


def _depthwise(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    _refuse_channels_first(data_format)
    if inputs.shape.rank != 4:
        raise ValueError("ops.depthwise_conv over other than two axes")
    steps, rates = _each(strides, 2), _each(dilation_rate, 2)
    return tf.nn.depthwise_conv2d(inputs, kernel, [1, *steps, 1], padding.upper(), dilations=rates)


def _resize(images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False) -> Any:
    if antialias or interpolation not in ("bilinear", "nearest"):
        raise ValueError(f"ops.image.resize with {interpolation}")
    return tf.cast(tf.image.resize(images, size, method=interpolation), images.dtype)


def _grey(images: Any, data_format: Any = None) -> Any:
    _refuse_channels_first(data_format)
    return tf.tensordot(images, tf.constant([[0.2989], [0.5870], [0.1140]], images.dtype), axes=1)


def _celu(x: Any, alpha: float = 1.0) -> Any:
    return tf.nn.relu(x) + tf.minimum(alpha * tf.math.expm1(tf.minimum(x, 0.0) / alpha), 0.0)


def _glu(x: Any, axis: int = -1) -> Any:
    first, second = tf.split(x, 2, axis=axis)
    return first * tf.sigmoid(second)


def _normalized(
    x: Any, mean: Any, variance: Any, axis: Any, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    if as_integers(axis) not in ([-1], [x.shape.rank - 1]):
        raise ValueError("ops.batch_normalization over another axis than the last")
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, epsilon)


def _binary_loss(target: Any, output: Any, from_logits: bool = False) -> Any:
    wanted, given = both(target, output)
    if from_logits:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=given)
    p = tf.clip_by_value(given, _EPSILON, 1.0 - _EPSILON)
    return -(wanted * tf.math.log(p) + (1.0 - wanted) * tf.math.log(1.0 - p))


_RULES: Mapping[str, Callable[..., Any]] = {
    "average_pool": _pool("avg"),
    "batch_normalization": _normalized,
    "binary_crossentropy": _binary_loss,
    "celu": _celu,
    "conv": _convolution,
    "depthwise_conv": _depthwise,
    "glu": _glu,
    "hard_tanh": lambda x: tf.clip_by_value(x, -1.0, 1.0),
    "image.resize": _resize,
    "image.rgb_to_grayscale": _grey,
    "max_pool": _pool("max"),
    "moments": lambda x, axes, keepdims=False: tf.nn.moments(x, as_integers(axes), keepdims=bool(keepdims)),
    "squareplus": lambda x, b=4: (x + tf.sqrt(tf.square(x) + float(b))) / 2.0,
}

#: The rules by full name.
NETWORKS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
