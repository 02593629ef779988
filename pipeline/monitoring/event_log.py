"""Event log of a run: lines for people, or one JSON object per event for machines."""

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
    """One JSON object per line: `time` (UTC, ISO 8601), `level`, `event`, and the event's own fields.

    Log records of libraries become the event `message`, with `logger` and `message`. The output is ASCII.
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
    """While the context lasts, all log records go to `stream` as JSON lines.

    `quiet` omits all but warnings. An error that ends the program becomes the event `crashed`.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    before = root.handlers[:], _log.handlers[:], _log.propagate, _log.level
    root.handlers[:] = _log.handlers[:] = [handler]
    _log.propagate = False  # otherwise each event would appear twice
    _log.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        with contextlib.redirect_stderr(_StrayText()):
            yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        event("crashed", logging.CRITICAL, message=f"{type(error).__name__}: {error}", traceback=text)
        sys.excepthook = lambda *_: None  # Already reported as JSON.
        raise
    finally:
        root.handlers[:], _log.handlers[:], _log.propagate, level = before
        _log.setLevel(level)


class _StrayText(io.TextIOBase):
    """Captures what libraries print to standard error (Beam prints tracebacks) and logs each piece as a `message`."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text.strip():
            event("message", logging.WARNING, logger="stderr", message=text.rstrip())
        return len(text)


def is_open() -> bool:
    """True while events are being logged."""
    return any(isinstance(handler.formatter, JsonLines) for handler in _log.handlers)


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """Logs one event of the run."""
    _log.log(level, name, extra={"fields": {"event": name, **fields}})


def row_ended(mark: ProgressMark) -> None:
    """Logs the end of a row; ignores other marks."""
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
    """Logs the end of a run: the number of rows per status, and the report's place."""
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
