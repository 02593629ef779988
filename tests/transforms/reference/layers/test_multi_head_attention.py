"""MultiHeadAttention against loops over heads, and which masks each release sees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import random_array
from tests.transforms.reference.layers.test_attention import slow_attention
from tests.transforms.reference.models import functional, node, parse, placeholder, weights
from transforms.architecture.attention import with_attention_arguments
from transforms.errors import MigrationError
from transforms.records.runtime import runtime_of
from transforms.reference import forward
from transforms.reference.layer_call import Array, NotCovered

WEIGHTS = {
    **{f"{part}_kernel": random_array(6, 2, 3, seed=i) for i, part in enumerate(("query", "key", "value"))},
    **{f"{part}_bias": random_array(2, 3, seed=i) for i, part in enumerate(("query", "key", "value"))},
    "attention_output_kernel": random_array(2, 3, 6),
    "attention_output_bias": random_array(6),
}


def attend(query: Array, value: Array, version: str = "2.8.0", mask_value: float | None = None, **call: Any) -> Array:
    """The layer on two inputs, behind Masking layers where `mask_value` is given."""
    layers = [placeholder("x", (None, None, 6)), placeholder("y", (None, None, 6))]
    names = ["x", "y"]
    if mask_value is not None:
        layers += [node("Masking", f"{name}_masked", [name], mask_value=mask_value) for name in names]
        names = ["x_masked", "y_masked"]
    attention = node("MultiHeadAttention", "a", num_heads=2, key_dim=3)
    attention["inbound_nodes"] = [[[names[0], 0, 0, {"value": [names[1], 0, 0], **call}]]]
    graph = with_attention_arguments(parse(functional([*layers, attention], ["a"])))
    return forward(graph, weights({("a",): WEIGHTS}), [query, value], runtime_of(version, "tensorflow"))[0]


def expected(query: Array, value: Array, allowed: Array) -> Array:
    y = np.zeros((*query.shape[:2], 6)) + WEIGHTS["attention_output_bias"]
    for head in (0, 1):
        q, k, v = (
            x @ WEIGHTS[f"{part}_kernel"][:, head] + WEIGHTS[f"{part}_bias"][head]
            for part, x in (("query", query), ("key", value), ("value", value))
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(3)
        y += slow_attention(scores, v, allowed) @ WEIGHTS["attention_output_kernel"][head]
    return y


QUERY, VALUE = random_array(2, 4, 6), random_array(2, 5, 6)
EVERYWHERE = np.ones((2, 4, 5), dtype=bool)


def test_heads_attend_apart() -> None:
    np.testing.assert_allclose(attend(QUERY, VALUE), expected(QUERY, VALUE, EVERYWHERE))


def test_a_target_looks_back_only() -> None:
    causal = np.broadcast_to(np.tri(4, 5).astype(bool), (2, 4, 5))
    np.testing.assert_allclose(attend(QUERY, VALUE, "2.12.0", use_causal_mask=True), expected(QUERY, VALUE, causal))


def test_a_stored_mask() -> None:
    given = [[[True, False, True, True, False]] * 4]
    allowed = np.broadcast_to(np.array(given), (2, 4, 5))
    np.testing.assert_allclose(attend(QUERY, VALUE, attention_mask=given), expected(QUERY, VALUE, allowed))


@pytest.mark.parametrize(("version", "sees"), [("2.9.0", False), ("2.10.0", True)])
def test_masks_of_the_inputs_count_since_2_10(version: str, sees: bool) -> None:
    value = VALUE.copy()
    value[:, 3:] = 0.0
    allowed = EVERYWHERE.copy()
    allowed[:, :, 3:] = not sees
    np.testing.assert_allclose(attend(QUERY, value, version, mask_value=0.0), expected(QUERY, value, allowed))


def test_what_is_not_answered() -> None:
    with pytest.raises(NotCovered):
        attend(QUERY, VALUE, attention_mask=[[[0.5] * 5] * 4])


@pytest.mark.parametrize("call", [{"training": True}, {"query_mask": ["x", 0, 0]}])
def test_calls_that_are_refused(call: dict[str, Any]) -> None:
    with pytest.raises(MigrationError):
        attend(QUERY, VALUE, **call)
