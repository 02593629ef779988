"""CuDNNLSTM and CuDNNGRU to LSTM and GRU.

The cuDNN layers of Keras 2.0.9 to 2.3.1 and tf.keras 1.x store, in a Keras-shaped kernel, the memory of a cuDNN
parameter block. Per gate, with d inputs and u units:

    W_gate (d, u)  =  reshape(K_gate (d, u), (u, d)).T
    U_gate (u, u)  =  R_gate.T

Gates are in the order i, f, c, o (LSTM) and z, r, h (GRU) in both layouts. There are two biases, one for the input and
one for the recurrent product. Source: `_convert_rnn_weights` / `preprocess_weights_for_loading` in
keras/engine/saving.py (2.2.4) and tensorflow/python/keras/saving/hdf5_format.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from transforms.architecture.graph import Layer
from transforms.canonical.model import Array, CanonicalArray, LayerRewrite, RewriteContext
from transforms.errors import MigrationError, Reason


def canonical_kernel(kernel: Array, gates: int) -> Array:
    """Input kernel from cuDNN to Keras layout: (d, gates*u) -> (d, gates*u)."""
    blocks = np.split(kernel, gates, axis=1)
    return np.hstack([block.reshape(block.shape[::-1]).T for block in blocks])


def canonical_recurrent_kernel(recurrent_kernel: Array, gates: int) -> Array:
    """Recurrent kernel from cuDNN to Keras layout: (u, gates*u) -> (u, gates*u)."""
    return np.hstack([block.T for block in np.split(recurrent_kernel, gates, axis=1)])


def summed_bias(bias: Array) -> Array:
    """LSTM bias: (8u,) -> (4u,). Both biases enter every gate as a sum, so their sum is equivalent."""
    input_bias, recurrent_bias = np.split(bias, 2)
    return np.asarray(input_bias + recurrent_bias)


def paired_bias(bias: Array) -> Array:
    """GRU bias: (6u,) -> (2, 3u). The recurrent bias of h is scaled by the reset gate and cannot be added."""
    return bias.reshape(2, -1)


#: The canonical class of each class that may hold arrays in cuDNN's layout, and its number of gates.
_TARGETS = {"CuDNNLSTM": ("LSTM", 4), "LSTM": ("LSTM", 4), "CuDNNGRU": ("GRU", 3), "GRU": ("GRU", 3)}


def canonicalise_cudnn(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Rewrites CuDNNLSTM and CuDNNGRU, whose only activations are tanh and sigmoid.

    Either class may hold the arrays of the other kind: legacy loaders convert weights that were saved from a cuDNN
    layer for an LSTM or GRU, and the reverse. The length of the bias identifies the kind: 8u and 6u are cuDNN's.

    Raises MigrationError `weights_mismatch` for cuDNN's arrays in a GRU that resets before the product.
    """
    del context
    layer = rewrite.layer
    if layer.class_name not in _TARGETS:
        return rewrite
    target, gates = _TARGETS[layer.class_name]
    own = rewrite.own_arrays
    stored_by_cudnn = "bias" in own and own["bias"].shape == (2 * gates * own["recurrent_kernel"].shape[0],)
    if layer.class_name == target and not stored_by_cudnn:
        return rewrite
    units = own["recurrent_kernel"].shape[0]
    config = dict(layer.config)
    if layer.class_name != target:
        config |= {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
        config |= {"reset_after": True} if target == "GRU" else {}
    elif target == "GRU" and not config.get("reset_after"):
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            "The weights are those of a CuDNNGRU, the GRU of the architecture resets before the product",
            layer=layer.path,
            advice="Give the architecture with reset_after=True.",
        )
    arrays = _out_of_cudnn_layout(own, gates) if stored_by_cudnn else own
    return rewrite.rewritten(
        replace(layer, class_name=target, config=config),
        "cudnn_lstm_to_lstm" if target == "LSTM" else "cudnn_gru_to_gru",
        f"{layer.class_name} of {units} units with {_origin(target, stored_by_cudnn)}, recurrent_activation "
        f"{config['recurrent_activation']}" + ("" if target == "LSTM" else ", reset_after, biases kept apart"),
        arrays=rewrite.with_own_arrays(arrays),
        warning=_other_gates(layer, target),
    )


def _out_of_cudnn_layout(own: Mapping[str, CanonicalArray], gates: int) -> Mapping[str, CanonicalArray]:
    units = own["recurrent_kernel"].shape[0]
    return {
        "kernel": own["kernel"].mapped(lambda kernel: canonical_kernel(kernel, gates)),
        "recurrent_kernel": own["recurrent_kernel"].mapped(lambda kernel: canonical_recurrent_kernel(kernel, gates)),
        "bias": own["bias"].mapped(summed_bias, (4 * units,))
        if gates == 4
        else own["bias"].mapped(paired_bias, (2, 3 * units)),
    }


def _origin(target: str, stored_by_cudnn: bool) -> str:
    return f"weights of a {'CuDNN' if stored_by_cudnn else ''}{target}"


def _other_gates(layer: Layer, target: str) -> str:
    """The warning for an architecture whose gates differ from those of the cuDNN layer that its weights belong to."""
    activations = layer.config.get("activation"), layer.config.get("recurrent_activation")
    if layer.class_name != target or activations == ("tanh", "sigmoid"):
        return ""
    return (
        f"{'/'.join(layer.path)} holds the weights of a CuDNN{target}, which computes tanh and sigmoid; the "
        f"architecture says {activations[0]} and {activations[1]}, and is followed, as Keras does."
    )
