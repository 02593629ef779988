"""Text and JSON output of a diagnosis."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipeline.diagnosis.examine import Fact, State
from pipeline.printable import printable

_MARKS = {State.GOOD: "ok", State.NOTE: "note", State.BAD: "BAD"}


def as_line(fact: Fact) -> str:
    """One fact as a line of text."""
    return printable(f"{_MARKS[fact.state]:<5} {fact.name}: {fact.found}")


def as_json(facts: Iterable[Fact]) -> str:
    """All facts as one JSON object: `sound`, and `facts` with name, state and result."""
    told = [{"name": fact.name, "state": fact.state.value, "found": fact.found} for fact in facts]
    return json.dumps({"sound": all(fact["state"] != State.BAD for fact in told), "facts": told}, indent=2)
