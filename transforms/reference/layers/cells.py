"""The recurrent cells: one step of SimpleRNN, LSTM and GRU, and stacks of cells.

A cell is given in two parts, so that the input product of all time steps is one matrix product:
`project` takes x (n, ..., d) to what the input contributes (n, ..., k); `step` takes that for one time step, and the
states (n, u), to the output and the new states. The first state is the output h in every cell of Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered
from transforms.reference.layer_weights import product
from transforms.reference.layers.activations import Activation, activation_of

States: TypeAlias = tuple[Array, ...]


@dataclass(frozen=True)
class Cell:
    """One step of a recurrent layer.

    Attributes:
        state_sizes: the width of each state, in the order of the layer's states.
        project: x (n, ..., d) -> the input's contribution (n, ..., k), bias included.
        step: contribution (n, k), states -> output (n, u), new states.
    """

    state_sizes: tuple[int, ...]
    project: Callable[[Array], Array]
    step: Callable[[Array, States], tuple[Array, States]]


def side_by_side(gates: Array, count: int) -> Array:
    """The blocks of gates (n, count u) as (count, n, u); numpy.split costs more than a time step does."""
    return np.moveaxis(gates.reshape(len(gates), count, -1), 1, 0)


def _projection(call: LayerCall, bias: Array | None) -> Callable[[Array], Array]:
    def project(x: Array) -> Array:
        y = product(x, call.weights, "kernel")
        return np.asarray(y if bias is None else y + bias)

    return project


def _stored(call: LayerCall, name: str) -> Activation:
    """An activation that the config must hold: Keras up to 2.1.2 saved its cell classes without options."""
    if name not in call.config:
        raise NotCovered(f"a {call.class_name} saved without its {name}", call.path)
    return activation_of(call.config[name], call)


def simple_rnn_cell(call: LayerCall) -> Cell:
    """One state, the output: h' = act(x W + b + h R)."""
    recurrent = call.weights["recurrent_kernel"]
    act = _stored(call, "activation")

    def step(driven: Array, states: States) -> tuple[Array, States]:
        h = act(driven + states[0] @ recurrent)
        return h, (h,)

    return Cell((recurrent.shape[0],), _projection(call, call.weights.get("bias")), step)


def lstm_cell(call: LayerCall) -> Cell:
    """Gates i, f, c, o side by side in W (d, 4u), R (u, 4u) and b (4u,).

    z = x W + h R + b;  c' = rec(z_f) c + rec(z_i) act(z_c);  h' = rec(z_o) act(c')
    """
    recurrent = call.weights["recurrent_kernel"]
    act = _stored(call, "activation")
    rec = _stored(call, "recurrent_activation")
    units = recurrent.shape[0]

    def step(driven: Array, states: States) -> tuple[Array, States]:
        h, c = states
        i, f, candidate, o = side_by_side(driven + h @ recurrent, 4)
        c = rec(f) * c + rec(i) * act(candidate)
        h = rec(o) * act(c)
        return h, (h, c)

    return Cell((units, units), _projection(call, call.weights.get("bias")), step)


def gru_cell(call: LayerCall) -> Cell:
    """Gates z, r, h side by side in W (d, 3u) and R (u, 3u).

    z = rec(x W_z + b_z + h R_z);  r = rec(x W_r + b_r + h R_r);  h' = z h + (1 - z) act(candidate)
    reset_after False: candidate = x W_h + b_h + (r h) R_h
    reset_after True:  candidate = x W_h + b_h + r (h R_h + b'_h), with a second bias b' on every gate, b (2, 3u)
    """
    bias = call.weights.get("bias")
    reset_after = _reset_after(call, bias)
    recurrent_z, recurrent_r, recurrent_h = np.split(call.weights["recurrent_kernel"], 3, axis=-1)
    act = _stored(call, "activation")
    rec = _stored(call, "recurrent_activation")
    units = recurrent_z.shape[0]
    input_bias = bias[0] if bias is not None and bias.ndim == 2 else bias
    second_bias = bias[1] if bias is not None and bias.ndim == 2 else np.zeros(3 * units)
    bias_z, bias_r, bias_h = np.split(second_bias, 3)

    def step(driven: Array, states: States) -> tuple[Array, States]:
        (h,) = states
        x_z, x_r, x_h = side_by_side(driven, 3)
        z, r = rec(x_z + h @ recurrent_z + bias_z), rec(x_r + h @ recurrent_r + bias_r)
        remembered = r * (h @ recurrent_h + bias_h) if reset_after else (r * h) @ recurrent_h
        h = z * h + (1.0 - z) * act(x_h + remembered)
        return h, (h,)

    return Cell((units,), _projection(call, input_bias), step)


def _reset_after(call: LayerCall, bias: Array | None) -> bool:
    """From the bias, which has two rows with `reset_after` only; else as stored. Early Keras 2 lacks it: False."""
    if bias is not None:
        return bias.ndim == 2
    return bool(call.option("reset_after", False))


def stacked_cells(cells: Sequence[Cell], reverse_states: bool) -> Cell:
    """StackedRNNCells: each cell's output is the next one's input.

    The states are those of the first cell, then the second's, ...; `reverse_states` lists the cells backwards, each
    cell's own states still in order, as Keras did before 2.2.3.
    """
    order = range(len(cells))[::-1] if reverse_states else range(len(cells))
    sizes = tuple(size for index in order for size in cells[index].state_sizes)

    def step(driven: Array, states: States) -> tuple[Array, States]:
        held, taken = {}, 0
        for index in order:
            count = len(cells[index].state_sizes)
            held[index] = states[taken : taken + count]
            taken += count
        output = driven
        for index, cell in enumerate(cells):
            contribution = driven if index == 0 else cell.project(output)
            output, held[index] = cell.step(contribution, held[index])
        return output, tuple(state for index in order for state in held[index])

    return Cell(sizes, cells[0].project, step)
