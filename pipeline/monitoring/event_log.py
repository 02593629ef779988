"""Events of a run while it lasts: lines for people, or one JSON object each for machines."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

import typer

from pipeline.coordination.run_folder import ProgressMark

_log = logging.getLogger("h5ferry")
_LEVELS = {"mismatch": logging.ERROR, "failed": logging.ERROR, "refused": logging.WARNING}


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC, ISO 8601), `level`, `event`, and the event's own fields.

    Whatever libraries log becomes the event `message`, with `logger` and `message`. All is ASCII.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        if fields is None:
            fields = {"event": "message", "logger": record.name, "message": record.getMessage()}
            if record.exc_info:
                fields["traceback"] = self.formatException(record.exc_info)
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": time, "level": record.levelname.lower(), **fields}, default=str)


@contextlib.contextmanager
def json_log(stream: TextIO, *, quiet: bool) -> Iterator[None]:
    """For as long as the context lasts, everything that is logged goes to `stream` as JSON lines.

    `quiet` leaves out what is no warning. An error that ends the program becomes the event `crashed`.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    before = root.handlers[:], _log.handlers[:], _log.propagate, _log.level
    root.handlers[:] = _log.handlers[:] = [handler]
    _log.propagate = False  # or each event would come twice
    _log.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        with contextlib.redirect_stderr(_StrayText()):
            yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        event("crashed", logging.CRITICAL, message=f"{type(error).__name__}: {error}", traceback=text)
        sys.excepthook = lambda *_: None  # It has been told, as JSON.
        raise
    finally:
        root.handlers[:], _log.handlers[:], _log.propagate, level = before
        _log.setLevel(level)


class _StrayText(io.TextIOBase):
    """Takes what libraries print to standard error (Beam prints tracebacks), and logs each piece as a `message`."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text.strip():
            event("message", logging.WARNING, logger="stderr", message=text.rstrip())
        return len(text)


def is_open() -> bool:
    """True while events go anywhere."""
    return any(isinstance(handler.formatter, JsonLines) for handler in _log.handlers)


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """Logs one event of the run."""
    _log.log(level, name, extra={"fields": {"event": name, **fields}})


def row_ended(mark: ProgressMark) -> None:
    """Logs the end of a row; other marks are no events."""
    if mark.step != "end":
        return
    event(
        "row_ended",
        _LEVELS.get(mark.status, logging.INFO),
        line=mark.line,
        model=mark.name,
        status=mark.status,
        reason=mark.reason,
        seconds=round(mark.seconds, 3),
        worker=mark.worker,
    )


def run_ended(counts: Mapping[str, int], *, exit_status: int, report: str) -> None:
    """Logs the end of a run: rows for each status, and where the report is."""
    event(
        "run_ended",
        logging.WARNING if exit_status else logging.INFO,
        exit_status=exit_status,
        counts=dict(counts),
        report=report,
    )


class LogFormat(StrEnum):
    """The choices of --log-format."""

    TEXT = "text"
    JSON = "json"
