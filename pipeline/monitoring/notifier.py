"""Notifiers of a run: for a person at a terminal, for a machine that reads events, for a program's own logging."""

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
    """Interface for messages of a run."""

    def warn(self, text: str) -> None:
        """Reports a problem that does not end the run."""

    def note(self, text: str) -> None:
        """Reports information for a person watching the run."""

    def inform(self, text: str) -> None:
        """Reports an action that the command line only implied."""

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """Reports that the manifest was read and the work begins."""

    def following(self, rows: int) -> AbstractContextManager[Notice]:
        """A context for the duration of the work; yields a function that receives each progress mark."""

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """Reports that the report is written."""


class TextNotifier:
    """Lines for a person: progress and warnings on standard error, the summary on standard output.

    Args:
        quiet: print only warnings.
        verbose: print a line for each row that ends.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        from rich.console import Console

        self._quiet, self._verbose = quiet, verbose
        self._errors = Console(stderr=True, highlight=False)

    def warn(self, text: str) -> None:
        """Prints one line, yellow on a terminal."""
        self._errors.print(f"Warning: {printable(text)}", style="yellow", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Prints a warning, unless quiet."""
        if not self._quiet:
            self.warn(text)

    def inform(self, text: str) -> None:
        """Prints one line, unless quiet."""
        if not self._quiet:
            self._errors.print(printable(text), markup=False, soft_wrap=True)

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """Prints nothing: the operator typed the command."""

    def following(self, rows: int) -> AbstractContextManager[Notice]:
        """Shows a live view on a terminal, else a line every few seconds and one for each row not published."""
        from pipeline.monitoring.summary import progress_view

        return progress_view(self._errors, rows, quiet=self._quiet, verbose=self._verbose)

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """Prints the summary."""
        from rich.console import Console

        from pipeline.monitoring.summary import print_summary

        if not self._quiet:
            print_summary(Console(highlight=False), frame, report)


class EventNotifier:
    """Sends events to `event_log.json_log`, which also omits all but warnings if quiet."""

    def warn(self, text: str) -> None:
        """Logs the event `warning`."""
        event("warning", logging.WARNING, message=text)

    def note(self, text: str) -> None:
        """Logs the event `warning`."""
        self.warn(text)

    def inform(self, text: str) -> None:
        """Logs the event `note`."""
        event("note", message=text)

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """Logs the event `run_started`."""
        event("run_started", run_id=run_id, manifest=manifest, rows=rows, output=output)

    @contextlib.contextmanager
    def following(self, rows: int) -> Iterator[Notice]:
        """Logs the event `row_ended` for each row."""
        yield row_ended

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """Logs the event `run_ended`."""
        run_ended(count(frame, "status", [each.value for each in Status]), exit_status=exit_status, report=report)


class LogNotifier:
    """Logs to the logger `h5ferry` of the program that uses this one as a library."""

    def __init__(self) -> None:
        self._log = logging.getLogger("h5ferry")

    def warn(self, text: str) -> None:
        """Logs a warning."""
        self._log.warning("%s", printable(text))

    def note(self, text: str) -> None:
        """Logs an information."""
        self._log.info("%s", printable(text))

    def inform(self, text: str) -> None:
        """Logs an information."""
        self.note(text)

    def started(self, run_id: str, manifest: str, rows: int, output: str) -> None:
        """Logs an information."""
        self._log.info("run %s: %d rows of %s go to %s", run_id, rows, printable(manifest), printable(output))

    @contextlib.contextmanager
    def following(self, rows: int) -> Iterator[Notice]:
        """Logs an information for each row that ends."""

        def notice(mark: ProgressMark) -> None:
            if mark.step == "end":
                reason = f" ({mark.reason})" if mark.reason else ""
                self._log.info("%s%s %s %.1f s", mark.status, reason, printable(mark.name), mark.seconds)

        yield notice

    def ended(self, frame: pd.DataFrame, report: str, exit_status: int) -> None:
        """Logs an information."""
        counts = count(frame, "status", [each.value for each in Status])
        self._log.info("%s; report: %s", ", ".join(f"{n} {status}" for status, n in counts.items()), printable(report))
