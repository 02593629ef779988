"""The tables of docs/consumers.md: what each consumer makes of each fixture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- consumers -->\n", "<!-- end of consumers -->"


def write_tables(page: Path, names: Sequence[str], results: Mapping[str, Any]) -> None:
    """Puts the tables between the page's marks.

    Args:
        page: docs/consumers.md.
        names: of the fixtures.
        results: by consumer: what it made of each, in that order; or why it was not tried.
    """
    before, _, rest = page.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text("".join([before, _BEGIN, tables(names, results), _END, after]), "utf-8")


def tables(names: Sequence[str], results: Mapping[str, Any]) -> str:
    """A line for each consumer, and one for each model that it does not answer as the legacy runtime did."""
    lines = [f"Measured {datetime.now(UTC):%Y-%m-%d}, {len(names)} models.", ""]
    lines += ["| consumer | equal | largest error |", "|---|---|---|"]
    failures = []
    for title, found in results.items():
        if isinstance(found, str):
            lines.append(f"| {title} | not tried: {_cell(found)} | |")
            continue
        equal = [each for each in found if each.equal]
        errors = [each.error for each in equal]
        lines.append(f"| {title} | {len(equal)} of {len(found)} | {max(errors, default=float('nan')):.1g} |")
        failures += [
            f"| {title} | `{each.name}` | {_cell(each.problem) or f'error {each.error:.2g}'} |"
            for each in found
            if not each.equal
        ]
    if failures:
        lines += ["", "| consumer | model | what it says |", "|---|---|---|", *failures]
    lines += ["", f"The models: {', '.join(f'`{name}`' for name in names)}.", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A message as a cell of a table takes it, on one line and not too long."""
    named = re.sub(r"/tmp/\S*/", "", text)  # a temporary folder of the machine says nothing
    short = " ".join(named.replace("|", "\\|").replace("`", "'").split())
    return f"{short[:220]}…" if len(short) > 220 else short
