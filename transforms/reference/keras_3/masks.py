"""Masks of Keras 3: `_keras_mask` of tensors, and the masks that a call names itself.

A named mask replaces the masks of the call's inputs. Merge layers propagate the logical or of their masks, and none if
an input has none; before Keras 3.7 they differed, which is not covered. Sources: `Layer.__call__` in
keras/src/layers/layer.py, keras/src/layers/merging/ (3.7, 3.12, 3.15).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered, StatelessLayer
from transforms.reference.layers.core_layers import TRAINING_ONLY, counted_steps
from transforms.reference.masks.propagation import LOOKS_AT_MASKS, any_mask

#: Layers of `supports_masking` with the default `compute_mask`.
_PROPAGATE = frozenset(
    """
    Activation BatchNormalization Dense ELU GroupNormalization Identity LayerNormalization LeakyReLU PReLU ReLU
    Rescaling Softmax UnitNormalization
    """.split()
) | frozenset(TRAINING_ONLY)

_ELEMENTWISE = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")

LOOKS_AT_MASKS_IN_KERAS_3 = LOOKS_AT_MASKS | {"Multiply", "Maximum", "Minimum"}


def keras_3_output_mask(call: LayerCall, writer: Writer) -> Mask:
    """The mask of the output of a stateless layer. Raises NotCovered if releases of Keras 3 differ."""
    rule = _RULES.get(call.class_name)
    if rule is not None:
        return rule(call)
    return call.masks[0] if call.class_name in _PROPAGATE else None


def _merged(call: LayerCall) -> Mask:
    _refuse_early(call)
    masks = [mask for mask in call.masks if mask is not None]
    if len(masks) < len(call.masks):
        return None
    if len({mask.shape for mask in masks}) > 1:
        raise NotCovered(f"merged masks of shapes {[mask.shape for mask in masks]}", call.path)
    return np.asarray(reduce(np.logical_or, masks))


def _concatenated(call: LayerCall) -> Mask:
    """The masks in the shapes of their inputs, concatenated like these; then `any` over the last axis."""
    _refuse_early(call)
    if not any_mask(call.masks):
        return None
    shaped = []
    for x, mask in zip(call.inputs, call.masks, strict=True):
        wide = mask if mask is None or mask.ndim == x.ndim else mask[..., np.newaxis]
        shaped.append(np.ones(x.shape, dtype=bool) if wide is None else np.broadcast_to(wide, x.shape))
    return np.asarray(np.concatenate(shaped, axis=call.option("axis", -1)).any(axis=-1))


def _refuse_early(call: LayerCall) -> None:
    if any_mask(call.masks) and call.runtime.version < (3, 7):
        raise NotCovered("a mask on a merge layer of Keras before 3.7", call.path)


def _attention(call: LayerCall) -> Mask:
    _refuse_early(call)
    return call.masks[0]


_RULES: Mapping[str, Callable[[LayerCall], Mask]] = {
    "Masking": lambda call: np.asarray(counted_steps(call)),
    "Embedding": lambda call: np.asarray(call.x != 0) if call.option("mask_zero", False) else None,
    **dict.fromkeys(_ELEMENTWISE, _merged),
    "Concatenate": _concatenated,
    **dict.fromkeys(("Attention", "AdditiveAttention"), _attention),
}


def masked_product() -> StatelessLayer:
    """Multiply: a masked entry counts as 1; if all inputs have masks, entries masked in all of them give 0.

    Inputs that get further axes to match the others lose their masks (`_Merge.call`, `Multiply._merge_function`).
    """

    def layer(call: LayerCall) -> Array:
        rank = max(x.ndim for x in call.inputs)
        if any_mask(call.masks) and call.runtime.version < (3, 7):
            raise NotCovered("a mask on Multiply of Keras before 3.7", call.path)
        inputs = [x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in call.inputs]
        masks = [
            _shaped(mask, x, call) if x.ndim == rank else None for x, mask in zip(call.inputs, call.masks, strict=True)
        ]
        y = reduce(np.multiply, (_or_one(x, mask) for x, mask in zip(inputs, masks, strict=True)))
        present = [mask for mask in masks if mask is not None]
        return np.asarray(y if len(present) < len(masks) else np.where(reduce(np.logical_or, present), y, 0.0))

    return layer


def _or_one(x: Array, mask: Mask) -> Array:
    return x if mask is None else np.where(mask, x, 1.0)


def _shaped(mask: Mask, x: Array, call: LayerCall) -> Mask:
    if mask is None:
        return None
    if mask.ndim != x.ndim - 1:
        raise NotCovered(f"a mask of shape {mask.shape} on {call.class_name} of shape {x.shape}", call.path)
    return np.broadcast_to(mask[..., np.newaxis], x.shape)


def refusing_masks(plain: StatelessLayer) -> StatelessLayer:
    """A layer that the reference covers only without masks."""

    def layer(call: LayerCall) -> Array:
        if any_mask(call.masks):
            raise NotCovered(f"a mask on {call.class_name}", call.path)
        return plain(call)

    return layer
