"""Parses stored JSON within limits and without ambiguity."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget

_MAX_DIGITS = 19  # what a 64-bit integer needs
_QUOTES_PER_VALUE = 8  # key and value, and escaped ones within
_MAX_FLOAT_CHARACTERS = 400  # Python writes 1e308 in 309 digits at most
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


def parse_config(text: str, what: str, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Parses JSON of bounded size and depth, without duplicate keys, huge numbers or lone surrogates.

    `NaN`, `Infinity` and `-Infinity` are floats, as written by Python's json, e.g. for the bound of `K.sqrt`.

    Args:
        text: the stored text.
        what: its name in messages, e.g. "model_config".
        limits: the budget.

    Raises:
        MigrationError: `invalid_config` or `over_budget`.
    """
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > limits.json_bytes:
        raise over_budget(f"The {what} holds {len(data):,} bytes", "json_bytes", limits)
    if data.count(b'"') > _QUOTES_PER_VALUE * limits.json_values:
        raise over_budget(f"The {what} holds more strings than values", "json_values", limits)
    marks = _STRING.sub(b"", data)
    values = sum(marks.count(mark) for mark in (b",", b"[", b"{"))
    if values > limits.json_values:
        raise over_budget(f"The {what} holds {values:,} values", "json_values", limits)
    depth = _depth(marks)
    if depth > limits.json_depth:
        raise over_budget(f"The {what} nests {depth:,} deep", "json_depth", limits)
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_constant=float, parse_int=_integer, parse_float=_float
        )
    except (ValueError, RecursionError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The {what} is not usable JSON: {str(error)[:120]}", advice="Restore the file."
        ) from error
    _refuse_half_characters(found, what)
    return found


def _depth(marks: bytes) -> int:
    """Nesting depth of JSON without its strings, found without recursion."""
    depth = deepest = 0
    for mark in marks.translate(None, _NO_BRACKETS):
        depth += 1 if mark in b"[{" else -1
        deepest = max(deepest, depth)
        if depth < 0:
            break  # not JSON: the parser stops here too
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has two entries of one key")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("an integer has more than 64 bits")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > _MAX_FLOAT_CHARACTERS or not math.isfinite(value := float(digits)):
        raise ValueError("a number is beyond the range of floats")
    return value


def _refuse_half_characters(found: object, what: str) -> None:
    r"""Refuses lone surrogates: escapes such as `\ud800` alone give strings that cannot be encoded."""
    pending = [found]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise MigrationError(
                    Reason.INVALID_CONFIG,
                    f"The {what} holds half a character (a lone surrogate)",
                    advice="Restore the file.",
                ) from None
