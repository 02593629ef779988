"""A progress view during a run, and a summary at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.coordination.run_folder import ProgressMark
from pipeline.monitoring.live_view import STYLES, LiveView, live
from pipeline.printable import printable
from pipeline.report.formatting import count, figure
from transforms.records.outcome import NOT_PUBLISHED, PUBLISHED, Status

if TYPE_CHECKING:
    import pandas as pd

#: Number of rows listed; for more, see the report.
_TROUBLE_SHOWN = 50


@contextlib.contextmanager
def progress_view(console: Console, rows: int, *, quiet: bool) -> Iterator[Callable[[ProgressMark], None]]:
    """Shows progress marks: live on a terminal, else as a line for each model that ends."""
    if quiet:
        yield lambda mark: None
    elif console.is_terminal and not console.is_dumb_terminal:
        view = LiveView(console, rows)
        with live(console, view):
            yield view.notice
    else:
        yield _Lines(console, rows).notice


def print_summary(console: Console, frame: pd.DataFrame, report: str) -> None:
    """Prints counts per status and evidence, the largest error, and advice for each row that was not published."""
    counts = count(frame, "status", [status.value for status in Status])
    table = Table(title="h5ferry", title_justify="left", show_header=False, box=None)
    for status, number in counts.items():
        table.add_row(Text(status, style=STYLES.get(status, "")), str(number))
    for evidence, number in count(frame, "evidence", []).items():
        table.add_row(f"{evidence} evidence", str(number))
    worst = _worst(frame)
    if worst:
        table.add_row("worst error", Text(worst))
    console.print(table)
    _print_trouble(console, frame[frame["status"].isin(NOT_PUBLISHED)])
    console.print(Text(f"Report: {printable(report)}"), soft_wrap=True)


def _worst(frame: pd.DataFrame) -> str:
    compared = frame[frame["status"].isin((*PUBLISHED, Status.MISMATCH.value))].dropna(subset=["max_abs_error"])
    if compared.empty:
        return ""
    worst = compared.nlargest(1, "max_abs_error").to_dict("records")[0]
    name = printable(f"{worst['model']}/{worst['version']}")
    return f"{figure(worst['max_abs_error'])} absolute, {figure(worst['max_rel_error'])} relative ({name})"


def _print_trouble(console: Console, frame: pd.DataFrame) -> None:
    if frame.empty:
        return
    shown = frame.head(_TROUBLE_SHOWN)
    if console.is_terminal:
        _print_table(console, shown)
    else:
        for row in shown.to_dict("records"):
            reason = f" ({row['reason']})" if row["reason"] else ""
            line = f"{row['status']}{reason} {row['model']}/{row['version']}: {row['message']}"
            console.print(Text(printable(line)), soft_wrap=True)
    if len(frame) > _TROUBLE_SHOWN:
        console.print(f"… and {len(frame) - _TROUBLE_SHOWN} more: see the report.")


def _print_table(console: Console, frame: pd.DataFrame) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("model", "reason"):
        table.add_column(heading, overflow="fold")
    table.add_column("what is wrong, and what to do", overflow="fold", ratio=1)
    for row in frame.itertuples():
        style = STYLES.get(str(row.status), "")
        table.add_row(
            Text(f"{printable(str(row.model))}/{row.version}"),
            Text(printable(str(row.reason)) or str(row.status), style=style),
            Text(printable(str(row.message))),
        )
    console.print(table)


class _Lines:
    """Plain lines, for logs."""

    def __init__(self, console: Console, rows: int) -> None:
        self._console = console
        self._rows = rows
        self._ended: set[int] = set()

    def notice(self, mark: ProgressMark) -> None:
        if mark.step != "end":
            return
        self._ended.add(mark.line)
        reason = f" ({mark.reason})" if mark.reason else ""
        line = f"[{len(self._ended)}/{self._rows}] {mark.status}{reason} {printable(mark.name)} {mark.seconds:.1f} s"
        self._console.print(Text(line), soft_wrap=True)
