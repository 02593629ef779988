"""Mask propagation: which layers create a mask, propagate, combine or drop one, and which ignore masks.

A mask is boolean, (n, t) for a sequence, True for unmasked steps. The rules are those of `compute_mask` of each
runtime. Standalone Keras, and tf.keras up to 1.14, refuse to build a model in which a mask reaches a layer that does
not support it; tf.keras from 1.15 on drops the mask there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from transforms.architecture.graph import LayerPath
from transforms.legacy.release import Writer
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered, Refused
from transforms.reference.layers.core_layers import TRAINING_ONLY, counted_steps

#: Layers that propagate the mask of their input in every runtime (`supports_masking`, default `compute_mask`).
_PROPAGATE = frozenset(
    {
        "Activation",
        "BatchNormalization",
        "BatchNormalizationV1",
        "BatchNormalizationV2",
        "Dense",
        "ELU",
        "GroupNormalization",
        "LayerNormalization",
        "LeakyReLU",
        "PReLU",
        "Softmax",
        "SyncBatchNormalization",
        "ThresholdedReLU",
        "UnitNormalization",
        *TRAINING_ONLY,
    }
)


#: Stateless layers whose result depends on masks. Others ignore masks.
LOOKS_AT_MASKS = frozenset({"Softmax", "GlobalAveragePooling1D", "Attention", "AdditiveAttention"})


def output_mask(call: LayerCall, writer: Writer) -> Mask:
    """The mask of the output of a stateless layer.

    Raises NotCovered if no candidate runtime accepts the masks, or if the candidates differ.
    """
    rule = _RULES.get(call.class_name)
    if rule is not None:
        return rule(call, writer)
    if not any_mask(call.masks):
        return None
    if propagates_mask(call.class_name, writer, call.path):
        return call.masks[0]
    if refuses_strangers(writer):
        raise Refused(f"a mask on {call.class_name}, which that runtime refuses", call.path)
    return None


def any_mask(masks: Sequence[Mask]) -> bool:
    """True if any mask is given."""
    return any(mask is not None for mask in masks)


def propagates_mask(class_name: str, writer: Writer, path: LayerPath) -> bool:
    """True if the default rule propagates a mask. ReLU since TensorFlow 2.5; in standalone Keras always."""
    if class_name == "ReLU":
        return writer.standalone is not None or writer.agree_on(
            lambda release: release >= (2, 5), "whether ReLU propagates a mask", path
        )
    return class_name in _PROPAGATE


def refuses_strangers(writer: Writer) -> bool:
    """True if a mask on a layer that does not support masks prevents the model from being built."""
    return writer.standalone is not None or all(release <= (1, 14) for release in writer.releases)


def _masking(call: LayerCall, writer: Writer) -> Mask:
    return counted_steps(call)


def _embedding(call: LayerCall, writer: Writer) -> Mask:
    """True where an id is not 0, with `mask_zero`, else no mask, whatever the input's."""
    return np.asarray(call.x != 0) if call.option("mask_zero", False) else None


def _global_average_pooling(call: LayerCall, writer: Writer) -> Mask:
    """Applies a mask (see `pooling`) and propagates none."""
    return None


def _merge(call: LayerCall, writer: Writer) -> Mask:
    """The logical and of the existing masks (`_Merge.compute_mask`)."""
    masks = [mask for mask in call.masks if mask is not None]
    if len({mask.shape for mask in masks}) > 1:
        raise Refused(f"merged masks of shapes {[mask.shape for mask in masks]}", call.path)
    return np.asarray(np.logical_and.reduce(masks)) if masks else None


def _concatenate(call: LayerCall, writer: Writer) -> Mask:
    """The masks concatenated like the inputs (`Concatenate.compute_mask`)."""
    if not any_mask(call.masks):
        return None
    try:
        return concatenated_masks(call, call.option("axis", -1))
    except ValueError as error:
        raise Refused(f"masks that do not concatenate: {error}", call.path) from error


def concatenated_masks(call: LayerCall, axis: int) -> Array:
    """The masks, each extended to the axes of its input, concatenated along `axis`; then `all` over the last axis.

    A missing mask is all True in the shape of its input; a mask of fewer axes than its input gets one of length 1.
    Raises ValueError if shapes do not concatenate.
    """
    shaped = []
    for x, mask in zip(call.inputs, call.masks, strict=True):
        if mask is None:
            shaped.append(np.ones(x.shape, dtype=bool))
        else:
            shaped.append(mask[..., np.newaxis] if mask.ndim < x.ndim else mask)
    return np.asarray(np.concatenate(shaped, axis=axis).all(axis=-1))


def _dot(call: LayerCall, writer: Writer) -> Mask:
    return None


def _merge_by_mode(call: LayerCall, writer: Writer) -> Mask:
    """`Merge.compute_mask` of keras/legacy/layers.py (2.1.6)."""
    mode = call.option("mode", "sum")
    if not any_mask(call.masks) or mode in ("dot", "cos"):
        return None
    if mode == "concat":
        raise NotCovered("masks on a Merge that concatenates", call.path)
    return _merge(call, writer)


def _attention(call: LayerCall, writer: Writer) -> Mask:
    """The mask of the query (`BaseDenseAttention.compute_mask`)."""
    return call.masks[0]


_RULES: Mapping[str, Callable[[LayerCall, Writer], Mask]] = {
    "Masking": _masking,
    "Embedding": _embedding,
    "GlobalAveragePooling1D": _global_average_pooling,
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _merge),
    "Concatenate": _concatenate,
    "Dot": _dot,
    "Merge": _merge_by_mode,
    **dict.fromkeys(("Attention", "AdditiveAttention"), _attention),
}
