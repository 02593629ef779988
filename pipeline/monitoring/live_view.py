"""The live view of a run on a terminal: two bars, rows per status, and each worker's current model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pipeline.coordination.run_folder import ProgressMark
from pipeline.printable import printable
from transforms.records.outcome import Status

STYLES = {"migrated": "green", "unchanged": "green", "mismatch": "bold red", "failed": "red", "refused": "yellow"}
_NAME_WIDTH = 48
_WORKERS_SHOWN = 16


@dataclass(frozen=True)
class _Work:
    """A worker's current step, and its start."""

    step: str
    name: str
    since: float


class LiveView:
    """Follows the marks of a run; rendered by rich.

    Args:
        rows: number of rows in the manifest.
        clock: returns seconds, for the rate and the workers' elapsed times.
    """

    def __init__(self, console: Console, rows: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeRemainingColumn(),
            console=console,
            get_time=clock,
        )
        self._inspect = self._progress.add_task("inspect", total=rows)
        self._convert = self._progress.add_task("convert", total=None, start=False)
        self._ready = 0
        self._converting: set[int] = set()
        self._ended: Counter[str] = Counter()
        self._busy: dict[str, int] = {}
        self._work: dict[int, _Work] = {}

    def notice(self, mark: ProgressMark) -> None:
        """Processes one mark."""
        self._place(mark)
        if mark.step == "ready":
            self._ready += 1
            self._progress.update(self._inspect, advance=1)
            self._progress.update(self._convert, total=self._ready)
        elif mark.step == "convert":
            if not self._converting:
                self._progress.start_task(self._convert)
            self._converting.add(mark.line)
        elif mark.step == "end":
            self._ended[mark.status] += 1
            self._progress.update(self._convert if mark.line in self._converting else self._inspect, advance=1)

    def _place(self, mark: ProgressMark) -> None:
        """Assigns the first free line to a worker that begins a step, and frees the line of one that ended its step.

        A runner may use a new thread for each bundle, so lines are numbered, not threads.
        """
        if mark.worker in self._busy:
            del self._work[self._busy.pop(mark.worker)]
        if mark.step in ("inspect", "convert"):
            line = next(number for number in count(1) if number not in self._work)
            self._busy[mark.worker] = line
            self._work[line] = _Work(mark.step, printable(mark.name)[:_NAME_WIDTH], self._clock())

    def __rich__(self) -> Group:
        counts = Text("  ")
        for status in Status:
            if number := self._ended[status.value]:
                counts.append(f"{number} {status.value}  ", style=STYLES[status.value])
        return Group(self._progress, counts, self._at_work())

    def _at_work(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for number, work in sorted(self._work.items())[:_WORKERS_SHOWN]:
            spent = f"{self._clock() - work.since:.0f} s"
            table.add_row(f"  worker {number}", work.step, Text(work.name), spent, style="dim")
        return table


class _RateColumn(ProgressColumn):
    """Models per second, or seconds per model if slower than one per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each", style="dim")


def live(console: Console, view: LiveView) -> Live:
    """Shows the view while the context lasts, then erases it."""
    return Live(view, console=console, refresh_per_second=4, transient=True)
