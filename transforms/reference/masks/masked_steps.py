"""The output of a recurrent layer at a masked step, by runtime."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from transforms.legacy.release import Writer
from transforms.reference.layer_call import LayerCall, NotCovered


class MaskedOutput(Enum):
    """Output at a masked step. The states are always unchanged."""

    #: The output of the previous step, zeros at the first (`K.rnn` of tf.keras, of Keras 2.2.5 and later, of Theano).
    PREVIOUS = "previous"
    #: The first state: the same, but at the first step the initial state (`K.rnn` on TensorFlow before Keras 2.2.5).
    STATE = "state"
    #: Zeros (`zero_output_for_mask` of tf.keras).
    ZERO = "zero"


def masked_output(call: LayerCall, writer: Writer) -> MaskedOutput:
    """The output at a masked step of a recurrent layer that is not inside Bidirectional."""
    if not any(mask is not None for mask in call.masks[:1]):
        return MaskedOutput.PREVIOUS
    if writer.standalone is not None:
        by_state = writer.backend == "tensorflow" and writer.standalone < (2, 2, 5) and not call.option("unroll", False)
        return MaskedOutput.STATE if by_state else MaskedOutput.PREVIOUS
    if call.option("zero_output_for_mask", False) and not _ignores_zero_output(call, writer):
        return MaskedOutput.ZERO
    return MaskedOutput.PREVIOUS


def masked_output_in_bidirectional(call: LayerCall, writer: Writer) -> MaskedOutput:
    """The output at a masked step of a layer inside Bidirectional.

    Standalone Keras handles it like any other layer. tf.keras 1.13 outputs zeros, also as the last output; later
    ones (`force_zero_output_for_mask`) only where it returns sequences.
    """
    if writer.standalone is not None or call.masks[0] is None:
        return masked_output(call, writer)
    if writer.agree_on(lambda release: release < (1, 13), "masking in Bidirectional", call.path):
        raise NotCovered("a masked Bidirectional of tf.keras before 1.13", call.path)
    always = not call.option("return_sequences", False) and writer.agree_on(
        lambda release: release == (1, 13), "the last output of a masked Bidirectional", call.path
    )
    forced = replace(
        call, config={**call.config, "zero_output_for_mask": always or call.option("return_sequences", False)}
    )
    return masked_output(forced, writer)


def _ignores_zero_output(call: LayerCall, writer: Writer) -> bool:
    """True for LSTM and GRU of TensorFlow 2.0 and 2.1 that cuDNN could run (`recurrent_v2.py`), which ignore it."""
    if call.class_name not in ("LSTM", "GRU", "UnifiedLSTM", "UnifiedGRU"):
        return False
    for_cudnn = (
        call.option("activation", "tanh") == "tanh"
        and call.option("recurrent_activation", "sigmoid") == "sigmoid"
        and not call.option("recurrent_dropout", 0.0)
        and not call.option("unroll", False)
        and call.option("use_bias", True)
        and (not call.class_name.endswith("GRU") or call.option("reset_after", True))
    )
    return for_cudnn and writer.agree_on(
        lambda release: (2, 0) <= release <= (2, 1), "whether a masked step is zero", call.path
    )
