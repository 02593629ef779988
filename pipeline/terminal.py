"""What the operator sees: a progress bar while a run lasts, and a summary at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pipeline.progress import Mark
from pipeline.report_figures import count, figure
from transforms.outcome import Status

if TYPE_CHECKING:
    import pandas as pd

_STYLES = {"migrated": "green", "unchanged": "green", "mismatch": "bold red", "failed": "red", "refused": "yellow"}
_TROUBLE = (Status.MISMATCH.value, Status.FAILED.value, Status.REFUSED.value)
#: More than this is for the report to tell.
_TROUBLE_SHOWN = 50
_NAME_WIDTH = 40


def printable(text: str) -> str:
    """`text` with everything that could steer a terminal, or reverse its direction, written out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


@contextlib.contextmanager
def progress_view(console: Console, rows: int, *, quiet: bool) -> Iterator[Callable[[Mark], None]]:
    """Shows the marks it is called with: as two bars on a terminal, else as a line for each model that ends."""
    if quiet:
        yield lambda mark: None
    elif console.is_terminal:
        with _progress(console) as progress:
            yield _Bars(progress, rows).notice
    else:
        yield _Lines(console, rows).notice


def print_summary(console: Console, frame: pd.DataFrame, report: str) -> None:
    """Counts per status and evidence, the worst error, and what to do about each row that was not published."""
    counts = count(frame, "status", [status.value for status in Status])
    table = Table(title="h5ferry", title_justify="left", show_header=False, box=None)
    for status, number in counts.items():
        table.add_row(Text(status, style=_STYLES.get(status, "")), str(number))
    for evidence, number in count(frame, "evidence", []).items():
        table.add_row(f"{evidence} evidence", str(number))
    worst = _worst(frame)
    if worst:
        table.add_row("worst error", Text(worst))
    console.print(table)
    _print_trouble(console, frame[frame["status"].isin(_TROUBLE)])
    console.print(Text(f"Report: {printable(report)}"), soft_wrap=True)


def _worst(frame: pd.DataFrame) -> str:
    compared = frame[frame["status"].isin(("migrated", "unchanged", "mismatch"))].dropna(subset=["max_abs_error"])
    if compared.empty:
        return ""
    worst = compared.nlargest(1, "max_abs_error").to_dict("records")[0]
    name = printable(f"{worst['model']}/{worst['version']}")
    return f"{figure(worst['max_abs_error'])} absolute, {figure(worst['max_rel_error'])} relative ({name})"


def _print_trouble(console: Console, frame: pd.DataFrame) -> None:
    if frame.empty:
        return
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("model", "reason"):
        table.add_column(heading, overflow="fold")
    table.add_column("what is wrong, and what to do", overflow="fold", ratio=1)
    for row in frame.head(_TROUBLE_SHOWN).itertuples():
        style = _STYLES.get(str(row.status), "")
        table.add_row(
            Text(f"{printable(str(row.model))}/{row.version}"),
            Text(printable(str(row.reason)) or str(row.status), style=style),
            Text(printable(str(row.message))),
        )
    console.print(table)
    if len(frame) > _TROUBLE_SHOWN:
        console.print(f"… and {len(frame) - _TROUBLE_SHOWN} more: see the report.")


class _RateColumn(ProgressColumn):
    """Models a second, or seconds a model where they are slow."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each", style="dim")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[model]}", markup=False),
        console=console,
        transient=True,
    )


class _Bars:
    """One bar for inspection and one for conversion, each with the model in hand."""

    def __init__(self, progress: Progress, rows: int) -> None:
        self._progress = progress
        self._inspect = progress.add_task("inspect", total=rows, model="")
        self._convert = progress.add_task("convert", total=None, start=False, model="")
        self._ready = 0
        self._converting: set[int] = set()

    def notice(self, mark: Mark) -> None:
        name = printable(mark.name)[:_NAME_WIDTH]
        if mark.step == "inspect":
            self._progress.update(self._inspect, model=name)
        elif mark.step == "ready":
            self._ready += 1
            self._progress.update(self._inspect, advance=1)
            self._progress.update(self._convert, total=self._ready)
        elif mark.step == "convert":
            if not self._converting:
                self._progress.start_task(self._convert)
            self._converting.add(mark.line)
            self._progress.update(self._convert, model=name)
        else:
            self._progress.update(self._convert if mark.line in self._converting else self._inspect, advance=1)


class _Lines:
    """Plain lines, for logs."""

    def __init__(self, console: Console, rows: int) -> None:
        self._console = console
        self._rows = rows
        self._ended: set[int] = set()

    def notice(self, mark: Mark) -> None:
        if mark.step != "end":
            return
        self._ended.add(mark.line)
        reason = f" ({mark.reason})" if mark.reason else ""
        line = f"[{len(self._ended)}/{self._rows}] {mark.status}{reason} {printable(mark.name)} {mark.seconds:.1f} s"
        self._console.print(Text(line), soft_wrap=True)
