"""The report as one HTML page that stands alone: no script, no style sheet or image from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from transforms.outcome import Status

if TYPE_CHECKING:
    import pandas as pd

_TEMPLATE = "report.html.jinja"


def render_page(frame: pd.DataFrame) -> str:
    """The page for a report table. Every value is escaped: names come from files that nobody vouches for."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["figure"] = figure
    rows = frame.to_dict("records")
    return environment.get_template(_TEMPLATE).render(
        rows=rows,
        counts=count(frame, "status", [status.value for status in Status]),
        evidence=count(frame, "evidence", []),
        run=_first(frame, "run_id"),
        program=_first(frame, "h5ferry_version"),
        finished=str(frame["finished_at"].max())[:19] if "finished_at" in frame and len(frame) else "",
    )


def count(frame: pd.DataFrame, column: str, order: list[str]) -> dict[str, int]:
    """How many rows have each value of a column, "" left out: those in `order` first, then by frequency."""
    if column not in frame:
        return {}
    counts = {str(value): int(number) for value, number in frame[column].value_counts().items() if value}
    return {value: counts[value] for value in (*order, *counts) if value in counts}


def figure(value: float) -> str:
    """An error or a number of seconds for reading: three digits, nothing for nan."""
    return "" if value is None or value != value else f"{value:.3g}"


def _first(frame: pd.DataFrame, column: str) -> Any:
    return frame[column].iloc[0] if column in frame and len(frame) else ""
