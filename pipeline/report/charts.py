"""The charts of the audit page as data: bars with their numbers, which the template renders as tables.

Charts.css draws a table as a chart by style alone: the same markup is the chart, its text alternative and the view
without scripts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pipeline.report.formatting import count, duration_text, share_text, size_text
from pipeline.report.page_rows import DIALECT, SHARE, shown
from transforms.records.outcome import EVIDENCE_ORDER, PUBLISHED, Status

if TYPE_CHECKING:
    import pandas as pd

#: Stands for the absent value in filters and their addresses.
NONE = "-"
#: Lengths are in thousandths of the longest: `.s250 { --size: .25 }`.
STEPS = 1000
#: Maximum number of bars; the rest are combined in a last one.
_BARS = 12

_SHARE_EDGES = tuple(10 ** (exponent / 2) for exponent in range(-12, 5))
_SECOND_EDGES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
_BYTE_EDGES = tuple(float(10**power) for power in range(3, 11))
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: what it counts.
        number: number of rows.
        size: length in `STEPS` of the longest bar of its chart.
        tone: status whose colour it has, or "".
        link: fragment that filters the table to its rows, "" for none.
        tick: text at the axis, if not the label; "" for none.
    """

    label: str
    number: int
    size: int
    tone: str = ""
    link: str = ""
    tick: str = ""


@dataclass(frozen=True)
class Chart:
    """One chart: `shape` is "bar" (horizontal, counts of names) or "column" (vertical, a distribution)."""

    name: str
    title: str
    axis: str
    note: str
    shape: str
    bars: tuple[Bar, ...]


def count_charts(frame: pd.DataFrame) -> list[Chart]:
    """Charts of rows by status, reason, dialect and evidence; a chart without bars is omitted."""
    statuses, evidence = [status.value for status in Status], [kind.value for kind in reversed(EVIDENCE_ORDER)]
    charts = [
        Chart("status", "Status", "status", "", "bar", _bars(count(frame, "status", statuses), "status")),
        Chart("evidence", "Evidence", "evidence", "", "bar", _bars(_with_none(frame, evidence), "evidence")),
        Chart(DIALECT, "Written by", DIALECT, "", "bar", _bars(count(frame, DIALECT, []), DIALECT)),
        Chart("reason", "Reason", "reason", "", "bar", _bars(count(frame, "reason", []), "reason")),
    ]
    return [chart for chart in charts if chart.bars]


def distribution_charts(frame: pd.DataFrame) -> list[Chart]:
    """Charts of errors as shares of their tolerance, seconds and source bytes, each on a logarithmic axis."""
    passed = frame["status"].isin(PUBLISHED)
    shares, stopped = _floats(frame[SHARE][passed]), _floats(frame[SHARE][frame["status"] == Status.MISMATCH])
    charts = [
        Chart(
            "error",
            "Errors against tolerance",
            "share of the tolerance that the worst output used",
            "Rows per half power of ten: the largest |a - b| / (atol + rtol |b|) of any element. 1 is the tolerance"
            " itself: rows beyond it were not published.",
            "column",
            _share_bars(shares, stopped),
        ),
        Chart(
            "seconds",
            "Time per model",
            "seconds of conversion",
            "Rows that were converted in this run.",
            "column",
            _columns([value for value in _floats(frame["seconds"]) if value > 0], _SECOND_EDGES, duration_text),
        ),
        Chart(
            "bytes",
            "Size of sources",
            "bytes of the source file",
            "Rows whose source could be read.",
            "column",
            _columns([value for value in _floats(frame["source_bytes"]) if value > 0], _BYTE_EDGES, size_text),
        ),
    ]
    return [chart for chart in charts if chart.bars]


def fragment(**filters: str) -> str:
    """The URL fragment that filters the page's table, such as "#status=refused&reason=timeout"."""
    return f"#{urlencode(filters)}"


def size_rules(charts: Sequence[Chart]) -> str:
    """Style rules for the bar lengths in use; the page's security policy allows no style attributes."""
    sizes = sorted({bar.size for chart in charts for bar in chart.bars})
    return "".join(f".s{size}{{--size:{size / STEPS:g}}}" for size in sizes)


