"""Canonical JSON, so that a record has exactly one text and one digest.

ASCII, keys sorted, indented by one space, a newline at the end, only finite numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """The canonical text of `content`. Raises ValueError for a number that is not finite."""
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def plain_json(value: Any) -> Any:
    """The value in JSON types, recursively: nan is null, infinity the text "inf" or "-inf", a tuple a list."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {key: plain_json(item) for key, item in value.items()}
    return [plain_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def number_of(stored: object) -> float:
    """A number that `plain_json` stored. Raises TypeError or ValueError for anything else."""
    return math.nan if stored is None else float(stored)  # type: ignore[arg-type]


def refuse_many_values(data: bytes, most_values: int) -> None:
    """Raises ValueError for a JSON text that may hold more values than so many.

    A value takes some hundred bytes of memory where it may take two of text, so they are counted before it is parsed.
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") > most_values:
        raise ValueError(f"it holds more than {most_values:,} values")


def sha256_of(data: bytes) -> str:
    """The SHA-256 digest in hex."""
    return hashlib.sha256(data).hexdigest()
