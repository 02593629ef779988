"""Conv1DTranspose, Conv2DTranspose and Conv3DTranspose.

Kernels are stored as (*window, filters, channels): the kernel of the convolution that the layer transposes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.correlation import Sizes, extent, rotate, scatter
from transforms.reference.layers.spatial_layer import (
    bias_and_activation,
    channels_first,
    dilation_of,
    is_theano,
    padding_of,
    sizes,
    strides_of,
    to_channels_last,
)


def _transposed(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        kernel = call.weights["kernel"]
        window = kernel.shape[:-2]
        strides, dilation = strides_of(call, rank), dilation_of(call, rank)
        if any(d > 1 for d in dilation) and any(s > 1 for s in strides):
            raise NotCovered("a transposed convolution with both strides and dilation", call.path)
        if is_theano(call):
            # The gradient of a true convolution: rotated like it.
            kernel = rotate(kernel, rank)
        spread = scatter(x, kernel, strides, dilation)
        wanted = _output_lengths(call, x.shape[1:-1], window, strides, dilation)
        for axis, length in enumerate(wanted):
            before = _cropped_before(call, spread.shape[axis + 1], length, extent(window[axis], dilation[axis]))
            spread = _crop(spread, axis + 1, before, length)
        return bias_and_activation(call, spread, first)

    return layer


def _output_lengths(call: LayerCall, lengths: Sizes, window: Sizes, strides: Sizes, dilation: Sizes) -> Sizes:
    """`conv_utils.deconv_length` of Keras 2 (`deconv_output_length` in tf.keras), with e the extent of the window.

    Without output_padding:  same n * s,  valid n * s + max(e - s, 0).
    With it:  (n - 1) * s + e - 2 * p + output_padding,  where p is e // 2 for same and 0 for valid.
    """
    padding = padding_of(call)
    if padding not in ("same", "valid"):
        raise NotCovered(f"padding {padding!r} of a transposed convolution", call.path)
    spans = [extent(k, d) for k, d in zip(window, dilation, strict=True)]
    if call.option("output_padding", None) is None:
        extra = [max(e - s, 0) if padding == "valid" else 0 for e, s in zip(spans, strides, strict=True)]
        return tuple(n * s + more for n, s, more in zip(lengths, strides, extra, strict=True))
    return tuple(
        (n - 1) * s + e - 2 * (e // 2 if padding == "same" else 0) + more
        for n, s, e, more in zip(lengths, strides, spans, sizes(call, "output_padding", len(lengths)), strict=True)
    )


def _cropped_before(call: LayerCall, spread: int, wanted: int, span: int) -> int:
    """The length of the spread axis before the output.

    The layer undoes the padding of the convolution it transposes, whose input has `wanted` positions: TensorFlow
    padded max(spread - wanted, 0) // 2 before, Theano's `half` span // 2. Theano refuses even windows here.
    """
    if padding_of(call) == "valid":
        return 0
    if is_theano(call):
        if span % 2 == 0:
            raise NotCovered("an even window with padding 'same', which Theano does not transpose", call.path)
        return span // 2
    if call.runtime.backend == "cntk":
        raise NotCovered("padding 'same' of CNTK's transposed convolution", call.path)
    return max(spread - wanted, 0) // 2


def _crop(x: Array, axis: int, before: int, length: int) -> Array:
    """`length` positions of an axis from `before` on; positions past the end are zero."""
    x = x[(slice(None),) * axis + (slice(before, before + length),)]
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, length - x.shape[axis])
    return np.pad(x, widths)


TRANSPOSED_CONVOLUTIONS: Mapping[str, StatelessLayer] = {
    f"Conv{rank}DTranspose": _transposed(rank) for rank in (1, 2, 3)
}
