"""Recurrent layers: the loop over time, masks, initial and returned states."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered, Refused
from transforms.reference.layers.cells import Cell, States, gru_cell, lstm_cell, simple_rnn_cell
from transforms.reference.layers.cudnn import gru_of_either_layout, lstm_of_either_layout
from transforms.reference.masks.masked_steps import MaskedOutput

#: Cells of the layers and of the cell classes of the same equations.
CELLS: Mapping[str, Callable[[LayerCall], Cell]] = {
    **dict.fromkeys(("SimpleRNN", "SimpleRNNCell"), simple_rnn_cell),
    **dict.fromkeys(("LSTM", "UnifiedLSTM", "CuDNNLSTM"), lstm_of_either_layout),
    **dict.fromkeys(("GRU", "UnifiedGRU", "CuDNNGRU"), gru_of_either_layout),
    "LSTMCell": lstm_cell,
    "GRUCell": gru_cell,
}


def recurrent(call: LayerCall, cell: Cell, masked: MaskedOutput) -> tuple[Array, ...]:
    """One call of a recurrent layer.

    The inputs are the sequence (n, t, d), or (t, n, d) with `time_major`, then optionally the initial states, which are
    otherwise zeros, also in a stateful layer: every request starts from zeros. `go_backwards` reads from the last step
    to the first, and a returned sequence stays in that order.

    Returns:
        The last output (n, u), or all (n, t, u) with `return_sequences`; then the states with `return_state`.
    """
    time_major = bool(call.option("time_major", False))
    x = np.swapaxes(call.x, 0, 1) if time_major else call.x
    backwards = bool(call.option("go_backwards", False))
    mask = _checked_mask(call, time_major)
    order = slice(None, None, -1) if backwards else slice(None)
    outputs, states = _scan(
        cell, cell.project(x[:, order]), None if mask is None else mask[:, order], _initial_states(call, cell), masked
    )
    if not np.isfinite(outputs).all() and np.isfinite(x).all():
        raise NotCovered("numbers beyond the range of floats in a recurrent layer", call.path)
    last = outputs[:, -1]
    if mask is not None and masked is MaskedOutput.ZERO and backwards and call.option("unroll", False):
        # `K.rnn` of every tf.keras zeroes an unrolled sequence by the original mask, not by the reversed one.
        outputs = _unrolled_with_unreversed_mask(cell, x[:, order], mask, call)
    sequence = np.swapaxes(outputs, 0, 1) if time_major else outputs
    output = sequence if call.option("return_sequences", False) else last
    return (output, *states) if call.option("return_state", False) else (output,)


def _scan(cell: Cell, driven: Array, mask: Mask, states: States, masked: MaskedOutput) -> tuple[Array, States]:
    """Runs a cell over driven (n, t, k): the outputs (n, t, u) and the final states."""
    outputs: list[Array] = []
    for time in range(driven.shape[1]):
        output, new_states = cell.step(driven[:, time], states)
        if mask is not None:
            counts = mask[:, time, np.newaxis]
            output = np.where(counts, output, _in_place_of(output, outputs, states, masked))
            new_states = tuple(np.where(counts, new, old) for new, old in zip(new_states, states, strict=True))
        outputs.append(output)
        states = new_states
    return np.stack(outputs, axis=1), states


def _in_place_of(output: Array, outputs: list[Array], states: States, masked: MaskedOutput) -> Array:
    if masked is MaskedOutput.STATE:
        if states[0].shape != output.shape:
            raise NotCovered(f"a masked step whose first state has the shape {states[0].shape}, not {output.shape}")
        return states[0]
    if masked is MaskedOutput.PREVIOUS and outputs:
        return outputs[-1]
    return np.zeros_like(output)


def _unrolled_with_unreversed_mask(cell: Cell, x: Array, mask: Array, call: LayerCall) -> Array:
    repeated, _ = _scan(cell, cell.project(x), mask[:, ::-1], _initial_states(call, cell), MaskedOutput.PREVIOUS)
    return np.where(mask[..., np.newaxis], repeated, 0.0)


def _checked_mask(call: LayerCall, time_major: bool) -> Mask:
    """The mask (n, t) of the sequence, of whose axes `K.rnn` takes the same for the time as of the sequence's; those of
    initial states are ignored.
    """
    mask = call.masks[0]
    if mask is None:
        return None
    if call.class_name.startswith("CuDNN"):
        raise Refused(f"a mask on {call.class_name}, which every runtime refuses", call.path)
    if mask.shape != call.x.shape[:2]:
        raise Refused(f"a mask of shape {mask.shape} on a sequence of shape {call.x.shape}", call.path)
    mask = np.swapaxes(mask, 0, 1) if time_major else mask
    if call.runtime.backend == "cntk":
        raise NotCovered("a masked recurrent layer under CNTK", call.path)
    return mask


def _initial_states(call: LayerCall, cell: Cell) -> States:
    given = call.inputs[1:]
    if not given:
        batch = call.x.shape[1 if call.option("time_major", False) else 0]
        return tuple(np.zeros((batch, size)) for size in cell.state_sizes)
    if tuple(state.shape[-1] for state in given) != cell.state_sizes:
        raise NotCovered(
            f"{len(given)} further inputs of widths {[state.shape[-1] for state in given]}, where the states are "
            f"{list(cell.state_sizes)} wide",
            call.path,
        )
    return given
