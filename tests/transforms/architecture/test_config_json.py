"""JSON is bounded before it is parsed and means one thing only."""

import math

import pytest

from transforms.architecture.config_json import parse_config
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits


def test_plain_json_is_parsed() -> None:
    assert parse_config('{"a": [1, 2.5, "]}\\"[", null]}', "config") == {"a": [1, 2.5, ']}"[', None]}


def test_numbers_as_python_writes_them() -> None:
    infinite, least, none = parse_config("[Infinity, -Infinity, NaN]", "config")
    assert (infinite, least) == (math.inf, -math.inf)
    assert math.isnan(none)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", Reason.INVALID_CONFIG),
        ('{"a": Infinite}', Reason.INVALID_CONFIG),
        ('{"a": 1, "a": 2}', Reason.INVALID_CONFIG),
        ('{"a": 123456789012345678901234567890}', Reason.INVALID_CONFIG),
        ("[" * 100_000 + "]" * 100_000, Reason.OVER_BUDGET),
        (" " * 2_000, Reason.OVER_BUDGET),
    ],
    ids=["cut short", "no constant", "two values of one key", "huge integer", "deep", "long"],
)
def test_refusals(text: str, reason: Reason) -> None:
    limits = Limits(json_bytes=1_000 if text.isspace() else 1 << 20)
    with pytest.raises(MigrationError) as refusal:
        parse_config(text, "config", limits)
    assert refusal.value.reason is reason
