"""Matchers for `assert_that`: each returns a checker with a message that tells what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from apache_beam.testing.util import BeamAssertException


def statuses_are(expected: dict[str, str]) -> Callable[[Iterable[Any]], None]:
    """Every model has its report row, once, with this status or reason."""

    def check(rows: Iterable[Any]) -> None:
        rows = list(rows)
        twice = [model for model, number in Counter(row.model for row in rows).items() if number > 1]
        found = {row.model: row.reason or row.status for row in rows}
        differing = {
            model: (expected.get(model), found.get(model))
            for model in expected.keys() | found.keys()
            if expected.get(model) != found.get(model)
        }
        if twice or differing:
            raise BeamAssertException(f"twice: {twice}; expected and found: {differing}")

    return check
