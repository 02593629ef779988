"""Propagates masks as the writing runtime did, where tf-keras differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transforms.architecture.graph import Call, Graph, Layer, TensorRef
from transforms.canonical.model import CanonicalArray, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import TENSOR_OP, SubgraphBuilder, merged_arrays, moved_arrays
from transforms.records.runtime import Family

_GATED_OR_SIMPLE = frozenset({"SimpleRNN", "LSTM", "GRU"})


def drop_mask(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Drops the mask after layers that propagated none when the file was written.

    ReLU supports masks since TensorFlow 2.5. In the outermost graph of tf.keras 1.13 no mask leaves a nested model,
    nor a layer that returns its input tensor itself: `_set_mask_metadata` treats such a tensor's mask as computed and
    overwrites it with None.
    """
    layer = rewrite.layer
    if not context.masked or context.runtime.family is not Family.TF_KERAS:
        return rewrite
    if layer.graph is not None and context.release == (1, 13) and len(layer.path) == 1:
        return _keeping_masks_inside(rewrite, layer.graph)
    if not _loses_mask(layer, context):
        return rewrite
    builder = SubgraphBuilder(layer)
    name = f"{layer.name}_masked"
    y = builder.add_op("identity", "unmasked", builder.place(layer, name, *builder.inputs))
    arrays = moved_arrays(rewrite.arrays, layer.path, (*layer.path, name))
    return rewrite.rewritten(builder.finish(y), "mask_dropped", layer.class_name, arrays=arrays)


def _keeping_masks_inside(rewrite: LayerRewrite, graph: Graph) -> LayerRewrite:
    """A nested model whose outputs pass through `identity`, which propagates no mask."""
    layers, outputs = list(graph.layers), []
    for index, ref in enumerate(graph.outputs):
        name = f"unmasked_{index}"
        config = {"op": "identity", "options": {}}
        layers.append(Layer(TENSOR_OP, name, (*graph.path, name), config, (Call((ref,)),)))
        outputs.append(TensorRef(name))
    inner = replace(graph, layers=tuple(layers), outputs=tuple(outputs))
    return rewrite.rewritten(replace(rewrite.layer, graph=inner), "mask_dropped", "no mask leaves the nested model")


def _loses_mask(layer: Layer, context: RewriteContext) -> bool:
    if layer.class_name == "ReLU":
        return context.runtime.version < (2, 5)
    if context.release != (1, 13) or len(layer.path) != 1:
        return False
    if layer.class_name == "Activation":
        return layer.config.get("activation") in (None, "linear")
    if layer.class_name in ("GaussianDropout", "AlphaDropout"):
        return not 0.0 < float(layer.config.get("rate") or 0.0) < 1.0
    return layer.class_name == "ActivityRegularization"


def keep_state_before_first_step(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Before its first unmasked step a layer with given states outputs the state; tf-keras outputs zeros.

        y = out + (1 - seen) * state

    `seen` is 1 from the first unmasked step on: a SimpleRNN of one unit with kernel 0, recurrent kernel 0 and bias 1
    under the same mask, whose output is 0 before that step and repeats 1 from there. Source: `rnn` in
    keras/backend/tensorflow_backend.py before 2.2.5, `tf.where(mask, output, states[0])`.
    """
    layer = rewrite.layer
    if not writes_state_when_masked(context) or layer.class_name not in _GATED_OR_SIMPLE:
        return rewrite
    if not layer.calls or any(len(call.inputs) < 2 for call in layer.calls) or layer.config.get("unroll"):
        return rewrite
    sequences = bool(layer.config.get("return_sequences"))
    builder = SubgraphBuilder(layer)
    x, state, *_ = builder.inputs
    name = f"{layer.name}_states"
    out = builder.place(layer, name, *builder.inputs)
    options = {
        "units": 1,
        "activation": "linear",
        "return_sequences": sequences,
        "go_backwards": bool(layer.config.get("go_backwards")),
    }
    unseen = builder.add_op("complement", "unseen", builder.add("SimpleRNN", "seen", options, x))
    spread = builder.add_op("expand_dims", "state", state, axis=1) if sequences else state
    y = builder.add("Add", "output", {}, out, builder.add("Multiply", "missing", {}, unseen, spread))
    finals = [replace(out, tensor=1 + index) for index in range(returned_states(layer))]
    features = rewrite.own_arrays["kernel"].shape[0]
    seen = {
        "kernel": constant_array((features, 1), 0.0),
        "recurrent_kernel": constant_array((1, 1), 0.0),
        "bias": constant_array((1,), 1.0),
    }
    moved = moved_arrays(rewrite.arrays, layer.path, (*layer.path, name))
    arrays = merged_arrays([moved, {(*layer.path, "seen"): seen}])
    return rewrite.rewritten(builder.finish(y, *finals), "masked_steps_keep_state", arrays=arrays)


def writes_state_when_masked(context: RewriteContext) -> bool:
    """True for files of standalone Keras before 2.2.5 on TensorFlow that make masks."""
    runtime = context.runtime
    early = runtime.family is Family.KERAS and runtime.version < (2, 2, 5)
    return context.masked and early and runtime.backend not in ("theano", "cntk")


def returned_states(layer: Layer) -> int:
    """The number of states that a recurrent layer returns after its output."""
    if not layer.config.get("return_state"):
        return 0
    return 2 if layer.class_name == "LSTM" else 1


def constant_array(shape: tuple[int, ...], value: float) -> CanonicalArray:
    """An array that is not in the file: every entry is `value`."""
    return CanonicalArray(shape, np.dtype("f4"), lambda: np.full(shape, value, "f4"))
