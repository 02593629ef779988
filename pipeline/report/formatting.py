"""Formats the figures of a report: counts, errors, sizes, durations, shares of the tolerance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def count(frame: pd.DataFrame, column: str, order: list[str]) -> dict[str, int]:
    """Number of rows per value of a column, without "": those in `order` first, then by frequency."""
    if column not in frame:
        return {}
    counts = {str(value): int(number) for value, number in frame[column].value_counts().items() if value}
    return {value: counts[value] for value in (*order, *counts) if value in counts}


def figure(value: float) -> str:
    """An error or a number of seconds with three digits; "" for nan."""
    return "" if value is None or value != value else f"{value:.3g}"


def size_text(size: float) -> str:
    """Bytes in powers of 1000: "17.3 kB"."""
    power = 0
    while abs(size) >= 999.5 and power < len(_UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{size:.3g} {_UNITS[power]}"


def duration_text(seconds: float) -> str:
    """Seconds: "40 ms", "6.76 s", "12 min", "3.5 h"."""
    if seconds < 0.1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def share_text(share: float) -> str:
    """A share of the tolerance: "0.6 %", "∞" if shapes or finiteness differ, "" for nan."""
    if math.isinf(share):
        return "∞"
    return "" if math.isnan(share) else f"{100 * share:.2g} %" if share < 1 else f"{100 * share:.3g} %"
