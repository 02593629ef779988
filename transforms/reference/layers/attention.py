"""Attention and AdditiveAttention of tf.keras.

Inputs are a query (n, q, d), values (n, v, d) and, if they differ from the values, keys (n, v, d).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer


def _softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _dot_scores(call: LayerCall, query: Array, key: Array) -> Array:
    """Luong: q . k, times the learned scalar if use_scale is set."""
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
    result = attention_weights(scores, allowed) @ value
    return result if query_mask is None else result * query_mask[..., np.newaxis]


def attention_weights(scores: Array, allowed: Array | None) -> Array:
    """Softmax over the last axis, close to 0 where a target may not attend; None allows all."""
    return _softmax(scores if allowed is None else _suppress(scores, allowed))


def _suppress(scores: Array, allowed: Array) -> Array:
    """Scores minus 1e9 where masked, in float32.

    If a whole row is masked, float32 rounds the scores away and the weights are equal; float64 would still rank them.
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


ATTENTION: Mapping[str, StatelessLayer] = {
    "Attention": _attention,
    "AdditiveAttention": _additive_attention,
}
