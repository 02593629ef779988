"""Mask propagation in Keras 1: `compute_mask` of its layers.

A layer that does not support masks refuses to be built on one, Dense among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from transforms.legacy.release import Writer
from transforms.reference.keras_1.merge import merge_mode
from transforms.reference.layer_call import LayerCall, Mask, NotCovered
from transforms.reference.layers.core_layers import counted_steps
from transforms.reference.layers.spatial_layer import is_theano
from transforms.reference.masks.propagation import any_mask, concatenated_masks

#: Stateless layers with `supports_masking` and the default `compute_mask`, which propagates the mask.
_PROPAGATE = frozenset(
    """
    Activation ActivityRegularization BatchNormalization Dropout ELU GaussianDropout GaussianNoise LeakyReLU PReLU
    ParametricSoftplus SReLU SpatialDropout1D SpatialDropout2D SpatialDropout3D ThresholdedReLU TimeDistributedDense
    """.split()
)


def keras_1_output_mask(call: LayerCall, writer: Writer) -> Mask:
    """The mask of the output of a stateless layer. Raises NotCovered if Keras 1 refuses the mask of an input."""
    del writer  # all of Keras 1 agrees
    rule = _RULES.get(call.class_name)
    if rule is not None:
        return rule(call)
    if not any_mask(call.masks):
        return None
    if call.class_name not in _PROPAGATE:
        raise NotCovered(f"a mask on {call.class_name}, which Keras 1 refuses", call.path)
    return call.masks[0]


def _embedding(call: LayerCall) -> Mask:
    """Ids != 0 with `mask_zero`, else no mask, whatever the input's."""
    return np.asarray(call.x != 0) if call.option("mask_zero", False) else None


def _merge(call: LayerCall) -> Mask:
    """`Merge.compute_mask`: dot and cos drop masks; sum, mul and ave take the logical and of the existing ones; max
    fails.
    """
    mode = merge_mode(call)
    if not any_mask(call.masks) or mode in ("dot", "cos"):
        return None
    if mode == "max":
        raise NotCovered("a mask on Merge with mode 'max', which Keras 1 refuses", call.path)
    if mode == "concat":
        return _concatenated(call)
    masks = [mask for mask in call.masks if mask is not None]
    if len({mask.shape for mask in masks}) > 1:
        raise NotCovered(f"merged masks of shapes {[mask.shape for mask in masks]}", call.path)
    return np.asarray(np.logical_and.reduce(masks))


def _concatenated(call: LayerCall) -> Mask:
    """The masks concatenated along `concat_axis`.

    Keras 1 makes a missing mask of integers, which TensorFlow does not concatenate with booleans.
    """
    if any(mask is None for mask in call.masks) and not is_theano(call):
        raise NotCovered("masked and unmasked inputs concatenated on TensorFlow, which refuses them", call.path)
    try:
        return concatenated_masks(call, call.option("concat_axis", -1))
    except ValueError as error:
        raise NotCovered(f"masks that do not concatenate: {error}", call.path) from error


_RULES: Mapping[str, Callable[[LayerCall], Mask]] = {
    "Masking": counted_steps,
    "Embedding": _embedding,
    "Merge": _merge,
}
