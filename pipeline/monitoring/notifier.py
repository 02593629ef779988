"""Whom a run tells what happens: a person at a terminal, a machine that reads events, or a program's own logging."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pipeline.coordination.run_folder import ProgressMark
from pipeline.monitoring.event_log import event, row_ended, run_ended
from pipeline.printable import printable
from pipeline.report.formatting import count
from transforms.records.outcome import Status

if TYPE_CHECKING:
    import pandas as pd

Notice: TypeAlias = Callable[[ProgressMark], None]


class Notifier(Protocol):
    """What a run says while it lasts and when it ends."""

    def warn(self, text: str) -> None:
        """Something went wrong that is no reason to end the run."""

    def note(self, text: str) -> None:
        """Something that a person who watches may want to know."""

    def inform(self, text: str) -> None:
        """What is about to be done, where that was not said in so many words."""

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """The manifest was read; the work begins."""

    def following(self, rows: int) -> AbstractContextManager[Notice]:
        """A context for the time of the work; what it yields takes each progress mark."""

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """The report is written."""


class TextNotifier:
    """Lines for a person: progress and warnings on standard error, the summary on standard output.

    Args:
        quiet: warnings alone.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        from rich.console import Console

        self._quiet = quiet
        self._errors = Console(stderr=True, highlight=False)

    def warn(self, text: str) -> None:
        """One line, yellow on a terminal."""
        self._errors.print(f"Warning: {printable(text)}", style="yellow", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A warning, unless quiet."""
        if not self._quiet:
            self.warn(text)

    def inform(self, text: str) -> None:
        """One line, unless quiet."""
        if not self._quiet:
            self._errors.print(printable(text), markup=False, soft_wrap=True)

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """Says nothing: whoever typed the command knows."""

    def following(self, rows: int) -> AbstractContextManager[Notice]:
        """A live view on a terminal, else a line for each model that ends."""
        from pipeline.monitoring.summary import progress_view

        return progress_view(self._errors, rows, quiet=self._quiet)

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """The summary."""
        from rich.console import Console

        from pipeline.monitoring.summary import print_summary

        if not self._quiet:
            print_summary(Console(highlight=False), frame, report)


class EventNotifier:
    """Events, for `event_log.json_log` to write; that is also who leaves out what is no warning."""

    def warn(self, text: str) -> None:
        """The event `warning`."""
        event("warning", logging.WARNING, message=text)

    def note(self, text: str) -> None:
        """The event `warning`."""
        self.warn(text)

    def inform(self, text: str) -> None:
        """The event `note`."""
        event("note", message=text)

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """The event `run_started`."""
        event("run_started", run_id=run_id, manifest=manifest, rows=rows, output=output)

    @contextlib.contextmanager
    def following(self, rows: int) -> Iterator[Notice]:
        """The event `row_ended` for each row."""
        yield row_ended

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """The event `run_ended`."""
        run_ended(count(frame, "status", [each.value for each in Status]), exit_status=exit_status, report=report)


class LogNotifier:
    """The logger `h5ferry` of the program that called this one as a library."""

    def __init__(self) -> None:
        self._log = logging.getLogger("h5ferry")

    def warn(self, text: str) -> None:
        """A warning."""
        self._log.warning("%s", printable(text))

    def note(self, text: str) -> None:
        """An information."""
        self._log.info("%s", printable(text))

    def inform(self, text: str) -> None:
        """An information."""
        self.note(text)

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """An information."""
        self._log.info("run %s: %d rows of %s go to %s", run_id, rows, printable(manifest), printable(output))

    @contextlib.contextmanager
    def following(self, rows: int) -> Iterator[Notice]:
        """An information for each row that ends."""

        def notice(mark: ProgressMark) -> None:
            if mark.step == "end":
                reason = f" ({mark.reason})" if mark.reason else ""
                self._log.info("%s%s %s %.1f s", mark.status, reason, printable(mark.name), mark.seconds)

        yield notice

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """An information."""
        counts = count(frame, "status", [each.value for each in Status])
        self._log.info("%s; report: %s", ", ".join(f"{n} {status}" for status, n in counts.items()), printable(report))
