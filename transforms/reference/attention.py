"""Attention, AdditiveAttention and MultiHeadAttention of tf.keras.

Inputs are a query (n, q, d), values (n, v, d) and, where they differ from the values, keys (n, v, d).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer


def _softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _dot_scores(call: LayerCall, query: Array, key: Array) -> Array:
    """Luong: q . k, times the learned scalar where use_scale is set."""
    if call.option("score_mode", "dot") != "dot":
        raise NotCovered(f"score_mode {call.option('score_mode', 'dot')!r}", call.path)
    scores = query @ np.swapaxes(key, -1, -2)
    return np.asarray(scores * call.weights["scale"]) if "scale" in call.weights else scores


def _additive_scores(call: LayerCall, query: Array, key: Array) -> Array:
    """Bahdanau: sum over d of scale[d] * tanh(q[d] + k[d])."""
    summed = np.tanh(query[..., :, np.newaxis, :] + key[..., np.newaxis, :, :])
    return np.asarray((summed * call.weights["scale"] if "scale" in call.weights else summed).sum(axis=-1))


def _attend(call: LayerCall, scores: Array, value: Array) -> Array:
    """softmax(scores) @ value, zero where the query is masked (`BaseDenseAttention` of `dense_attention.py`)."""
    masks = (*call.masks, None, None)
    query_mask, value_mask = masks[0], masks[1]
    allowed = np.ones(scores.shape, dtype=bool)
    if value_mask is not None:
        allowed &= value_mask[:, np.newaxis, :]
    if call.option("causal", False):
        allowed &= np.tri(*scores.shape[-2:]).astype(bool)
    result = _softmax(_suppress(scores, allowed)) @ value
    return result if query_mask is None else result * query_mask[..., np.newaxis]


def _suppress(scores: Array, allowed: Array) -> Array:
    """Scores minus 1e9 where they do not count, as float32 holds it.

    Where a whole row does not count, float32 leaves next to nothing of the scores and the weights come out even;
    float64 would still rank them.
    """
    lowered = scores.astype(np.float32) - np.float32(1e9)
    return np.where(allowed, scores, lowered.astype(np.float64))


def _split(call: LayerCall) -> tuple[Array, Array, Array]:
    """Query, value and key; the key defaults to the value."""
    if len(call.inputs) not in (2, 3):
        raise NotCovered(f"{call.class_name} of {len(call.inputs)} inputs", call.path)
    query, value, *rest = (np.asarray(x, dtype=np.float64) for x in call.inputs)
    return query, value, rest[0] if rest else value


def _attention(call: LayerCall) -> Array:
    query, value, key = _split(call)
    return _attend(call, _dot_scores(call, query, key), value)


def _additive_attention(call: LayerCall) -> Array:
    query, value, key = _split(call)
    return _attend(call, _additive_scores(call, query, key), value)


def _multi_head_attention(call: LayerCall) -> Array:
    """MultiHeadAttention over one axis, without masks.

    Each projection is x . kernel + bias with kernels (d, heads, size); the heads attend apart, with the query
    divided by sqrt(key_dim), and are put together by an output kernel (heads, size, d').
    """
    query, value, key = _split(call)
    if any(mask is not None for mask in call.masks):
        raise NotCovered("MultiHeadAttention with a mask, which releases treat differently", call.path)
    if call.config.get("attention_axes") not in (None, [1], (1,)) or query.ndim != 3:
        raise NotCovered("MultiHeadAttention over other axes than one", call.path)
    if "query_kernel" not in call.weights:
        raise NotCovered("MultiHeadAttention whose arrays have no roles", call.path)
    q, k, v = (_project(call, name, x) for name, x in (("query", query), ("key", key), ("value", value)))
    scores = np.einsum("nqhd,nvhd->nhqv", q / np.sqrt(float(call.config["key_dim"])), k)
    heads = np.einsum("nhqv,nvhd->nqhd", _softmax(scores), v)
    output = np.tensordot(heads, call.weights["attention_output_kernel"], axes=2)
    bias = call.weights.get("attention_output_bias")
    return output if bias is None else output + bias


def _project(call: LayerCall, name: str, x: Array) -> Array:
    """Maps x (n, t, d) to (n, t, heads, size)."""
    projected = np.tensordot(x, call.weights[f"{name}_kernel"], axes=1)
    bias = call.weights.get(f"{name}_bias")
    return projected if bias is None else projected + bias


ATTENTION: Mapping[str, StatelessLayer] = {
    "Attention": _attention,
    "AdditiveAttention": _additive_attention,
    "MultiHeadAttention": _multi_head_attention,
}
