"""Parses stored JSON so that no config can exhaust the parser or mean two things."""

from __future__ import annotations

import json
from typing import Any

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits

_MAX_DIGITS = 19  # what a 64-bit integer needs


def parse_config(text: str, what: str, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Parses JSON of bounded size and depth, without duplicate keys, NaN, infinities or huge integers.

    Args:
        text: the stored text.
        what: what to call it in a message, e.g. "model_config".
        limits: the budget.

    Raises:
        MigrationError: `invalid_config` or `over_budget`.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.json_bytes:
        raise MigrationError(
            Reason.OVER_BUDGET, f"The {what} holds {size:,} bytes, more than the limit json_bytes={limits.json_bytes:,}"
        )
    depth = _depth(text)
    if depth > limits.json_depth:
        raise MigrationError(
            Reason.OVER_BUDGET, f"The {what} nests {depth:,} deep, more than the limit json_depth={limits.json_depth}"
        )
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The {what} is not usable JSON: {str(error)[:120]}", advice="Restore the file."
        ) from error


def _depth(text: str) -> int:
    """Nesting depth, found without recursion: brackets outside strings are counted."""
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has two entries of one key")
    return found


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("an integer has more than 64 bits")
    return int(digits)
