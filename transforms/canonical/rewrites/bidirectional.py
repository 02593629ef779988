"""Bidirectional: both directions stated, and the masked steps of the runtime that wrote the file.

The directions run over the sequence from either end; the backward outputs are reversed on the time axis,
then merged. Legacy runtimes differ in the output at a masked step:

- standalone Keras 2.x repeats the output of the step before (keras/backend/*.rnn);
- tf.keras from 1.14 on, and tf-keras, output zeros there when sequences are returned
  (`force_zero_output_for_mask` in tf_keras/src/layers/rnn/bidirectional.py);
- tf.keras 1.13 outputs zeros there also when only the last output is returned, so a direction whose last processed step
  is masked returns zeros. It writes `zero_output_for_mask: true` into both configs.
"""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.graph import Layer, TensorRef
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.rewrites.masking import returned_states, writes_state_when_masked
from transforms.canonical.subgraph import SubgraphBuilder, moved_layer
from transforms.errors import MigrationError, Reason
from transforms.records.runtime import Family

_MERGE_LAYERS = {"concat": "Concatenate", "sum": "Add", "mul": "Multiply", "ave": "Average"}


def with_both_directions(layer: Layer) -> Layer:
    """The layer with its backward direction stated: the forward one with go_backwards flipped, unless stored."""
    if layer.class_name != "Bidirectional" or "backward" in layer.slots:
        return layer
    forward = layer.slots["forward"]
    backward = moved_layer(forward, (*layer.path, "backward"))
    flipped = {**backward.config, "go_backwards": not forward.config.get("go_backwards", False)}
    return replace(layer, slots={"forward": forward, "backward": replace(backward, config=flipped)})


def keep_legacy_masked_steps(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Splits a masked Bidirectional into its directions if tf-keras would output other values at masked steps."""
    layer = rewrite.layer
    if layer.class_name != "Bidirectional":
        return rewrite
    forward = layer.slots["forward"]
    sequences = bool(forward.config.get("return_sequences"))
    if forward.config.get("time_major"):
        _refuse_masked_last(layer, forward, context)
        if sequences and context.release < (2, 3):
            zeros = context.masked and not _repeats_for_cudnn(forward, context)
            return _taken_apart(rewrite, zero_masked_last=False, zeros=zeros)
    if not context.masked:
        return rewrite
    if sequences and (context.runtime.family is Family.KERAS or _repeats_for_cudnn(forward, context)):
        return _taken_apart(rewrite, zero_masked_last=False)
    if context.runtime.family is Family.KERAS and writes_state_when_masked(context) and _has_states(layer):
        return _taken_apart(rewrite, zero_masked_last=False)
    if context.runtime.family is Family.TF_KERAS and not sequences and forward.config.get("zero_output_for_mask"):
        return _taken_apart(rewrite, zero_masked_last=True)
    return rewrite


def _refuse_masked_last(layer: Layer, forward: Layer, context: RewriteContext) -> None:
    """Raises MigrationError `unsupported_layer` for the last outputs of TensorFlow 1.13 under a mask, time-major."""
    if context.masked and not forward.config.get("return_sequences") and forward.config.get("zero_output_for_mask"):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            "A time-major Bidirectional that returns its last output under a mask is not supported",
            layer=layer.path,
            advice="Rebuild the model with the time on the second axis.",
        )


def _has_states(layer: Layer) -> bool:
    return any(len(call.inputs) > 1 for call in layer.calls)


def _repeats_for_cudnn(half: Layer, context: RewriteContext) -> bool:
    """True for LSTM and GRU of TensorFlow 2.0 and 2.1 that cuDNN could run, which ignore `zero_output_for_mask`."""
    config = half.config
    return (
        context.release in ((2, 0), (2, 1))
        and half.class_name in ("LSTM", "GRU")
        and config.get("activation") == "tanh"
        and config.get("recurrent_activation") == "sigmoid"
        and not config.get("recurrent_dropout")
        and bool(config.get("use_bias", True))
        and (half.class_name == "LSTM" or bool(config.get("reset_after")))
    )


def _taken_apart(rewrite: LayerRewrite, zero_masked_last: bool, zeros: bool = False) -> LayerRewrite:
    """The directions as separate layers.

    Args:
        rewrite: of a Bidirectional.
        zero_masked_last: a direction whose last step is masked outputs zeros.
        zeros: masked steps of a returned sequence are zero.
    """
    layer = rewrite.layer
    builder = SubgraphBuilder(layer)
    x, *states = builder.inputs
    half = len(states) // 2
    outputs: list[TensorRef] = []
    final_states: list[TensorRef] = []
    for slot, initial in (("forward", states[:half]), ("backward", states[half:])):
        values, finals = _half(builder, layer.slots[slot], slot, (x, *initial), zero_masked_last, zeros)
        outputs.append(values)
        final_states.extend(finals)
    merged = _merged(builder, layer, outputs)
    detail = "the last output of a direction is zero if its last step is masked"
    if not zero_masked_last:
        detail = "masked steps are zero" if zeros else "masked steps repeat the previous output"
    if layer.slots["forward"].config.get("time_major"):
        detail += "; time-major, but the second axis is reversed, as before TensorFlow 2.3"
    return rewrite.rewritten(builder.finish(*merged, *final_states), "bidirectional_masked_steps", detail)


def _half(
    builder: SubgraphBuilder,
    half: Layer,
    slot: str,
    inputs: tuple[TensorRef, ...],
    zero_masked_last: bool,
    zeros: bool,
) -> tuple[TensorRef, list[TensorRef]]:
    """One direction: its outputs in time order, and its final states.

    The direction is then a separate recurrent layer, and the rewrites of such layers apply to it.
    """
    if zero_masked_last:
        config = {**half.config, "return_sequences": True, "zero_output_for_mask": True}
        out = builder.place(replace(half, config=config), slot, *inputs)
        values = builder.add_op("last_step", f"{slot}_last", out)
    else:
        config = {**half.config, "zero_output_for_mask": zeros}
        out = values = builder.place(replace(half, config=config), slot, *inputs)
        if slot == "backward" and half.config.get("return_sequences"):
            values = builder.add_op("reverse", "backward_in_time_order", values, axis=[1])
    return values, [replace(out, tensor=1 + index) for index in range(_state_count(half))]


def _state_count(half: Layer) -> int:
    if not half.config.get("return_state"):
        return 0
    if half.class_name == "RNN":
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER, "Bidirectional(RNN) with states under a mask is not supported", layer=half.path
        )
    return returned_states(half)


def _merged(builder: SubgraphBuilder, layer: Layer, outputs: list[TensorRef]) -> list[TensorRef]:
    mode = layer.config.get("merge_mode", "concat")
    if mode is None:
        if layer.slots["forward"].config.get("return_sequences"):
            return [outputs[0], builder.with_mask_of(outputs[0], outputs[1], "backward_masked")]
        return outputs
    if mode not in _MERGE_LAYERS:
        raise MigrationError(Reason.INVALID_CONFIG, f"merge_mode is {mode!r}", layer=layer.path)
    return [builder.add(_MERGE_LAYERS[mode], "merge", {"axis": -1} if mode == "concat" else {}, *outputs)]
