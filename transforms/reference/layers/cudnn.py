"""Recurrent layers whose weights may be in the layout of cuDNN: CuDNNLSTM, CuDNNGRU, and the layers they load into.

Keras passes one flat buffer to cuDNN (`_canonical_to_params`): each gate's block of the kernel, (d, u) as stored by
Keras, is flattened row by row, and cuDNN reads the same buffer row by row as its own matrix W (u, d). So

    W = block.reshape(u, d)        (which is not the transpose of the block)
    R = block of the recurrent kernel, (u, u), as it stands

and a gate is W x + b + R h + b' for column vectors x and h, with two biases, input and recurrent: 8u or 6u numbers.
An LSTM has 4u and a GRU that resets after the product (2, 3u), by which `_convert_rnn_weights` determines whose weights
a file holds, whatever class they load into (keras/engine/saving.py, 2.2.0 to 2.3.1, hdf5_format.py of tf.keras).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, Refused
from transforms.reference.layers.activations import Activation, sigmoid
from transforms.reference.layers.cells import (
    Cell,
    Gates,
    gru_cell,
    gru_reset_after,
    keras_gates,
    lstm_equations,
    stored_activations,
)


def lstm_of_either_layout(call: LayerCall) -> Cell:
    """LSTM and CuDNNLSTM. Gates i, f, c, o in both layouts."""
    gates = cudnn_gates(call, 4) if _is_of_cudnn(call, 4) else keras_gates(call, 4)
    return lstm_equations(gates, *_activations(call))


def gru_of_either_layout(call: LayerCall) -> Cell:
    """GRU and CuDNNGRU. Gates z, r, h in both layouts; cuDNN's reset gate acts after the recurrent product."""
    if _is_of_cudnn(call, 3):
        if not call.class_name.startswith("CuDNN") and not call.option("reset_after", False):
            raise Refused("weights of a CuDNNGRU in a GRU that resets before the product", call.path)
        return gru_reset_after(cudnn_gates(call, 3), *_activations(call))
    if call.class_name.startswith("CuDNN"):
        return gru_reset_after(keras_gates(call, 3), *_activations(call))
    return gru_cell(call)


def _activations(call: LayerCall) -> tuple[Activation, Activation]:
    """The stored activations; cuDNN computes tanh and sigmoid and stores neither."""
    return (np.tanh, sigmoid) if call.class_name.startswith("CuDNN") else stored_activations(call)


def _is_of_cudnn(call: LayerCall, count: int) -> bool:
    bias = call.weights.get("bias")
    return bias is not None and bias.shape == (2 * count * call.weights["recurrent_kernel"].shape[0],)


def cudnn_gates(call: LayerCall, count: int) -> Gates:
    """Gates in the layout of cuDNN: x (n, ..., d) -> W x + b and h (n, u) -> R h + b', gates side by side."""
    kernel, recurrent, bias = (call.weights[role] for role in ("kernel", "recurrent_kernel", "bias"))
    features, units = kernel.shape[0], recurrent.shape[0]
    input_bias, recurrent_bias = np.split(bias, 2)
    # Rows of W and of R, gate under gate: (count u, d) and (count u, u).
    rows = np.concatenate([block.reshape(units, features) for block in _blocks(kernel, count)])
    recurrent_rows = np.concatenate(list(_blocks(recurrent, count)))
    return Gates(
        units,
        lambda x: np.asarray(x @ rows.T + input_bias),
        lambda h: np.asarray(h @ recurrent_rows.T + recurrent_bias),
    )


def _blocks(kernel: Array, count: int) -> Iterator[Array]:
    """The gates' blocks of a stored kernel (rows, count u), contiguous."""
    for block in np.split(kernel, count, axis=1):
        yield np.ascontiguousarray(block)
