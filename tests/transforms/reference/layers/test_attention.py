"""Attention layers against loops over queries and values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers.attention import ATTENTION


def slow_attention(scores: Array, value: Array, allowed: Array) -> Array:
    """For each query, the mean of the allowed values weighted by exp(score)."""
    result = np.zeros((*scores.shape[:2], value.shape[-1]))
    for n, q in np.ndindex(*scores.shape[:2]):
        weights = [math.exp(s) if a else 0.0 for s, a in zip(scores[n, q], allowed[n, q], strict=True)]
        result[n, q] = sum(w * v for w, v in zip(weights, value[n], strict=True)) / sum(weights)
    return result


@pytest.mark.parametrize("keys", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("additive", [False, True])
def test_scores_and_masks(keys: bool, causal: bool, additive: bool) -> None:
    query, value, key = random_array(2, 4, 3), random_array(2, 5, 3), random_array(2, 5, 3, seed=1)
    query_mask = np.array([[True] * 4, [True, True, False, False]])
    value_mask = np.array([[True] * 5, [True, True, True, False, False]])
    scale = random_array(3) if additive else np.array(0.7)
    name = "AdditiveAttention" if additive else "Attention"
    inputs = [query, value, key] if keys else [query, value]
    config = {"causal": causal, "use_scale": True}
    call = layer_call(
        name, inputs, config, {"scale": scale}, masks=[query_mask, value_mask, None][: len(inputs)], version="2.4.0"
    )
    used = key if keys else value
    scores = np.zeros((2, 4, 5))
    for n, q, v in np.ndindex(2, 4, 5):
        pair = np.tanh(query[n, q] + used[n, v]) if additive else query[n, q] * used[n, v]
        scores[n, q, v] = np.sum(pair * scale)
    allowed = np.array(
        [[[value_mask[n, v] and (v <= q or not causal) for v in range(5)] for q in range(4)] for n in (0, 1)]
    )
    expected = slow_attention(scores, value, allowed)
    expected[~query_mask] = 0
    np.testing.assert_allclose(ATTENTION[name](call), expected, atol=1e-12)


def test_a_row_without_values_averages_them() -> None:
    query, value = random_array(1, 2, 3), random_array(1, 4, 3)
    call = layer_call("Attention", [query, value], masks=[None, np.zeros((1, 4), dtype=bool)], version="2.4.0")
    np.testing.assert_allclose(ATTENTION["Attention"](call), np.repeat(value.mean(axis=1, keepdims=True), 2, axis=1))


@pytest.mark.parametrize(
    ("name", "config", "count"),
    [
        ("Attention", {"score_mode": "concat"}, 2),
        ("Attention", {}, 1),
    ],
)
def test_what_is_not_known_is_not_answered(name: str, config: dict[str, Any], count: int) -> None:
    with pytest.raises(NotCovered):
        ATTENTION[name](layer_call(name, [random_array(1, 2, 3)] * count, config, version="2.8.0"))
