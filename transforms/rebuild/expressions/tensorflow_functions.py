"""Functions of TensorFlow that stored functions call and that do not occur as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import as_integers, both


def _by_name(name: str) -> Callable[..., Any]:
    """The function of that name in `tf`, with arguments by the names of TensorFlow 2 and the first one by position."""
    function = reduce(getattr, name.split("."), tf)

    def rule(**arguments: Any) -> Any:
        (_, first), *others = arguments.items()
        return function(first, **dict(others))

    return rule


def _constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    return tf.constant(value, dtype=None if dtype is None else tf.as_dtype(dtype), shape=shape)


def _moments(x: Any, axes: Any, shift: Any = None, keepdims: Any = False) -> Any:
    return tf.nn.moments(x, axes, keepdims=bool(keepdims))


def _middle(value: Any) -> Any:
    return list(value) if isinstance(value, list) else [value, value]


def _convolution(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: Any = "NHWC", dilations: Any = None
) -> Any:
    _refuse_channels_first(data_format)
    return tf.nn.conv2d(input, filters, strides=_middle(strides), padding=padding, dilations=dilations)


def _depthwise(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = "NHWC", dilations: Any = None
) -> Any:
    _refuse_channels_first(data_format)
    rates = None if dilations is None else _middle(dilations)
    return tf.nn.depthwise_conv2d(input, filter, strides=strides, padding=padding, dilations=rates)


def _convolution_1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: Any = "NWC", dilations: Any = None
) -> Any:
    if data_format not in (None, "NWC", "NHWC"):
        raise ValueError(f"the data format {data_format}")
    return tf.nn.conv1d(input, filters, stride, padding, dilations=dilations)


def _meshgrid(args: Any, indexing: str = "xy") -> Any:
    return tf.meshgrid(*args, indexing=indexing)


def _real_transform(input_tensor: Any, fft_length: Any = None) -> Any:
    """`tf.signal.rfft`, which is no layer in Keras 2: the first half of the transform of complex numbers."""
    x = input_tensor
    points = x.shape[-1] if fft_length is None else int(as_integers(fft_length)[0])
    if points is None:
        raise ValueError("signal.rfft along a free axis")
    if points > x.shape[-1]:
        x = tf.pad(x, [[0, 0]] * (x.shape.rank - 1) + [[0, points - x.shape[-1]]])
    return tf.signal.fft(tf.cast(x[..., :points], tf.complex64))[..., : points // 2 + 1]


def _refuse_channels_first(data_format: Any) -> None:
    if data_format not in (None, "NHWC"):
        raise ValueError(f"the data format {data_format}")


def _loss(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda labels, logits, **options: function(labels=labels, logits=logits, **options)


_PLAIN = """
    boolean_mask eye image.image_gradients image.psnr image.sobel_edges image.total_variation linspace
    math.angle math.imag math.logical_xor math.real nn.batch_normalization reverse_sequence saturate_cast
    scatter_nd signal.dct signal.fft signal.hamming_window signal.hann_window signal.stft
""".split()

TENSORFLOW: Mapping[str, Callable[..., Any]] = {
    **{name: _by_name(name) for name in _PLAIN},
    "compat.v1.div": lambda x, y: tf.compat.v1.div(*both(x, y)),
    "constant": _constant,
    "meshgrid": _meshgrid,
    "nn.conv1d": _convolution_1d,
    "nn.conv2d": _convolution,
    "nn.depthwise_conv2d": _depthwise,
    "nn.moments": _moments,
    "signal.rfft": _real_transform,
    "nn.softmax_cross_entropy_with_logits": _loss(tf.nn.softmax_cross_entropy_with_logits),
}
