"""The recurrent cells of Keras 1, and its ConvLSTM2D.

`consume_less` determines the storage of the arrays and the order of the products, but not the result: with `gpu` one
array each of W (d, g u), U (u, g u) and b (g u,) for all g gates side by side, otherwise one of each for every gate.
The loop over time is that of `reference.recurrent`: `K.rnn` of Keras 1.2.2 starts from zeros, and at a masked step
keeps the states and repeats the output, on TensorFlow (by way of the first state, which is the output) and on Theano
alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from transforms.reference.keras_1.convolution import kernel_channels_last
from transforms.reference.layer_call import Array, LayerCall
from transforms.reference.layers.activations import Activation, activation_of
from transforms.reference.layers.cells import Cell, States
from transforms.reference.layers.spatial_layer import channels_first


@dataclass(frozen=True)
class _Gate:
    """The arrays of one gate: W (d, u), U (u, u), b (u,)."""

    w: Array
    u: Array
    b: Array


def _gates(call: LayerCall, joined_order: str) -> Mapping[str, _Gate]:
    """The gates by letter. `joined_order` is the order in which one array holds them all."""
    if "W" not in call.weights:
        return {gate: _Gate(*(call.weights[f"{letter}_{gate}"] for letter in "WUb")) for gate in joined_order}
    blocks = (np.split(call.weights[letter], len(joined_order), axis=-1) for letter in "WUb")
    return {gate: _Gate(*arrays) for gate, *arrays in zip(joined_order, *blocks, strict=True)}


def _cell(
    gates: Mapping[str, _Gate], states: int, step: Callable[[Mapping[str, Array], States], tuple[Array, States]]
) -> Cell:
    """A cell whose step receives the input's contribution to each gate, x W + b, by letter."""
    units = next(iter(gates.values())).u.shape[0]

    def project(x: Array) -> Array:
        return np.concatenate([x @ gate.w + gate.b for gate in gates.values()], axis=-1)

    def stepped(driven: Array, held: States) -> tuple[Array, States]:
        return step(dict(zip(gates, np.split(driven, len(gates), axis=-1), strict=True)), held)

    return Cell((units,) * states, project, stepped)


def _activations(call: LayerCall) -> tuple[Activation, Activation]:
    """The activation, and that of the gates."""
    inner = activation_of(call.option("inner_activation", "hard_sigmoid"), call)
    return activation_of(call.option("activation", "tanh"), call), inner


def simple_rnn_cell(call: LayerCall) -> Cell:
    """One state, the output: h' = act(x W + b + h U)."""
    gates = _gates(call, "h")
    act, _ = _activations(call)

    def step(x: Mapping[str, Array], states: States) -> tuple[Array, States]:
        h = act(x["h"] + states[0] @ gates["h"].u)
        return h, (h,)

    return _cell(gates, 1, step)


def gru_cell(call: LayerCall) -> Cell:
    """The reset gate acts before the recurrent product. Joined order z, r, h.

    z = inner(x W_z + b_z + h U_z);  r = inner(x W_r + b_r + h U_r)
    h' = z h + (1 - z) act(x W_h + b_h + (r h) U_h)
    """
    gates = _gates(call, "zrh")
    act, inner = _activations(call)

    def step(x: Mapping[str, Array], states: States) -> tuple[Array, States]:
        (h,) = states
        z, r = inner(x["z"] + h @ gates["z"].u), inner(x["r"] + h @ gates["r"].u)
        h = z * h + (1.0 - z) * act(x["h"] + (r * h) @ gates["h"].u)
        return h, (h,)

    return _cell(gates, 1, step)


def lstm_cell(call: LayerCall) -> Cell:
    """Joined order i, f, c, o.

    i, f, o = inner(x W_g + b_g + h U_g);  c' = f c + i act(x W_c + b_c + h U_c);  h' = o act(c')
    """
    gates = _gates(call, "ifco")
    act, inner = _activations(call)

    def step(x: Mapping[str, Array], states: States) -> tuple[Array, States]:
        h, c = states
        i, f, o = (inner(x[gate] + h @ gates[gate].u) for gate in "ifo")
        c = f * c + i * act(x["c"] + h @ gates["c"].u)
        h = o * act(c)
        return h, (h, c)

    return _cell(gates, 2, step)


KERAS_1_CELLS: Mapping[str, Callable[[LayerCall], Cell]] = {
    "SimpleRNN": simple_rnn_cell,
    "GRU": gru_cell,
    "LSTM": lstm_cell,
}


def read_conv_lstm(call: LayerCall) -> LayerCall:
    """ConvLSTM2D with the option names that `reference.layers.conv_lstm` reads; the equations are the same
    (`ConvLSTM2D.step`).

    Gates are always stored apart, kernels in the layer's `dim_ordering`; here they are side by side in the order i, f,
    c, o, channels last. `get_config` omits `subsample`: Keras 1 itself reads such a file with (1, 1).
    """
    first = channels_first(call, 2)
    kernels = {
        name: np.concatenate([kernel_channels_last(call.weights[f"{letter}_{g}"], first) for g in "ifco"], axis=-1)
        for name, letter in (("kernel", "W"), ("recurrent_kernel", "U"))
    }
    bias = np.concatenate([call.weights[f"b_{gate}"] for gate in "ifco"])
    config = {**call.config, "recurrent_activation": call.option("inner_activation", "hard_sigmoid")}
    return replace(call, config=config, weights={**kernels, "bias": bias})
