"""TimeDistributed: one layer applied to every step of a sequence.

Runtimes fold the steps into the batch, (n, t, ...) -> (n t, ...), and unfold the result; if the batch size is fixed,
some of them loop instead, with the same values but other masks.
"""

from __future__ import annotations

import numpy as np

from transforms.architecture.graph import Layer, walk
from transforms.reference.dialect import Evaluator, Tensors
from transforms.reference.layer_call import Array, Mask, NotCovered, Refused
from transforms.reference.layers.recurrent_layers import CONVOLUTIONAL, RECURRENT
from transforms.reference.masks.propagation import propagates_mask


def time_distributed(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """One call of TimeDistributed, and the mask of its output."""
    if len(inputs.values) != 1:
        raise NotCovered(f"TimeDistributed of {len(inputs.values)} inputs", layer.path)
    x, mask = inputs.values[0], inputs.masks[0]
    if x.ndim < 3:
        raise NotCovered(f"TimeDistributed on an array of {x.ndim} axes", layer.path)
    inner = layer.slots["layer"]
    if evaluator.writer.standalone is None and any(each.config.get("stateful", False) for each in walk(inner)):
        raise NotCovered("TimeDistributed of a stateful layer, whose state tf.keras may carry along", layer.path)
    sees_mask = mask is not None and _hands_mask_inside(layer, evaluator)
    if sees_mask:
        _check_accepts(inner, evaluator)
    result = evaluator.run(inner, Tensors((_folded(x),), (_folded(mask) if sees_mask and mask is not None else None,)))
    values = tuple(y.reshape(*x.shape[:2], *y.shape[1:]) for y in result.values)
    if len(values) > 1 and (mask is not None or any(m is not None for m in result.masks)):
        raise NotCovered("a mask on TimeDistributed of several outputs", layer.path)
    if len(values) > 1:
        return Tensors.unmasked(*values)
    return Tensors(values, (_output_mask(layer, mask, _unfolded(result.masks[0], x), evaluator),))


def _folded(x: Array) -> Array:
    return x.reshape(-1, *x.shape[2:])


def _unfolded(mask: Mask, x: Array) -> Mask:
    return None if mask is None else mask.reshape(*x.shape[:2], *mask.shape[1:])


def _hands_mask_inside(layer: Layer, evaluator: Evaluator) -> bool:
    """True if the inner layer receives the folded mask (n, t, ...): since Keras 2.2.0, unless the runtime loops."""
    writer = evaluator.writer
    if writer.standalone is not None:
        return writer.standalone >= (2, 2) and not evaluator.fixed_batch
    if not evaluator.fixed_batch:
        return True
    return writer.agree_on(lambda release: release >= (1, 14), "a mask inside TimeDistributed", layer.path)


def _check_accepts(inner: Layer, evaluator: Evaluator) -> None:
    """`TimeDistributed.compute_mask` calls the inner layer's, which raises in every runtime if it accepts no mask."""
    if inner.graph is not None or inner.slots or inner.class_name in _TAKE_MASKS:
        return
    if not propagates_mask(inner.class_name, evaluator.writer, inner.path):
        raise Refused(f"a mask on TimeDistributed({inner.class_name}), which every runtime refuses", inner.path)


#: Layers with a `compute_mask` of their own.
_TAKE_MASKS = frozenset({"Embedding", "GlobalAveragePooling1D", "Masking"}) | RECURRENT | CONVOLUTIONAL


def _output_mask(layer: Layer, mask: Mask, inner_mask: Mask, evaluator: Evaluator) -> Mask:
    """The inner layer's mask; if it has none, the outer mask over its first two axes.

    Before Keras 2.2.0, and up to TensorFlow 2.1 if the batch size is fixed, the outer mask unchanged.
    """
    writer = evaluator.writer
    if writer.standalone is not None:
        as_it_came = evaluator.fixed_batch or writer.standalone < (2, 2)
    else:
        differs = inner_mask is not None or (mask is not None and mask.ndim > 2)
        as_it_came = (
            evaluator.fixed_batch
            and differs
            and writer.agree_on(lambda release: release < (2, 2), "the mask of TimeDistributed", layer.path)
        )
    if as_it_came:
        return mask
    if inner_mask is not None:
        return inner_mask
    return None if mask is None else np.asarray(mask.any(axis=tuple(range(2, mask.ndim))))
