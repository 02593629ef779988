"""The mask handling of each Keras 3 layer, as layers and functions of a canonical graph.

Rules are those of `Layer.__call__` in keras/src/layers/layer.py and of `compute_mask` of each layer. A rule receives
the masks of a call's inputs as tensors, and leaves no mask on the layer that tf-keras would propagate by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from transforms.architecture.attention import ATTENTION_MASK, MULTI_HEAD
from transforms.architecture.graph import Call, Layer, LayerPath, TensorRef
from transforms.canonical.subgraph import TENSOR_OP
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.registry import SPECS
from transforms.records.expression import MASKS_AS_INPUTS, TRANSLATION, Translation

MaskRef: TypeAlias = TensorRef | None

#: Layers that apply the mask of a sequence, and propagate it where they return one.
RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional"})
CONVOLUTIONAL = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})


@dataclass
class MaskedCall:
    """One call of a layer during the conversion to named masks.

    Attributes:
        layer: as stored.
        index: which of the layer's calls it is.
        call: with unmasked inputs, and without the argument `mask`.
        masks: of each input.
        named: True where the call names its mask itself.
        outputs: the mask of each output that has one; filled by the rule.
        unmask: outputs on which tf-keras would leave a mask; filled by the rule.
        added: layers added beside it; filled by the rule.
    """

    layer: Layer
    index: int
    call: Call
    masks: Sequence[MaskRef]
    named: bool
    graph_path: LayerPath
    outputs: dict[int, TensorRef] = field(default_factory=dict)
    unmask: tuple[int, ...] = ()
    added: list[Layer] = field(default_factory=list)

    def add(self, op: str, suffix: str, *inputs: TensorRef, **options: Any) -> TensorRef:
        """A TensorFlow function beside the layer. Returns its output."""
        name = f"{self.layer.name}_{suffix}" + (f"_{self.index}" if self.index else "")
        config = {"op": op, "options": options}
        self.added.append(Layer(TENSOR_OP, name, (*self.graph_path, name), config, (Call(inputs),)))
        return TensorRef(name)

    def refuse(self, message: str) -> MigrationError:
        """The error for masks that this program does not follow."""
        return MigrationError(
            Reason.UNSUPPORTED_LAYER,
            message,
            layer=self.layer.path,
            advice="Rebuild the model without a mask there.",
        )


#: Maps a call to the layer and the call that replace it.
MaskRule: TypeAlias = Callable[[MaskedCall], tuple[Layer, Call]]


def rule_of(class_name: str) -> MaskRule:
    """The rule of a class; layers without one drop the mask."""
    if class_name in SPECS and SPECS[class_name].propagates_mask:
        return _handed_on
    return _RULES.get(class_name, _dropped)


def _dropped(at: MaskedCall) -> tuple[Layer, Call]:
    return at.layer, at.call


def _handed_on(at: MaskedCall) -> tuple[Layer, Call]:
    if at.masks and at.masks[0] is not None:
        at.outputs[0] = at.masks[0]
    return at.layer, at.call


def _masking(at: MaskedCall) -> tuple[Layer, Call]:
    value = float(at.layer.config.get("mask_value") or 0.0)
    at.outputs[0] = at.add("counted_steps", "steps", *at.call.inputs, mask_value=value)
    config = {"op": "counted_values", "options": {"mask_value": value}}
    return replace(at.layer, class_name=TENSOR_OP, config=config), at.call


def _embedding(at: MaskedCall) -> tuple[Layer, Call]:
    if not at.layer.config.get("mask_zero"):
        return at.layer, at.call
    at.outputs[0] = at.add("not_zero", "steps", *at.call.inputs)
    return replace(at.layer, config={**at.layer.config, "mask_zero": False}), at.call


def _recurrent(at: MaskedCall) -> tuple[Layer, Call]:
    """The mask is applied, unless states are given and the call does not name it; a sequence output propagates it."""
    mask = at.masks[0]
    if mask is None:
        return at.layer, at.call
    sequences = at.layer.slots.get("forward", at.layer).config.get("return_sequences")
    apart = at.layer.class_name == "Bidirectional" and at.layer.config.get("merge_mode", "concat") is None
    if sequences:
        at.outputs.update(dict.fromkeys((0, 1) if apart else (0,), mask))
    if len(at.call.inputs) > 1 and not at.named:
        return at.layer, at.call
    if any(half.config.get("unroll") and half.config.get("go_backwards") for half in _zeroing(at.layer)):
        raise at.refuse("An unrolled layer that reads backwards and outputs zeros at masked steps is not supported")
    at.unmask = tuple(at.outputs)
    return at.layer, replace(at.call, kwargs={**at.call.kwargs, "mask": mask})


def _zeroing(layer: Layer) -> list[Layer]:
    halves = list(layer.slots.values()) if layer.class_name == "Bidirectional" else [layer]
    return [half for half in halves if half.config.get("zero_output_for_mask")]


def _pooling(at: MaskedCall) -> tuple[Layer, Call]:
    mask = at.masks[0]
    return at.layer, at.call if mask is None else replace(at.call, kwargs={**at.call.kwargs, "mask": mask})


def _attention(at: MaskedCall) -> tuple[Layer, Call]:
    if not any(at.masks):
        return at.layer, at.call
    if at.masks[0] is not None:
        at.outputs[0] = at.masks[0]
        at.unmask = (0,)
    return at.layer, replace(at.call, kwargs={**at.call.kwargs, "mask": [*at.masks]})


def _multi_head(at: MaskedCall) -> tuple[Layer, Call]:
    """If query, value or key are masked, a fourth input states which target attends to which source."""
    masks, config = at.masks[:3], at.layer.config
    named = config.get(ATTENTION_MASK) is not None
    # Their Softmax gives zeros for a target that attends to nothing, tf-keras equal shares.
    if (any(masks) or named) and (config.get("dropout") or config.get("return_attention_scores")):
        raise at.refuse("MultiHeadAttention under a mask with dropout or scores, of Keras 3, is not supported")
    if not any(masks):
        return at.layer, at.call
    present = [mask for mask in masks if mask is not None]
    if named:
        raise at.refuse("MultiHeadAttention with a mask of its own beside those of its inputs is not supported")
    options = {"masked": [mask is not None for mask in masks]}
    seen = at.add("attention_mask", "seen", *present, **options)
    if masks[0] is not None:
        at.outputs[0] = masks[0]
    layer = replace(at.layer, config={**at.layer.config, ATTENTION_MASK: True})
    return layer, replace(at.call, inputs=(*at.call.inputs, seen))


def _function(at: MaskedCall) -> tuple[Layer, Call]:
    """A Lambda whose function, or that of its mask, looks at masks is given them, and may output one."""
    translation = at.layer.config.get(TRANSLATION)
    if not isinstance(translation, Translation) or not translation.by_mask:
        return at.layer, at.call
    masked = tuple(mask is not None for mask in at.masks)
    chosen = tuple(variant for variant in translation.variants if variant.masked == masked)
    if not chosen:
        raise at.refuse("The Lambda's function does not apply to inputs masked like this")
    if chosen[0].bears_mask:
        at.outputs[0] = TensorRef(at.layer.name, at.index, len(chosen[0].expression.outputs))
    config = {**at.layer.config, TRANSLATION: replace(translation, variants=chosen), MASKS_AS_INPUTS: True}
    present = [mask for mask in at.masks if mask is not None]
    return replace(at.layer, config=config), replace(at.call, inputs=(*at.call.inputs, *present))


def _refused(at: MaskedCall) -> tuple[Layer, Call]:
    if any(at.masks):
        raise at.refuse(f"A mask on {at.layer.class_name} is not supported")
    return at.layer, at.call


def _merged(at: MaskedCall) -> tuple[Layer, Call]:
    """The logical or of the masks; none if an input has none."""
    present = list(dict.fromkeys(mask for mask in at.masks if mask is not None))
    if present and len(at.masks) == sum(mask is not None for mask in at.masks):
        at.outputs[0] = present[0] if len(present) == 1 else at.add("any_mask", "mask", *present)
    return at.layer, at.call


def _product(at: MaskedCall) -> tuple[Layer, Call]:
    """A masked entry counts as 1; if all inputs have masks, entries masked in all of them give 0."""
    layer, call = _merged(at)
    present = [mask for mask in at.masks if mask is not None]
    if not present:
        return layer, call
    options = {"masked": [mask is not None for mask in at.masks]}
    layer = replace(layer, class_name=TENSOR_OP, config={"op": "masked_product", "options": options})
    return layer, replace(call, inputs=(*call.inputs, *present))


def _concatenated(at: MaskedCall) -> tuple[Layer, Call]:
    present = [mask for mask in at.masks if mask is not None]
    if present:
        options = {"masked": [mask is not None for mask in at.masks], "axis": at.layer.config.get("axis", -1)}
        at.outputs[0] = at.add("concatenated_mask", "mask", *at.call.inputs, *present, **options)
    return at.layer, at.call


def _time_distributed(at: MaskedCall) -> tuple[Layer, Call]:
    """The output keeps the mask; the inner layer receives one of a shape that no mask-reading layer accepts."""
    inner = at.layer.slots["layer"]
    if any(at.masks):
        looks = RECURRENT | CONVOLUTIONAL | {"Softmax", "GlobalAveragePooling1D"}
        if inner.graph is not None or inner.class_name in looks:
            raise at.refuse(f"A mask on TimeDistributed({inner.class_name}) is not supported")
    if inner.class_name == "Masking":
        raise at.refuse("TimeDistributed(Masking) is not supported")
    return _handed_on(at)


_RULES: Mapping[str, MaskRule] = {
    "Masking": _masking,
    "Lambda": _function,
    "Embedding": _embedding,
    **dict.fromkeys(RECURRENT, _recurrent),
    **dict.fromkeys((*CONVOLUTIONAL, "Softmax", "Maximum", "Minimum"), _refused),
    "GlobalAveragePooling1D": _pooling,
    MULTI_HEAD: _multi_head,
    **dict.fromkeys(("Attention", "AdditiveAttention"), _attention),
    **dict.fromkeys(("Add", "Subtract", "Average"), _merged),
    "Multiply": _product,
    "Concatenate": _concatenated,
    "TimeDistributed": _time_distributed,
}
