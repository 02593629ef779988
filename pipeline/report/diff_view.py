"""Text and JSON output of the differences between two reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.printable import printable
from pipeline.report.diff import Change, Verdict
from pipeline.report.formatting import figure

_STYLES = {Verdict.WORSE: "red", Verdict.BETTER: "green", Verdict.CHANGED: ""}
_DIGEST_SHOWN = 12


def print_changes(console: Console, changes: Sequence[Change]) -> None:
    """Prints a table with one row per change: fitted to a terminal's width, else unlimited."""
    if not changes:
        console.print("No difference.")
        return
    if not console.is_terminal:
        for change in changes:
            line = f"{change.verdict.value:<8} {_name(change)}  {change.what}: {_told(change, old=True)} -> "
            console.print(Text(line + _told(change, old=False)), soft_wrap=True)
    else:
        table = Table(show_edge=False, pad_edge=False)
        for heading in ("verdict", "model", "what", "old", "new"):
            table.add_column(heading, overflow="fold")
        for change in changes:
            verdict = Text(change.verdict.value, style=_STYLES[change.verdict])
            before, after = (Text(_told(change, old=old)) for old in (True, False))
            table.add_row(verdict, Text(_name(change)), change.what, before, after)
        console.print(table)
    counts = Counter(change.verdict for change in changes)
    console.print(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict))


def as_json(changes: Sequence[Change], old: str, new: str, factor: float) -> str:
    """The differences as one JSON object."""
    counts = Counter(change.verdict for change in changes)
    content = {
        "old": old,
        "new": new,
        "factor": factor,
        **{verdict.value: counts[verdict] for verdict in Verdict},
        "changes": [change.as_record() for change in changes],
    }
    return json.dumps(content, indent=1, allow_nan=False)


def _name(change: Change) -> str:
    return printable(f"{change.model}/{change.version}")


def _told(change: Change, *, old: bool) -> str:
    value = change.old if old else change.new
    if isinstance(value, float):
        return figure(value) or "(none)"
    shown = value[:_DIGEST_SHOWN] if change.what.endswith("sha256") or change.what == "architecture" else value
    return printable(shown) or "(none)"
