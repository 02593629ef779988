"""Masks as the writing runtime handed them on, where tf-keras would do otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from transforms.architecture import Call, Graph, Layer, LayerPath, TensorRef
from transforms.canonical.model import ArraysByLayer, CanonicalArray, Piece, Setting
from transforms.canonical.subgraph import TENSOR_OP, SubgraphBuilder, merged_arrays, moved_arrays
from transforms.runtime import Family

_GATED_OR_SIMPLE = frozenset({"SimpleRNN", "LSTM", "GRU"})


def mask_dropped(piece: Piece, setting: Setting) -> Piece:
    """Drops the mask behind layers that handed on none when the file was written.

    ReLU supports masks since TensorFlow 2.5. In the outermost graph of tf.keras 1.13 no mask leaves a nested model,
    nor a layer that returns its input tensor itself: `_set_mask_metadata` takes such a tensor's mask for computed and
    overwrites it with None.
    """
    layer = piece.layer
    if not setting.masked or setting.runtime.family is not Family.TF_KERAS:
        return piece
    if layer.graph is not None and setting.release == (1, 13) and len(layer.path) == 1:
        return _keeping_masks_inside(piece, layer.graph)
    if not _loses_mask(layer, setting):
        return piece
    builder = SubgraphBuilder(layer)
    name = f"{layer.name}_masked"
    y = builder.add_op("identity", "unmasked", builder.place(layer, name, *builder.inputs))
    arrays = moved_arrays(piece.arrays, layer.path, (*layer.path, name))
    return piece.became(builder.finish(y), "mask_dropped", layer.class_name, arrays=arrays)


def _keeping_masks_inside(piece: Piece, graph: Graph) -> Piece:
    """A nested model whose outputs pass through `identity`, which hands on no mask."""
    layers, outputs = list(graph.layers), []
    for index, ref in enumerate(graph.outputs):
        name = f"unmasked_{index}"
        config = {"op": "identity", "options": {}}
        layers.append(Layer(TENSOR_OP, name, (*graph.path, name), config, (Call((ref,)),)))
        outputs.append(TensorRef(name))
    inner = replace(graph, layers=tuple(layers), outputs=tuple(outputs))
    return piece.became(replace(piece.layer, graph=inner), "mask_dropped", "no mask leaves the nested model")


def _loses_mask(layer: Layer, setting: Setting) -> bool:
    if layer.class_name == "ReLU":
        return setting.runtime.version < (2, 5)
    if setting.release != (1, 13) or len(layer.path) != 1:
        return False
    if layer.class_name == "Activation":
        return layer.config.get("activation") in (None, "linear")
    if layer.class_name in ("GaussianDropout", "AlphaDropout"):
        return not 0.0 < float(layer.config.get("rate") or 0.0) < 1.0
    return layer.class_name == "ActivityRegularization"


def state_before_first_step(piece: Piece, setting: Setting) -> Piece:
    """Before its first unmasked step a layer with given states puts out the state; tf-keras puts out zeros.

    Source: `rnn` in keras/backend/tensorflow_backend.py before 2.2.5, `tf.where(mask, output, states[0])`.
    """
    layer = piece.layer
    if not writes_state_when_masked(setting) or layer.class_name not in _GATED_OR_SIMPLE:
        return piece
    if len(layer.calls) == 0 or any(len(call.inputs) < 2 for call in layer.calls) or layer.config.get("unroll"):
        return piece
    builder = SubgraphBuilder(layer)
    name = f"{layer.name}_states"
    out = builder.place(layer, name, *builder.inputs)
    y, extra = with_state_before_first_step(builder, layer, out, builder.inputs[0], builder.inputs[1], "")
    finals = [replace(out, tensor=1 + index) for index in range(returned_states(layer))]
    arrays = merged_arrays([moved_arrays(piece.arrays, layer.path, (*layer.path, name)), extra(piece)])
    return piece.became(builder.finish(y, *finals), "masked_steps_keep_state", arrays=arrays)


def writes_state_when_masked(setting: Setting) -> bool:
    """True for files of standalone Keras before 2.2.5 on TensorFlow that make masks."""
    runtime = setting.runtime
    early = runtime.family is Family.KERAS and runtime.version < (2, 2, 5)
    return setting.masked and early and runtime.backend not in ("theano", "cntk")


def returned_states(layer: Layer) -> int:
    """How many states a recurrent layer returns behind its output."""
    if not layer.config.get("return_state"):
        return 0
    return 2 if layer.class_name == "LSTM" else 1


def with_state_before_first_step(
    builder: SubgraphBuilder, layer: Layer, out: TensorRef, x: TensorRef, state: TensorRef, prefix: str
) -> tuple[TensorRef, Callable[[Piece], ArraysByLayer]]:
    """Adds `state` to the output wherever no step has counted yet: y = out + (1 - seen) * state.

    `seen` is 1 from the first unmasked step on: a SimpleRNN of one unit with kernel 0, recurrent kernel 0 and bias 1
    under the same mask, whose output is 0 before that step and repeats 1 from there.

    Args:
        builder: of the graph around it.
        layer: the recurrent layer, for its direction and whether it returns sequences.
        out: its output.
        x: its sequence input.
        state: its first initial state.
        prefix: of the new layers' names.

    Returns:
        The corrected output, and the arrays of the new layers for the piece that is rewritten.
    """
    sequences = bool(layer.config.get("return_sequences"))
    name = f"{prefix}seen"
    options = {
        "units": 1,
        "activation": "linear",
        "return_sequences": sequences,
        "go_backwards": bool(layer.config.get("go_backwards")),
    }
    seen = builder.add("SimpleRNN", name, options, x)
    unseen = builder.add_op("complement", f"{prefix}unseen", seen)
    spread = builder.add_op("expand_dims", f"{prefix}state", state, axis=1) if sequences else state
    missing = builder.add("Multiply", f"{prefix}missing", {}, unseen, spread)
    y = builder.add("Add", f"{prefix}output", {}, out, missing)

    def arrays(piece: Piece) -> ArraysByLayer:
        features = piece.arrays[layer.path]["kernel"].shape[0]
        path: LayerPath = (*piece.layer.path, name)
        return {
            path: {
                "kernel": constant_array((features, 1), 0.0),
                "recurrent_kernel": constant_array((1, 1), 0.0),
                "bias": constant_array((1,), 1.0),
            }
        }

    return y, arrays


def constant_array(shape: tuple[int, ...], value: float) -> CanonicalArray:
    """An array that no file holds: every entry `value`."""
    return CanonicalArray(shape, np.dtype("f4"), lambda: np.full(shape, value, "f4"))
