"""StackedRNNCells under a mask, as Keras before 2.2.5 ran them on TensorFlow.

At a masked step `K.rnn` outputs `states[0]`, which for stacked cells is the state of the *first* cell, not the last
output (keras/backend/tensorflow_backend.py 2.2.4). With m_t = 1 if step t is unmasked and 0 if it is masked,

    y_t = m_t * stacked_t + (1 - m_t) * first_t

where `first` is a recurrent layer of the first cell alone, whose repeated output is that cell's state.
"""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.graph import Layer, TensorRef
from transforms.canonical.model import ArraysByLayer, LayerRewrite, RewriteContext
from transforms.canonical.rewrites.masking import constant_array, writes_state_when_masked
from transforms.canonical.subgraph import SubgraphBuilder, merged_arrays, moved_arrays, moved_layer


def apply_first_cell_when_masked(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Outputs the first cell's state at masked steps. Layers with given states are left unchanged."""
    layer = rewrite.layer
    if not _concerns(layer, context):
        return rewrite
    builder = SubgraphBuilder(layer)
    (x,) = builder.inputs
    running = {**layer.config, "return_sequences": True}
    stacked = builder.place(replace(layer, config=running), "stacked", x)
    first = builder.place(_first_cell_alone(layer), "first", x)
    direction = {"go_backwards": bool(layer.config.get("go_backwards"))}
    options = {"units": 1, "activation": "linear", "return_sequences": True, "zero_output_for_mask": True, **direction}
    counts = builder.add("SimpleRNN", "counts", options, x)
    masked = builder.add_op("complement", "masked", counts)
    y = builder.add(
        "Add",
        "output",
        {},
        builder.add("Multiply", "counted", {}, stacked, counts),
        builder.add("Multiply", "held", {}, first, masked),
    )
    if not layer.config.get("return_sequences"):
        y = builder.add_op("last_step", "last", y)
    finals = [TensorRef("stacked", 0, 1 + index) for index in range(_returned_states(layer))]
    return rewrite.rewritten(
        builder.finish(y, *finals), "masked_steps_keep_state", "of the first cell", arrays=_arrays(rewrite)
    )


def _concerns(layer: Layer, context: RewriteContext) -> bool:
    if layer.class_name != "RNN" or layer.slots["cell"].class_name != "StackedRNNCells":
        return False
    cells = layer.slots["cell"].slots
    if len({cell.config.get("units") for cell in cells.values()}) > 1:
        return False  # such a stack refuses masks, so none reaches this layer
    given_states = any(len(call.inputs) > 1 for call in layer.calls)
    return writes_state_when_masked(context) and not given_states and not layer.config.get("unroll")


def _first_cell_alone(layer: Layer) -> Layer:
    cell = moved_layer(layer.slots["cell"].slots["0"], (*layer.path, "cell"))
    config = {**layer.config, "return_sequences": True, "return_state": False}
    return replace(layer, config=config, slots={"cell": cell})


def _returned_states(layer: Layer) -> int:
    if not layer.config.get("return_state"):
        return 0
    return sum(2 if cell.class_name == "LSTMCell" else 1 for cell in layer.slots["cell"].slots.values())


def _arrays(rewrite: LayerRewrite) -> ArraysByLayer:
    path = rewrite.layer.path
    first_cell = (*path, "cell", "0")
    features = rewrite.arrays[first_cell]["kernel"].shape[0]
    counts = {
        "kernel": constant_array((features, 1), 0.0),
        "recurrent_kernel": constant_array((1, 1), 0.0),
        "bias": constant_array((1,), 1.0),
    }
    return merged_arrays(
        [
            moved_arrays(rewrite.arrays, path, (*path, "stacked")),
            moved_arrays(rewrite.arrays, first_cell, (*path, "first", "cell")),
            {(*path, "counts"): counts},
        ]
    )
