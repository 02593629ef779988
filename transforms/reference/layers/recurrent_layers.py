"""Recurrent layers in a graph: their cells and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from transforms.architecture.graph import Layer
from transforms.legacy.release import Writer
from transforms.reference.dialect import Evaluator, Tensors
from transforms.reference.layer_call import Array, LayerCall, NotCovered
from transforms.reference.layers.cells import Cell, stacked_cells
from transforms.reference.layers.conv_lstm import conv_lstm
from transforms.reference.layers.recurrent import recurrent
from transforms.reference.masks.masked_steps import MaskedOutput, masked_output

#: Layers that are one cell over time.
RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU", "UnifiedLSTM", "UnifiedGRU", "CuDNNLSTM", "CuDNNGRU", "RNN"})

CONVOLUTIONAL = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})

#: The output at masked steps of a call.
MaskedSteps: TypeAlias = Callable[[LayerCall, Writer], MaskedOutput]


def recurrent_layer(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """A recurrent layer outside wrappers. A sequence propagates the mask of the input; states have none
    (`RNN.compute_mask`).
    """
    values = run_recurrent(layer, inputs, evaluator, masked_output)
    mask = inputs.masks[0] if layer.config.get("return_sequences") else None
    return Tensors(values, (mask, *(None,) * (len(values) - 1)))


def run_recurrent(layer: Layer, inputs: Tensors, evaluator: Evaluator, masked_steps: MaskedSteps) -> tuple[Array, ...]:
    """The output of a recurrent layer, then its states if it returns them."""
    call = evaluator.layer_call(layer, inputs)
    if call.config.get("num_constants") or call.config.get("_num_constants"):
        raise NotCovered("constants of a recurrent layer", layer.path)
    masked = masked_steps(call, evaluator.writer)
    if layer.class_name in CONVOLUTIONAL:
        if masked is MaskedOutput.ZERO:
            raise NotCovered("a masked convolutional LSTM inside Bidirectional", layer.path)
        output, states = conv_lstm(call)
        return (output, *states) if call.option("return_state", False) else (output,)
    if layer.class_name not in RECURRENT:
        raise NotCovered(f"{layer.class_name} as a recurrent layer", layer.path)
    return recurrent(call, cell_of(layer, evaluator), masked)


def cell_of(layer: Layer, evaluator: Evaluator) -> Cell:
    """The cell of a recurrent layer, or a cell class itself.

    Before Keras 2.2.3 the states of StackedRNNCells run from the last cell to the first.
    """
    if layer.class_name == "RNN":
        return cell_of(layer.slots["cell"], evaluator)
    if layer.class_name == "StackedRNNCells":
        cells = [cell_of(layer.slots[str(index)], evaluator) for index in range(len(layer.slots))]
        version = evaluator.writer.standalone
        early = version is not None and version < (2, 2, 3)
        return stacked_cells(cells, early or bool(layer.config.get("reverse_state_order", False)))
    if layer.class_name not in evaluator.cells:
        raise NotCovered(f"the cell {layer.class_name}", layer.path)
    return evaluator.cells[layer.class_name](evaluator.layer_call(layer, Tensors((), ())))
