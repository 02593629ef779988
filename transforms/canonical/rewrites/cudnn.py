"""CuDNNLSTM and CuDNNGRU to LSTM and GRU.

The cuDNN layers of Keras 2.0.9 to 2.3.1 and tf.keras 1.x store, in a Keras-shaped kernel, the memory of a cuDNN
parameter block. Per gate, with d inputs and u units:

    W_gate (d, u)  =  reshape(K_gate (d, u), (u, d)).T
    U_gate (u, u)  =  R_gate.T

Gates stand in the order i, f, c, o (LSTM) and z, r, h (GRU) in both layouts. Biases are two, one for the input
and one for the recurrent product. Source: `_convert_rnn_weights` / `preprocess_weights_for_loading` in
keras/engine/saving.py (2.2.4) and tensorflow/python/keras/saving/hdf5_format.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transforms.canonical.model import Array, LayerRewrite, RewriteContext


def canonical_kernel(kernel: Array, gates: int) -> Array:
    """Input kernel from cuDNN to Keras layout: (d, gates*u) -> (d, gates*u)."""
    blocks = np.split(kernel, gates, axis=1)
    return np.hstack([block.reshape(block.shape[::-1]).T for block in blocks])


def canonical_recurrent_kernel(recurrent_kernel: Array, gates: int) -> Array:
    """Recurrent kernel from cuDNN to Keras layout: (u, gates*u) -> (u, gates*u)."""
    return np.hstack([block.T for block in np.split(recurrent_kernel, gates, axis=1)])


def summed_bias(bias: Array) -> Array:
    """LSTM bias: (8u,) -> (4u,). Both biases enter every gate as a sum, so the sum says the same."""
    input_bias, recurrent_bias = np.split(bias, 2)
    return np.asarray(input_bias + recurrent_bias)


def paired_bias(bias: Array) -> Array:
    """GRU bias: (6u,) -> (2, 3u). The recurrent bias of h is scaled by the reset gate and cannot be added."""
    return bias.reshape(2, -1)


def canonicalise_cudnn(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Rewrites CuDNNLSTM and CuDNNGRU. The cuDNN cells know tanh and sigmoid and nothing else."""
    del context
    layer = rewrite.layer
    if layer.class_name not in ("CuDNNLSTM", "CuDNNGRU"):
        return rewrite
    is_lstm = layer.class_name == "CuDNNLSTM"
    gates = 4 if is_lstm else 3
    own = rewrite.own_arrays
    units = own["recurrent_kernel"].shape[0]
    arrays = {
        "kernel": own["kernel"].mapped(lambda kernel: canonical_kernel(kernel, gates)),
        "recurrent_kernel": own["recurrent_kernel"].mapped(lambda kernel: canonical_recurrent_kernel(kernel, gates)),
        "bias": own["bias"].mapped(summed_bias, (4 * units,))
        if is_lstm
        else own["bias"].mapped(paired_bias, (2, 3 * units)),
    }
    config = {**layer.config, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
    if not is_lstm:
        config["reset_after"] = True
    target = "LSTM" if is_lstm else "GRU"
    return rewrite.rewritten(
        replace(layer, class_name=target, config=config),
        "cudnn_lstm_to_lstm" if is_lstm else "cudnn_gru_to_gru",
        f"{layer.class_name} of {units} units, recurrent_activation sigmoid"
        + ("" if is_lstm else ", reset_after, biases kept apart"),
        arrays=rewrite.with_own_arrays(arrays),
    )
