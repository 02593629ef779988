"""ConvLSTM1D, ConvLSTM2D and ConvLSTM3D.

With * a convolution and . a product of elements, gates in the order i, f, c, o along the last axis of the kernels:

    i = rec(x*W_i + h*R_i + b_i)    f = rec(x*W_f + h*R_f + b_f)    o = rec(x*W_o + h*R_o + b_o)
    c' = f . c + i . act(x*W_c + h*R_c + b_c)                       h' = o . act(c')

The input is convolved as configured; the recurrent convolution has stride 1, no dilation and padding `same`
(`ConvLSTM2DCell` of Keras 2.2.4 and tf.keras). Both kernels are rotated under Theano, as for any convolution.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transforms.records.runtime import Family
from transforms.reference.layer_call import Array, LayerCall, NotCovered
from transforms.reference.layers.activations import activation_of
from transforms.reference.layers.convolution import convolve
from transforms.reference.layers.spatial_layer import (
    channels_first,
    dilation_of,
    from_channels_last,
    padding_of,
    strides_of,
    to_channels_last,
)


def conv_lstm(call: LayerCall) -> tuple[Array, tuple[Array, ...]]:
    """One call of a convolutional LSTM.

    The inputs are the sequence (n, t, *spatial, c), or (n, t, c, *spatial), then optionally the states h and c.
    At a masked step the previous output is repeated (zeros before the first) and the states are unchanged (`K.rnn`).

    Returns:
        The last output, or all outputs (n, t, ...) in the order they were computed; then the final states h and c.
    """
    rank = call.x.ndim - 3
    first = channels_first(call, rank)
    x = np.moveaxis(call.x, 2, -1) if first else call.x
    mask = _mask(call)
    if call.option("go_backwards", False):
        x = x[:, ::-1]
        mask = None if mask is None else mask[:, ::-1]
    driven = _input_convolution(call, x, rank)
    h, c = _initial_states(call, driven, first)
    output = np.zeros_like(h)
    outputs = []
    for step in range(driven.shape[1]):
        new_h, new_c = _step(call, driven[:, step], h, c, first)
        if mask is None:
            output, h, c = new_h, new_h, new_c
        else:
            counts = mask[:, step].reshape(-1, *(1,) * (rank + 1))
            output, h, c = np.where(counts, new_h, output), np.where(counts, new_h, h), np.where(counts, new_c, c)
        outputs.append(from_channels_last(output, first))
    result = np.stack(outputs, axis=1) if call.option("return_sequences", False) else outputs[-1]
    return result, (from_channels_last(h, first), from_channels_last(c, first))


def _input_convolution(call: LayerCall, x: Array, rank: int) -> Array:
    """Maps x (n, t, *spatial, c) to x*W + b (n, t, *spatial', 4 u), every step at once."""
    strides, dilation = strides_of(call, rank), dilation_of(call, rank)
    steps = x.reshape(-1, *x.shape[2:])
    y = convolve(call, steps, call.weights["kernel"], padding_of(call), strides, dilation)
    if "bias" in call.weights:
        y = y + call.weights["bias"]
    return y.reshape(*x.shape[:2], *y.shape[1:])


def _step(call: LayerCall, driven: Array, h: Array, c: Array, first: bool) -> tuple[Array, Array]:
    """One step: driven (n, *spatial, 4 u), states (n, *spatial, u), all channels last."""
    ones = (1,) * (h.ndim - 2)
    gates = driven + convolve(call, h, call.weights["recurrent_kernel"], "same", ones, ones)
    i, f, candidate, o = np.split(gates, 4, axis=-1)
    act = _in_layout(activation_of(call.option("activation", "tanh"), call), first)
    rec = _in_layout(activation_of(call.option("recurrent_activation", "hard_sigmoid"), call), first)
    new_c = rec(f) * c + rec(i) * act(candidate)
    return rec(o) * act(new_c), new_c


def _in_layout(activation: Callable[[Array], Array], first: bool) -> Callable[[Array], Array]:
    """Applies an activation in the layer's own data format, since softmax uses the axis that is last there."""
    return lambda y: to_channels_last(activation(from_channels_last(y, first)), first)


def _initial_states(call: LayerCall, driven: Array, first: bool) -> tuple[Array, Array]:
    """The states given as further inputs, or zeros (a stateful layer starts from zeros in every request)."""
    if len(call.inputs) == 1:
        zeros = np.zeros((*driven[:, 0].shape[:-1], driven.shape[-1] // 4))
        return zeros, zeros
    if len(call.inputs) != 3:
        raise NotCovered(f"a convolutional LSTM with {len(call.inputs)} inputs", call.path)
    return to_channels_last(call.inputs[1], first), to_channels_last(call.inputs[2], first)


def _mask(call: LayerCall) -> Array | None:
    """The mask (n, t) of the sequence. `K.rnn` before Keras 2.3 tiled a mask for 2D states only."""
    mask = call.masks[0] if call.masks else None
    if mask is None:
        return None
    if mask.ndim != 2 or (call.runtime.family is Family.KERAS and call.runtime.version < (2, 3)):
        raise NotCovered(f"a mask of {mask.ndim} axes on a convolutional LSTM", call.path)
    return mask
