"""Conv1D, Conv2D and Conv3D.

Kernels are stored as (*window, channels / groups, filters) whatever the data format (Keras 2).
"""

from __future__ import annotations

from collections.abc import Mapping

from transforms.reference.layer_call import Array, LayerCall, StatelessLayer
from transforms.reference.layers.correlation import Sizes, correlate, pad, rotate
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


def convolve(
    call: LayerCall, x: Array, kernel: Array, padding: str, strides: Sizes, dilation: Sizes, groups: int = 1
) -> Array:
    """The convolution of a backend: x (n, *spatial, c) with kernel (*window, c / groups, f).

    TensorFlow and CNTK correlate. Theano's `T.nnet.conv2d` convolves, that is, it correlates with the kernel rotated
    by 180 degrees; files hold the kernel as that backend used it (`conv_utils.convert_kernel` undoes it on loading).
    """
    window = kernel.shape[:-2]
    if is_theano(call):
        kernel = rotate(kernel, len(window))
    pads = borders(call, padding, x.shape[1:-1], window, strides, dilation)
    return correlate(pad(x, pads), kernel, strides, dilation, groups)


def _convolution(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        # TensorFlow 2.4 and later accept further batch axes in front.
        batch = call.x.shape[: call.x.ndim - rank - 1]
        x = to_channels_last(call.x.reshape(-1, *call.x.shape[len(batch) :]), first)
        groups = call.option("groups", 1)
        strides, dilation = strides_of(call, rank), dilation_of(call, rank)
        y = convolve(call, x, call.weights["kernel"], padding_of(call), strides, dilation, groups)
        y = bias_and_activation(call, y, first)
        return y.reshape(*batch, *y.shape[1:])

    return layer


CONVOLUTIONS: Mapping[str, StatelessLayer] = {f"Conv{rank}D": _convolution(rank) for rank in (1, 2, 3)}
