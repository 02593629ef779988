"""Messages and exit statuses of commands that cannot run."""

from __future__ import annotations

import logging
from typing import Never

import typer

from pipeline.run.exit_status import ExitStatus


def unusable(problem: object) -> Never:
    """Ends with the status of an invalid command line or manifest."""
    _end("unusable", str(problem), ExitStatus.UNUSABLE)


def cut_short(error: OSError) -> Never:
    """Ends a run that cannot write its output or report."""
    problem = f"{error}. The run has no complete report; what it published stays. Correct the cause, then run again."
    _end("cut_short", problem, ExitStatus.FAILED)


def _end(event: str, problem: str, status: ExitStatus) -> Never:
    from pipeline.monitoring import event_log
    from pipeline.printable import printable

    if event_log.is_open():
        event_log.event(event, logging.ERROR, message=problem)
    else:
        typer.echo(f"h5ferry: {printable(problem)}", err=True)
    raise typer.Exit(status)
