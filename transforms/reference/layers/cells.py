"""The recurrent cells: one step of SimpleRNN, LSTM and GRU, and stacks of cells.

A cell has two parts, so that the input product of all time steps is one matrix product: `project` maps x (n, ..., d) to
the input's contribution (n, ..., k); `step` maps that of one time step, and the states (n, u), to the output and the
new states. The first state is the output h in every cell of Keras.
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


@dataclass(frozen=True)
class Gates:
    """The weights of a gated layer, with its gates side by side.

    Attributes:
        units: the width u of a gate.
        project: x (n, ..., d) -> x W + b (n, ..., count u).
        recur: h (n, u) -> h R + b' (n, count u).
    """

    units: int
    project: Callable[[Array], Array]
    recur: Callable[[Array], Array]


def keras_gates(call: LayerCall, count: int) -> Gates:
    """Gates in the layout of Keras: W (d, count u), R (u, count u), one bias (count u,) or two (2, count u)."""
    recurrent, bias = call.weights["recurrent_kernel"], call.weights.get("bias")
    units = recurrent.shape[0]
    second = np.zeros(count * units)
    if bias is not None and bias.shape == (2, count * units):
        bias, second = bias
    if bias is not None and bias.shape != (count * units,):
        raise NotCovered(f"a bias of shape {bias.shape} for {units} units and {count} gates", call.path)
    return Gates(units, _projection(call, bias), lambda h: np.asarray(h @ recurrent + second))


def _projection(call: LayerCall, bias: Array | None) -> Callable[[Array], Array]:
    def project(x: Array) -> Array:
        y = product(x, call.weights, "kernel")
        return np.asarray(y if bias is None else y + bias)

    return project


def _stored(call: LayerCall, name: str) -> Activation:
    """An activation that the config must contain: Keras up to 2.1.2 saved its cell classes without options."""
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
    """An LSTM whose arrays are in the layout of Keras, with its stored activations."""
    return lstm_equations(keras_gates(call, 4), *stored_activations(call))


def gru_cell(call: LayerCall) -> Cell:
    """A GRU whose arrays are in the layout of Keras, with its stored activations."""
    if _reset_after(call):
        return gru_reset_after(keras_gates(call, 3), *stored_activations(call))
    return _gru_reset_before(call, *stored_activations(call))


def stored_activations(call: LayerCall) -> tuple[Activation, Activation]:
    """`activation` and `recurrent_activation` of the config."""
    return _stored(call, "activation"), _stored(call, "recurrent_activation")


def lstm_equations(gates: Gates, act: Activation, rec: Activation) -> Cell:
    """Gates i, f, c, o.

    z = x W + h R + b;  c' = rec(z_f) c + rec(z_i) act(z_c);  h' = rec(z_o) act(c')
    """

    def step(driven: Array, states: States) -> tuple[Array, States]:
        h, c = states
        i, f, candidate, o = side_by_side(driven + gates.recur(h), 4)
        c = rec(f) * c + rec(i) * act(candidate)
        h = rec(o) * act(c)
        return h, (h, c)

    return Cell((gates.units, gates.units), gates.project, step)


def gru_reset_after(gates: Gates, act: Activation, rec: Activation) -> Cell:
    """Gates z, r, h; the reset gate acts after the recurrent product, which has a bias b' of its own.

    z = rec(x W_z + b_z + h R_z + b'_z);  r likewise
    h' = z h + (1 - z) act(x W_h + b_h + r (h R_h + b'_h))
    """

    def step(driven: Array, states: States) -> tuple[Array, States]:
        (h,) = states
        x_z, x_r, x_h = side_by_side(driven, 3)
        h_z, h_r, h_h = side_by_side(gates.recur(h), 3)
        z, r = rec(x_z + h_z), rec(x_r + h_r)
        h = z * h + (1.0 - z) * act(x_h + r * h_h)
        return h, (h,)

    return Cell((gates.units,), gates.project, step)


def _gru_reset_before(call: LayerCall, act: Activation, rec: Activation) -> Cell:
    """Gates z, r, h; the reset gate acts before the recurrent product: (r h) R_h in place of r (h R_h)."""
    recurrent_z, recurrent_r, recurrent_h = np.split(call.weights["recurrent_kernel"], 3, axis=-1)

    def step(driven: Array, states: States) -> tuple[Array, States]:
        (h,) = states
        x_z, x_r, x_h = side_by_side(driven, 3)
        z, r = rec(x_z + h @ recurrent_z), rec(x_r + h @ recurrent_r)
        h = z * h + (1.0 - z) * act(x_h + (r * h) @ recurrent_h)
        return h, (h,)

    return Cell((recurrent_z.shape[0],), _projection(call, call.weights.get("bias")), step)


def _reset_after(call: LayerCall) -> bool:
    """`reset_after`, inferred from the bias, which has two rows only with it; else as stored; False in early Keras 2,
    which lacks it.
    """
    bias = call.weights.get("bias")
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
