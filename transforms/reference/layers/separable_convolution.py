"""Depthwise and separable convolutions.

The depthwise kernel is stored as (*window, channels, multiplier), the pointwise one as (1.., channels * multiplier,
filters). `_preprocess_conv2d_depthwise_kernel` of Keras' Theano backend rotates the kernel before Theano does so
again: these layers correlate on every backend, and a stored kernel means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.records.runtime import Family
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.correlation import Sizes, correlate_depthwise, extent, pad
from transforms.reference.layers.spatial_layer import (
    bias_and_activation,
    borders,
    channels_first,
    dilation_of,
    is_theano,
    padding_of,
    strides_of,
    to_channels_last,
)


def _depthwise(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        kernel = call.weights["depthwise_kernel"]
        strides, dilation = strides_of(call, rank), dilation_of(call, rank)
        pads = borders(call, padding_of(call), x.shape[1:-1], kernel.shape[:-2], strides, dilation)
        return bias_and_activation(call, correlate_depthwise(pad(x, pads), kernel, strides, dilation), first)

    return layer


def _separable(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        kernel = call.weights["depthwise_kernel"]
        strides, dilation = strides_of(call, rank), dilation_of(call, rank)
        y = correlate_depthwise(_padded(call, x, kernel.shape[:-2], strides, dilation), kernel, strides, dilation)
        pointwise = call.weights["pointwise_kernel"]
        y = np.tensordot(y, pointwise.reshape(pointwise.shape[-2:]), axes=1)
        return bias_and_activation(call, y, first)

    return layer


def _padded(call: LayerCall, x: Array, window: Sizes, strides: Sizes, dilation: Sizes) -> Array:
    """Pads for the depthwise step.

    Under Theano, `separable_conv2d` decides from the 1 x 1 pointwise kernel whether to cut the extra position that
    `half` gives an even window, so it never does: such a layer returns one position more than its shape says.
    """
    if is_theano(call) and padding_of(call) == "same":
        halves = [extent(k, d) // 2 for k, d in zip(window, dilation, strict=True)]
        return pad(x, tuple((half, half) for half in halves))
    if padding_of(call) == "causal" and call.runtime.family is Family.KERAS:
        raise NotCovered("causal padding of a separable convolution in standalone Keras", call.path)
    return pad(x, borders(call, padding_of(call), x.shape[1:-1], window, strides, dilation))


SEPARABLE_CONVOLUTIONS: Mapping[str, StatelessLayer] = {
    "DepthwiseConv1D": _depthwise(1),
    "DepthwiseConv2D": _depthwise(2),
    "SeparableConv1D": _separable(1),
    "SeparableConv2D": _separable(2),
}
