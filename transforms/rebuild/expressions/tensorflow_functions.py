"""Functions of TensorFlow that stored functions call and that do not occur as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import as_integers, beside, both


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


def _inverse(input: Any, adjoint: Any = False) -> Any:
    return tf.linalg.inv(input, adjoint=bool(adjoint))


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


def _pool(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NHWC") -> Any:
        _refuse_channels_first(data_format)
        return function(input, _middle(ksize), _middle(strides), padding)

    return rule


def _line(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pooling along the one axis of a sequence."""

    def rule(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NWC") -> Any:
        return function(input, ksize, strides, padding, data_format=data_format or "NWC")

    return rule


def _convolution_1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: Any = "NWC", dilations: Any = None
) -> Any:
    if data_format not in (None, "NWC", "NHWC"):
        raise ValueError(f"the data format {data_format}")
    return tf.nn.conv1d(input, filters, stride, padding, dilations=dilations)


def _meshgrid(args: Any, indexing: str = "xy") -> Any:
    return tf.meshgrid(*args, indexing=indexing)


def _gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Any:
    return beside(gain, image) * tf.pow(image, beside(gamma, image))


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


def _share_of_zeros(value: Any, dtype: Any = None) -> Any:
    return tf.reduce_mean(tf.cast(tf.equal(value, tf.zeros_like(value)), tf.float32))


def _brighter(image: Any, delta: Any) -> Any:
    return image + delta


def _central_crop(image: Any, central_fraction: float) -> Any:
    """`tf.image.central_crop`: removes int((n - n f) / 2) from both edges."""
    height, width = image.shape[-3], image.shape[-2]
    rows, columns = int((height - height * central_fraction) / 2), int((width - width * central_fraction) / 2)
    return image[..., rows : height - rows, columns : width - columns, :]


_PLAIN = """
    argsort boolean_mask compat.v1.image.resize_bicubic eye image.adjust_contrast image.convert_image_dtype
    image.extract_patches image.hsv_to_rgb image.image_gradients image.per_image_standardization image.psnr
    image.resize_with_crop_or_pad
    image.rgb_to_hsv image.rgb_to_yiq image.rgb_to_yuv image.rot90 image.sobel_edges image.total_variation
    image.transpose image.yiq_to_rgb image.yuv_to_rgb linalg.cross linalg.det linalg.diag linspace math.angle math.imag
    math.lgamma math.logical_xor math.real nn.batch_normalization reverse_sequence saturate_cast scatter_nd signal.dct
    signal.fft signal.frame signal.hamming_window signal.hann_window signal.stft tensor_scatter_nd_update
""".split()

TENSORFLOW: Mapping[str, Callable[..., Any]] = {
    **{name: _by_name(name) for name in _PLAIN},
    "compat.v1.div": lambda x, y: tf.compat.v1.div(*both(x, y)),
    "constant": _constant,
    "image.adjust_brightness": _brighter,
    "image.adjust_gamma": _gamma,
    "image.central_crop": _central_crop,
    "linalg.inv": _inverse,
    "math.zero_fraction": _share_of_zeros,
    "meshgrid": _meshgrid,
    "nn.avg_pool1d": _line(tf.nn.avg_pool1d),
    "nn.avg_pool2d": _pool(tf.nn.avg_pool2d),
    "nn.conv1d": _convolution_1d,
    "nn.conv2d": _convolution,
    "nn.depthwise_conv2d": _depthwise,
    "nn.max_pool1d": _line(tf.nn.max_pool1d),
    "nn.max_pool2d": _pool(tf.nn.max_pool2d),
    "nn.moments": _moments,
    "nn.sigmoid_cross_entropy_with_logits": _loss(tf.nn.sigmoid_cross_entropy_with_logits),
    "signal.rfft": _real_transform,
    "nn.softmax_cross_entropy_with_logits": _loss(tf.nn.softmax_cross_entropy_with_logits),
}
