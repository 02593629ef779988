"""Functions of `keras.backend` on images and sequences, in terms of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from transforms.rebuild.expressions.era import Era


def _first(data_format: Any) -> bool:
    return data_format in ("channels_first", "th")


def _to_last(x: Any, data_format: Any) -> Any:
    return tf.transpose(x, [0, *range(2, x.shape.rank), 1]) if _first(data_format) else x


def _from_last(x: Any, data_format: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, [0, rank - 1, *range(1, rank - 1)]) if _first(data_format) else x


def _each(value: Any, rank: int) -> list[int]:
    return list(value) if isinstance(value, list) else [value] * rank


def _refuse_theano(era: Era, name: str) -> None:
    if era.backend == "theano":
        raise ValueError(f"{name} of Theano")


def _convolution(rank: int) -> Callable[..., Any]:
    def rule(
        x: Any,
        kernel: Any,
        era: Era,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
    ) -> Any:
        _refuse_theano(era, "K.conv")
        values, dilation = _to_last(x, data_format), _each(dilation_rate, rank)
        if padding == "causal":
            values = tf.pad(values, [[0, 0], [dilation[0] * (kernel.shape[0] - 1), 0], [0, 0]])
            padding = "valid"
        found = tf.nn.convolution(
            values, kernel, strides=_each(strides, rank), padding=padding.upper(), dilations=dilation
        )
        return _from_last(found, data_format)

    return rule


def _depthwise(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    found = tf.nn.depthwise_conv2d(
        _to_last(x, data_format),
        depthwise_kernel,
        strides=[1, *_each(strides, 2), 1],
        padding=padding.upper(),
        dilations=_each(dilation_rate, 2),
    )
    return _from_last(found, data_format)


def _pool_2d(
    x: Any,
    pool_size: Any,
    era: Era,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    pool_mode: str = "max",
) -> Any:
    _refuse_theano(era, "K.pool2d")
    pool = tf.nn.max_pool2d if pool_mode == "max" else tf.nn.avg_pool2d
    found = pool(_to_last(x, data_format), _each(pool_size, 2), _each(strides, 2), padding.upper())
    return _from_last(found, data_format)


def _resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    era: Era,
    data_format: Any = "channels_last",
    interpolation: str = "nearest",
) -> Any:
    """Aligned to corners up to tf.keras 1.14 and in all of standalone Keras, to pixel centres since."""
    values = _to_last(x, data_format)
    height, width = values.shape[1], values.shape[2]
    if height is None or width is None:
        size: Any = tf.shape(values)[1:3] * [height_factor, width_factor]
    else:
        size = [height * height_factor, width * width_factor]
    if interpolation == "nearest":
        found = tf.compat.v1.image.resize_nearest_neighbor(values, size)
    elif interpolation == "bilinear" and era.before((99,), (1, 15)):
        found = tf.compat.v1.image.resize_bilinear(values, size)
    elif interpolation == "bilinear":
        found = tf.image.resize(values, size, method="bilinear")
    else:
        raise ValueError(f"K.resize_images with the interpolation {interpolation}")
    return _from_last(found, data_format)


def _pair(value: Any) -> list[int]:
    return list(value) if isinstance(value, list) else [value, value]


def _padding(rank: int) -> Callable[..., Any]:
    def rule(x: Any, padding: Any = 1, data_format: Any = None) -> Any:
        pairs = [_pair(each) for each in _each(padding, rank)]
        edges = [[0, 0], [0, 0], *pairs] if _first(data_format) else [[0, 0], *pairs, [0, 0]]
        return tf.pad(x, edges)

    return rule


def _asymmetric_1d(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    return tf.pad(x, [[0, 0], [left_pad, right_pad], [0, 0]])


def _asymmetric_2d(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1, data_format: Any = None
) -> Any:
    return _padding(2)(x, [[top_pad, bottom_pad], [left_pad, right_pad]], data_format)


WINDOWS: Mapping[str, Callable[..., Any]] = {
    "asymmetric_spatial_2d_padding": _asymmetric_2d,
    "asymmetric_temporal_padding": lambda x, left_pad=1, right_pad=1: tf.pad(
        x, [[0, 0], [left_pad, right_pad], [0, 0]]
    ),
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "depthwise_conv2d": _depthwise,
    "pool2d": _pool_2d,
    "resize_images": _resize_images,
    "spatial_2d_padding": _padding(2),
    "spatial_3d_padding": _padding(3),
    "temporal_padding": lambda x, padding=1: tf.pad(x, [[0, 0], _pair(padding), [0, 0]]),
}
