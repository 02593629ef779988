"""LocallyConnected1D and LocallyConnected2D: a convolution whose kernel differs at every output position.

All three implementations of tf.keras (`layers/local.py`) and the one of standalone Keras have the form

    y[n, p, f] = sum over k, c of  x[n, start(p) + k, c] * w[p, k, c, f]

with start(p) = p * s for `valid`. For `same`, which only the implementations 2 and 3 have, the window is centred:
start(p) = p * s - K // 2 (`conv_connected_inputs`), which is not the `same` of a convolution.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.activations import activation_of
from transforms.reference.layers.correlation import Sizes
from transforms.reference.layers.spatial_layer import (
    channels_first,
    from_channels_last,
    padding_of,
    sizes,
    strides_of,
    to_channels_last,
)


def _locally_connected(rank: int) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        window, strides = sizes(call, "kernel_size", rank), strides_of(call, rank)
        implementation = call.option("implementation", 1)
        if implementation == 1:
            y = _unshared(call, x, window, strides, first)
        elif implementation == 2:
            y = _dense(call, x, window, strides, first)
        elif implementation == 3:
            y = _sparse(call, x, window, strides, first)
        else:
            raise NotCovered(f"implementation {implementation!r} of a locally connected layer", call.path)
        y = from_channels_last(y, first)
        if "bias" in call.weights:
            y = y + _bias(call.weights["bias"], first)
        return activation_of(call.config.get("activation"), call)(y)

    return layer


def _bias(bias: Array, first: bool) -> Array:
    """The bias (*spatial, f); for channels first, `K.bias_add` reshapes (not transposes) it to (f, *spatial)."""
    return bias.reshape(bias.shape[-1], *bias.shape[:-1]) if first else bias


def _output_lengths(call: LayerCall, lengths: Sizes, window: Sizes, strides: Sizes) -> Sizes:
    """`conv_output_length`: ceil(n / s) for same, ceil((n - k + 1) / s) for valid."""
    lost = [k - 1 if padding_of(call) == "valid" else 0 for k in window]
    return tuple(-(-(n - less) // s) for n, less, s in zip(lengths, lost, strides, strict=True))


def _unshared(call: LayerCall, x: Array, window: Sizes, strides: Sizes, first: bool) -> Array:
    """Implementation 1: kernel (positions, features, f), positions row by row.

    The features of a window are in the order of the data format: (*window, c), or (c, *window) (`K.local_conv2d`).
    """
    if padding_of(call) != "valid":
        raise NotCovered("padding other than 'valid' in implementation 1", call.path)
    kernel = call.weights["kernel"]
    lengths = _output_lengths(call, x.shape[1:-1], window, strides)
    y = np.empty((x.shape[0], *lengths, kernel.shape[-1]))
    for number, position in enumerate(np.ndindex(*lengths)):
        spatial = tuple(slice(p * s, p * s + k) for p, s, k in zip(position, strides, window, strict=True))
        patch = from_channels_last(x[(slice(None), *spatial)], first)
        y[(slice(None), *position)] = patch.reshape(x.shape[0], -1) @ kernel[number]
    return y


def _dense(call: LayerCall, x: Array, window: Sizes, strides: Sizes, first: bool) -> Array:
    """Implementation 2: kernel (*spatial, c, *spatial', f), or (c, *spatial, f, *spatial'), masked to the windows."""
    rank = len(window)
    kernel = call.weights["kernel"]
    if first:
        # (c, *spatial, f, *spatial') -> (*spatial, c, *spatial', f)
        kernel = np.moveaxis(np.moveaxis(kernel, 0, rank), rank + 1, -1)
    lengths = _output_lengths(call, x.shape[1:-1], window, strides)
    connected = _connections(call, x.shape[1:-1], lengths, window, strides)
    masked = kernel * connected.reshape(*x.shape[1:-1], 1, *lengths, 1)
    return np.tensordot(x, masked, axes=rank + 1)


def _sparse(call: LayerCall, x: Array, window: Sizes, strides: Sizes, first: bool) -> Array:
    """Implementation 3: kernel (connections,), sorted by flat output index, then by flat input index.

    Flat indices run over the axes in the order of the data format, channels and filters included
    (`conv_kernel_idxs`).
    """
    values, filters = call.weights["kernel"], call.config["filters"]
    spatial, channels = x.shape[1:-1], x.shape[-1]
    lengths = _output_lengths(call, spatial, window, strides)
    connected = _connections(call, spatial, lengths, window, strides)
    cells, positions = int(np.prod(spatial)), int(np.prod(lengths))
    # (positions, f, cells, c), True where a weight is stored
    pairs = np.broadcast_to(
        connected.reshape(cells, positions).T[:, np.newaxis, :, np.newaxis], (positions, filters, cells, channels)
    )
    if first:
        pairs = pairs.transpose(1, 0, 3, 2)
    if np.count_nonzero(pairs) != values.size:
        raise NotCovered(f"{values.size} stored connections, {np.count_nonzero(pairs)} expected", call.path)
    kernel = np.zeros(pairs.shape)
    kernel[pairs] = values
    if first:
        kernel = kernel.transpose(1, 0, 3, 2)
    y = np.tensordot(x.reshape(x.shape[0], cells, channels), kernel, axes=((1, 2), (2, 3)))
    return y.reshape(x.shape[0], *lengths, filters)


def _connections(call: LayerCall, lengths: Sizes, outputs: Sizes, window: Sizes, strides: Sizes) -> Array:
    """True at (*input position, *output position) where the window of the output covers the input."""
    if padding_of(call) not in ("valid", "same"):
        raise NotCovered(f"padding {padding_of(call)!r} of a locally connected layer", call.path)
    covered = np.ones((1,) * (2 * len(lengths)), dtype=bool)
    for axis, (n, m, k, s) in enumerate(zip(lengths, outputs, window, strides, strict=True)):
        start = np.arange(m) * s - (k // 2 if padding_of(call) == "same" else 0)
        inside = np.arange(n)[:, np.newaxis] - start
        shape = [1] * covered.ndim
        shape[axis], shape[axis + len(lengths)] = n, m
        covered = covered & ((inside >= 0) & (inside < k)).reshape(shape)
    return covered


LOCALLY_CONNECTED: Mapping[str, StatelessLayer] = {
    "LocallyConnected1D": _locally_connected(1),
    "LocallyConnected2D": _locally_connected(2),
}
