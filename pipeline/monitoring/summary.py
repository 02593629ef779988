"""A progress view during a run, and a summary at its end."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
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
#: Seconds between two lines of progress where there is no terminal.
_INTERVAL = 5.0


@contextlib.contextmanager
def progress_view(
    console: Console, rows: int, *, quiet: bool = False, verbose: bool = False
) -> Iterator[Callable[[ProgressMark], None]]:
    """Shows progress marks: live on a terminal, else as lines.

    Args:
        console: what is written to.
        rows: in the manifest.
        quiet: show nothing.
        verbose: print a line for each row that ends, on a terminal too.
    """
    if quiet:
        yield lambda mark: None
    elif verbose:
        yield RowLines(console, rows).notice
    elif console.is_terminal and not console.is_dumb_terminal:
        view = LiveView(console, rows)
        with live(console, view):
            yield view.notice
    else:
        lines = ProgressLines(console, rows)
        yield lines.notice
        lines.finish()


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


class RowLines:
    """A line for each row that ends."""

    def __init__(self, console: Console, rows: int) -> None:
        self._console = console
        self._rows = rows
        self._ended: dict[int, str] = {}

    def notice(self, mark: ProgressMark) -> None:
        """Takes one mark in."""
        if mark.step == "end":
            self._ended[mark.line] = mark.status
            self._print_row(mark)

    def _print_row(self, mark: ProgressMark) -> None:
        reason = f" ({mark.reason})" if mark.reason else ""
        self._print(f"{mark.status}{reason} {printable(mark.name)} {mark.seconds:.1f} s")

    def _print(self, text: str) -> None:
        self._console.print(Text(f"[{len(self._ended)}/{self._rows}] {text}"), soft_wrap=True)


class ProgressLines(RowLines):
    """For logs: a line for each row that needs a person, and rows for each status every few seconds.

    Args:
        console: what is written to.
        rows: in the manifest.
        clock: seconds.
    """

    def __init__(self, console: Console, rows: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console, rows)
        self._clock = clock
        self._printed = clock()
        self._untold = False

    def _print_row(self, mark: ProgressMark) -> None:
        if mark.status in NOT_PUBLISHED:
            super()._print_row(mark)
        self._untold = True
        if self._clock() - self._printed >= _INTERVAL:
            self.finish()

    def finish(self) -> None:
        """Prints the rows for each status, unless that was the last line."""
        if self._untold:
            found = Counter(self._ended.values())
            self._print(", ".join(f"{found[status]} {status}" for status in Status if found[status]))
            self._printed, self._untold = self._clock(), False
