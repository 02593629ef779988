"""The convolutions of Keras 1: Convolution1D to 3D, atrous, separable, transposed and locally connected.

Kernels are stored in the layer's own `dim_ordering`: (*window, c, f) for `tf`, (f, c, *window) for `th`. Both backends
only transpose them (`_preprocess_conv2d_kernel`), and Theano's convolution then rotates them by 180 degrees, in either
ordering; files hold what that backend used.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.activations import activation_of
from transforms.reference.layers.convolution import convolve
from transforms.reference.layers.correlation import Sizes, correlate_depthwise, extent, pad, rotate, scatter
from transforms.reference.layers.spatial_layer import (
    borders,
    channels_first,
    from_channels_last,
    is_theano,
    padding_of,
    sizes,
    to_channels_last,
)


def kernel_channels_last(kernel: Array, first: bool) -> Array:
    """(f, c, *window) -> (*window, c, f) for channels first."""
    return np.transpose(kernel, (*range(2, kernel.ndim), 1, 0)) if first else kernel


def _finished(call: LayerCall, y: Array, first: bool) -> Array:
    """Adds the bias b (f,) to a channels-last result, restores the ordering, applies the activation to that."""
    y = y + call.weights["b"] if "b" in call.weights else y
    return activation_of(call.config.get("activation"), call)(from_channels_last(y, first))


def _convolved(call: LayerCall, x: Array, kernel: Array, strides: Sizes, dilation: Sizes) -> Array:
    """Convolves x (n, *spatial, c) with kernel (*window, c, f), by `border_mode` valid, same, or Theano's full.

    full pads the extent of the window minus one on both sides.
    """
    border_mode, window = padding_of(call), kernel.shape[:-2]
    if border_mode == "full" and is_theano(call):
        halos = [extent(k, d) - 1 for k, d in zip(window, dilation, strict=True)]
        x, border_mode = pad(x, tuple((halo, halo) for halo in halos)), "valid"
    if border_mode == "same" and is_theano(call) and len(window) == 3 and any(k % 2 == 0 for k in window):
        # T.nnet.conv3d pads k // 2 before, Keras' own code for a Theano without it (k - 1) // 2.
        raise NotCovered(
            "a volume under an even window with border_mode 'same', on which releases of Theano differ", call.path
        )
    return convolve(call, x, kernel, border_mode, strides, dilation)


def _convolution_1d(call: LayerCall) -> Array:
    """Convolution1D and AtrousConvolution1D: a 2D convolution over (t, 1) in ordering tf.

    W is (length, 1, c, f). Files from before Keras 1.1 hold (f, c, length, 1), which
    `preprocess_weights_for_loading` of 1.2.2 distinguishes by the same test.
    """
    kernel = call.weights["W"]
    length, filters = call.config["filter_length"], call.config["nb_filter"]
    if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
        kernel = np.transpose(kernel, (2, 3, 1, 0))
    strides, dilation = sizes(call, "subsample_length", 1, (1,)), sizes(call, "atrous_rate", 1, (1,))
    return _finished(call, _convolved(call, call.x, kernel[:, 0], strides, dilation), first=False)


def _convolution(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        kernel = kernel_channels_last(call.weights["W"], first)
        strides, dilation = sizes(call, "subsample", rank, (1,) * rank), sizes(call, "atrous_rate", rank, (1,) * rank)
        return _finished(call, _convolved(call, to_channels_last(call.x, first), kernel, strides, dilation), first)

    return layer


def _separable(call: LayerCall) -> Array:
    """SeparableConvolution2D, on TensorFlow only: each channel with its m filters, then a dense map of all of them.

    Kernels for tf (*window, c, m) and (1, 1, c m, f), for th (m, c, *window) and (f, c m, 1, 1).
    """
    if is_theano(call):
        raise NotCovered("SeparableConvolution2D, which Keras 1 has on TensorFlow only", call.path)
    first = channels_first(call, 2)
    x = to_channels_last(call.x, first)
    depthwise, pointwise = (
        kernel_channels_last(call.weights[role], first) for role in ("depthwise_kernel", "pointwise_kernel")
    )
    strides, ones = sizes(call, "subsample", 2, (1, 1)), (1, 1)
    pads = borders(call, padding_of(call), x.shape[1:-1], depthwise.shape[:-2], strides, ones)
    return _finished(call, correlate_depthwise(pad(x, pads), depthwise, strides, ones) @ pointwise[0, 0], first)


def _deconvolution(call: LayerCall) -> Array:
    """Deconvolution2D: the gradient of a convolution, whose input has the stored `output_shape`.

    Each input position spreads a window, (n - 1) s + k positions in all; the output begins where the convolution's
    padding ended. Under Theano an even window with `same` is then cut to the length of the *input* over the stride:
    `_postprocess_conv2d_output` treats the layer as a convolution.
    """
    first = channels_first(call, 2)
    x = to_channels_last(call.x, first)
    # (*window, c, f) -> (*window, f, c)
    kernel = np.swapaxes(kernel_channels_last(call.weights["W"], first), -1, -2)
    window, strides = kernel.shape[:-2], sizes(call, "subsample", 2, (1, 1))
    wanted = _stated_lengths(call, x, first)
    cut = is_theano(call) and padding_of(call) == "same"
    pads = borders(call, padding_of(call), wanted, window, strides, (1, 1))
    if cut:
        pads = tuple((k // 2, k // 2) for k in window)
    y = scatter(x, rotate(kernel, 2) if is_theano(call) else kernel, strides, (1, 1))
    for axis, (n, length, k, s, (before, after)) in enumerate(
        zip(x.shape[1:-1], wanted, window, strides, pads, strict=True), start=1
    ):
        if (length + before + after - k) // s + 1 != n:
            raise NotCovered(f"an output_shape of {length} positions for an input of {n}", call.path)
        missing = max(before + length - y.shape[axis], 0)
        ended = np.pad(y, [(0, missing if other == axis else 0) for other in range(y.ndim)])
        y = np.take(ended, range(before, before + length), axis=axis)
        if cut and k % 2 == 0:
            y = np.take(y, range(min(length, -(-n // s))), axis=axis)
    return _finished(call, y, first)


def _stated_lengths(call: LayerCall, x: Array, first: bool) -> Sizes:
    """Rows and columns of the stored `output_shape`: (n, f, rows, columns) for th, (n, rows, columns, f) for tf."""
    shape = call.config.get("output_shape")
    if not isinstance(shape, (list, tuple)) or len(shape) != 4:
        raise NotCovered(f"output_shape {shape!r} of Deconvolution2D", call.path)
    if shape[0] is not None and shape[0] != len(x):
        raise NotCovered(f"a batch of {len(x)} where output_shape states {shape[0]}", call.path)
    rows, columns = shape[2:] if first else shape[1:3]
    return (int(rows), int(columns))


KERAS_1_CONVOLUTIONS: Mapping[str, StatelessLayer] = {
    **dict.fromkeys(("Convolution1D", "AtrousConvolution1D"), _convolution_1d),
    **dict.fromkeys(("Convolution2D", "AtrousConvolution2D"), _convolution(2)),
    "Convolution3D": _convolution(3),
    "SeparableConvolution2D": _separable,
    "Deconvolution2D": _deconvolution,
}