def _with_none(frame: pd.DataFrame, order: list[str]) -> dict[str, int]:
    counts = count(frame, "evidence", order)
    absent = len(frame) - sum(counts.values())
    return {**counts, **({"": absent} if absent else {})}


def _bars(counts: Mapping[str, int], column: str) -> tuple[Bar, ...]:
    items = list(counts.items())
    kept, rest = (items, []) if len(items) <= _BARS else (items[: _BARS - 1], items[_BARS - 1 :])
    others = sum(number for _, number in rest)
    longest = max([others, *counts.values()])
    bars = [
        Bar(
            label=shown(value) or "none",
            number=number,
            size=_size(number, longest),
            tone=value if column == "status" else "",
            link=fragment(**{column: shown(value) or NONE}),
        )
        for value, number in kept
    ]
    return (*bars, *([Bar(f"{len(rest)} others", others, _size(others, longest))] if rest else []))


def _share_bars(passed: Sequence[float], stopped: Sequence[float]) -> tuple[Bar, ...]:
    if not passed and not stopped:
        return ()
    exact = [share for share in passed if share == 0]
    ticks = {edge: f"10{str(round(math.log10(edge))).translate(_SUPERSCRIPT)}" for edge in _SHARE_EDGES[::2]}
    ticks[1.0] = "1"
    edges = [edge for edge in _SHARE_EDGES if edge < 1.0]
    within = [("exactly equal", len(exact), "0"), *_binned([s for s in passed if s > 0], edges, ticks, 1.0)]
    beyond = _binned(stopped, [edge for edge in _SHARE_EDGES if edge > 1.0], ticks, math.inf, lowest=1.0)
    longest = max(number for _, number, _ in (*within, *beyond))
    return tuple(
        Bar(label, number, _size(number, longest), tone, "", tick)
        for tone, bins in (("within", within), (Status.MISMATCH.value, beyond))
        for label, number, tick in bins
    )


def _binned(
    values: Sequence[float], edges: Sequence[float], ticks: Mapping[float, str], highest: float, lowest: float = 0.0
) -> list[tuple[str, int, str]]:
    """Label, number and tick of each bin (low, high], from `lowest` over the edges to `highest`."""
    bins = []
    for low, high in pairwise((lowest, *edges, highest)):
        number = sum(low < value <= high for value in values)
        label = f"up to {share_text(high)}" if low == 0 else f"over {share_text(low)}"
        label = label if low == 0 or math.isinf(high) else f"{share_text(low)} to {share_text(high)}"
        bins.append((f"{label} of the tolerance", number, ticks.get(low, "")))
    return bins


def _columns(values: Sequence[float], edges: Sequence[float], written: Callable[[float], str]) -> tuple[Bar, ...]:
    """Bins [low, high) between the edges, open at both ends; without the empty ones beyond the outermost rows."""
    bounds = list(pairwise((0.0, *edges, math.inf)))
    numbers = [sum(low <= value < high for value in values) for low, high in bounds]
    filled = [index for index, number in enumerate(numbers) if number]
    if not filled:
        return ()
    first, last = max(filled[0] - 1, 0), min(filled[-1] + 2, len(bounds))
    return tuple(
        Bar(
            label=_range(low, high, written),
            number=number,
            size=_size(number, max(numbers)),
            tick=written(low) if low else "",
        )
        for (low, high), number in list(zip(bounds, numbers, strict=True))[first:last]
    )


def _range(low: float, high: float, written: Callable[[float], str]) -> str:
    if low == 0:
        return f"under {written(high)}"
    return f"{written(low)} and more" if math.isinf(high) else f"{written(low)} to {written(high)}"


def _size(number: int, longest: int) -> int:
    """The length in thousandths, at least one if there is any row."""
    return max(round(STEPS * number / max(longest, 1)), 4) if number else 0


def _floats(values: pd.Series[float]) -> list[float]:
    return [float(value) for value in values if value == value]
