"""The precision of a stored layer's computation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Policies that compute in 16 bits; the mixed ones store their weights in 32.
NARROW = frozenset({"float16", "bfloat16", "mixed_float16", "mixed_bfloat16"})


def policy_of(config: Mapping[str, Any]) -> str:
    """The name of a layer's dtype or policy: `float32`, `mixed_float16`, ...; "" if the file states none.

    Stored as a name, or as `{"class_name": "Policy", "config": {"name": ...}}` (`PolicyV1`, `DTypePolicy` likewise).
    """
    value = config.get("dtype")
    if isinstance(value, Mapping):
        inner = value.get("config")
        value = inner.get("name") if isinstance(inner, Mapping) else inner
    return value if isinstance(value, str) else ""


def is_narrow(config: Mapping[str, Any]) -> bool:
    """True where a layer computes in 16 bits."""
    return policy_of(config) in NARROW
