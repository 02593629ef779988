"""The cells of CuDNNLSTM and CuDNNGRU, computed from the arrays as cuDNN reads them.

Keras hands cuDNN one flat buffer (`_canonical_to_params`): each gate's block of the kernel, (d, u) as Keras stores it,
is flattened row by row, and cuDNN reads the same buffer row by row as its own matrix W (u, d). So

    W = block.reshape(u, d)        (which is not the transpose of the block)
    R = block of the recurrent kernel, (u, u), as it stands

and a gate is W x + b + R h + b' for column vectors x and h, with two biases, input and recurrent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered
from transforms.reference.layers.activations import sigmoid
from transforms.reference.layers.cells import Cell, States, side_by_side


def cudnn_lstm_cell(call: LayerCall) -> Cell:
    """Gates i, f, c, o; sigmoid for the gates and tanh for the candidate and the output. Bias (8u,)."""
    units, project, recur = _gates(call, 4)

    def step(driven: Array, states: States) -> tuple[Array, States]:
        h, c = states
        i, f, candidate, o = side_by_side(driven + recur(h), 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        h = sigmoid(o) * np.tanh(c)
        return h, (h, c)

    return Cell((units, units), project, step)


def cudnn_gru_cell(call: LayerCall) -> Cell:
    """Gates z, r, h; the reset gate acts after the recurrent product. Bias (6u,).

    h' = (1 - z) tanh(W_h x + b_h + r (R_h h + b'_h)) + z h
    """
    units, project, recur = _gates(call, 3)

    def step(driven: Array, states: States) -> tuple[Array, States]:
        (h,) = states
        x_z, x_r, x_h = side_by_side(driven, 3)
        h_z, h_r, h_h = side_by_side(recur(h), 3)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        h = (1.0 - z) * np.tanh(x_h + r * h_h) + z * h
        return h, (h,)

    return Cell((units,), project, step)


def _gates(call: LayerCall, count: int) -> tuple[int, Callable[[Array], Array], Callable[[Array], Array]]:
    """The width u, and the functions x (n, ..., d) -> W x + b and h (n, u) -> R h + b', gates side by side."""
    kernel, recurrent, bias = (call.weights[role] for role in ("kernel", "recurrent_kernel", "bias"))
    features, units = kernel.shape[0], recurrent.shape[0]
    if bias.shape != (2 * count * units,):
        raise NotCovered(f"a bias of shape {bias.shape} for {units} units and {count} gates, twice", call.path)
    input_bias, recurrent_bias = np.split(bias, 2)
    # Rows of W and of R, gate under gate: (count u, d) and (count u, u).
    rows = np.concatenate([block.reshape(units, features) for block in _blocks(kernel, count)])
    recurrent_rows = np.concatenate(list(_blocks(recurrent, count)))
    return (
        units,
        lambda x: np.asarray(x @ rows.T + input_bias),
        lambda h: np.asarray(h @ recurrent_rows.T + recurrent_bias),
    )


def _blocks(kernel: Array, count: int) -> Iterator[Array]:
    """The gates' blocks of a stored kernel (rows, count u), contiguous."""
    for block in np.split(kernel, count, axis=1):
        yield np.ascontiguousarray(block)
