"""How a command ends that cannot do what it was asked for: what it says, and with which exit status."""

from __future__ import annotations

import logging
from typing import Never

import typer

from pipeline.run.exit_status import ExitStatus


def unusable(problem: object) -> Never:
    """Ends with the status of an unusable command line or manifest."""
    _end("unusable", str(problem), ExitStatus.UNUSABLE)


def cut_short(error: OSError) -> Never:
    """The output or the report's folder does not take what a run must write there."""
    problem = f"{error}. The run has no whole report; what it published stays. Mend that, then run again."
    _end("cut_short", problem, ExitStatus.FAILED)


def _end(event: str, problem: str, status: ExitStatus) -> Never:
    from pipeline.monitoring import event_log
    from pipeline.printable import printable

    if event_log.is_open():
        event_log.event(event, logging.ERROR, message=problem)
    else:
        typer.echo(f"h5ferry: {printable(problem)}", err=True)
    raise typer.Exit(status)
