"""MultiHeadAttention of tf.keras and Keras 3, over one axis or several, with masks.

Query (n, ..., d), value and key (n, ..., d'). Each projection is x . kernel + bias with kernels (d, heads, size); the
heads attend separately, the query divided by sqrt(key_dim), and are combined by a kernel (heads, size, ...). Source:
keras/layers/attention/multi_head_attention.py (2.9, 2.10, 2.15, 3.15).
"""

from __future__ import annotations

import numpy as np

from transforms.architecture.attention import ATTENTION_MASK
from transforms.architecture.graph import Layer
from transforms.records.runtime import Family
from transforms.reference.dialect import Evaluator, Tensors
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered
from transforms.reference.layers.attention import attention_weights
from transforms.reference.masks.propagation import any_mask


def multi_head_attention(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """The output and, if requested, the attention weights (n, free axes..., heads, targets..., sources...)."""
    call = evaluator.layer_call(layer, inputs)
    query, value, key = (np.asarray(x, dtype=np.float64) for x in inputs.values[:3])
    masks = inputs.masks[:3] if _looks_at_masks(call) else (None, None, None)
    over = _attention_axes(call, query.ndim)
    q, k, v = (_heads_first(_project(call, *pair), over) for pair in (("query", query), ("key", key), ("value", value)))
    scores = q / np.sqrt(float(call.config["key_dim"])) @ np.swapaxes(k, -1, -2)
    allowed = _allowed(call, inputs, masks, scores)
    weights = attention_weights(scores, allowed)
    output = _heads_last(weights @ v, over, query.shape)
    output = np.tensordot(output, call.weights["attention_output_kernel"], axes=2)
    if "attention_output_bias" in call.weights:
        output = output + call.weights["attention_output_bias"]
    if not call.option("return_attention_scores", False):
        return Tensors((output,), (masks[0],))
    extents = [[x.shape[axis] for axis in over] for x in (query, value)]
    return Tensors((output, weights.reshape(*weights.shape[:-2], *extents[0], *extents[1])), (masks[0], None))


def _looks_at_masks(call: LayerCall) -> bool:
    """tf.keras applies the masks of its inputs, and propagates that of the query, since 2.10."""
    return call.runtime.family is Family.KERAS_3 or call.runtime.version >= (2, 10)


def _attention_axes(call: LayerCall, rank: int) -> tuple[int, ...]:
    stored = call.option("attention_axes", None)
    if stored is None:
        return tuple(range(1, rank - 1))
    axes = [stored] if isinstance(stored, int) else stored
    return tuple(axis % rank for axis in axes)


def _project(call: LayerCall, name: str, x: Array) -> Array:
    """Maps x (n, ..., d) to (n, ..., heads, size)."""
    projected = np.tensordot(x, call.weights[f"{name}_kernel"], axes=1)
    bias = call.weights.get(f"{name}_bias")
    return projected if bias is None else projected + bias


def _order(rank: int, over: tuple[int, ...]) -> list[int]:
    """The axes of (n, ..., heads, size), with those attended over after the heads, in the order of `over`."""
    free = [axis for axis in range(rank - 2) if axis not in over]
    return [*free, rank - 2, *over, rank - 1]


def _heads_first(x: Array, over: tuple[int, ...]) -> Array:
    """(n, ..., heads, size) to (n, free axes..., heads, steps, size)."""
    turned = x.transpose(_order(x.ndim, over))
    return turned.reshape(*turned.shape[: x.ndim - 1 - len(over)], -1, x.shape[-1])


def _heads_last(x: Array, over: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """The inverse of `_heads_first`, for an input of a shape."""
    rank = len(shape) + 1
    split = x.reshape(*x.shape[:-2], *(shape[axis] for axis in over), x.shape[-1])
    return split.transpose(np.argsort(_order(rank, over)))


def _allowed(call: LayerCall, inputs: Tensors, masks: tuple[Mask, ...], scores: Array) -> Array | None:
    """True where a target may attend to a source, broadcast to (n, heads, targets, sources); None if all may."""
    parts = []
    if masks[0] is not None:
        parts.append(masks[0][:, np.newaxis, :, np.newaxis])
    parts += [mask[:, np.newaxis, np.newaxis, :] for mask in masks[1:] if mask is not None]
    if call.option("use_causal_mask", False):
        parts.append(np.tri(*scores.shape[-2:]).astype(bool))
    stated = call.config.get(ATTENTION_MASK)
    if stated is not None:
        given = np.asarray(inputs.values[3] if stated is True else stated)
        if not np.isin(given, (0, 1)).all():
            raise NotCovered("a mask of MultiHeadAttention that is neither true nor false", call.path)
        given = given.astype(bool)
        parts.append(given[:, np.newaxis] if given.ndim == 3 else given)
    if not parts:
        return None
    if inputs.values[0].ndim != 3 or any_mask(inputs.masks[3:]):
        raise NotCovered("a mask on MultiHeadAttention over several axes", call.path)
    return np.asarray(np.broadcast_to(np.logical_and.reduce(np.broadcast_arrays(*parts)), scores.shape))
