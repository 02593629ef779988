"""Whether the newest record is the one, or as young, as whoever asks expects.

Nothing in an output can tell that all of it was taken back to an earlier state: that has to come from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.audit.findings import Finding, Kind, NewestRun
from pipeline.publication.layout import LATEST, RESERVED

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: What clocks may differ by.
_AHEAD = timedelta(hours=1)


@dataclass(frozen=True)
class Freshness:
    """What is expected of the newest record.

    Attributes:
        run: id of its run, or the sha256 of the record; "" for any.
        newer_than: the instant after which its run must have ended; None for any.
    """

    run: str = ""
    newer_than: datetime | None = None


def parse_instant(text: str, now: datetime) -> datetime:
    """The instant meant by an ISO 8601 date or time (UTC where it names no zone), or so long ago: "26h", "7d".

    Raises:
        ValueError: it is neither.
    """
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        try:
            return now - timedelta(**{_UNITS[span[2]]: float(span[1])})
        except OverflowError as error:
            raise ValueError(f"{text!r} is too long ago") from error
    instant = datetime.fromisoformat(text.strip())
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def check_freshness(newest: NewestRun | None, expected: Freshness, now: datetime) -> Iterator[Finding]:
    """How the newest record falls short of what is expected."""
    path = f"{RESERVED}/{LATEST}"
    if newest is None:
        if expected != Freshness():
            yield Finding(Kind.STALE, path, "leads to no record that counts: there is none to compare")
        return
    if expected.run and expected.run not in (newest.run_id, newest.sha256):
        message = f"the newest record is that of run {newest.run_id}, ended {newest.finished_at}, not {expected.run}"
        yield Finding(Kind.STALE, path, message)
    if expected.newer_than is not None and _instant(newest) > now + _AHEAD:
        message = f"the newest record says that it ended at {newest.finished_at}, which is still to come: how old it is"
        yield Finding(Kind.STALE, path, f"{message} cannot be told")
    elif expected.newer_than is not None and not _instant(newest) > expected.newer_than:
        since = expected.newer_than.isoformat(timespec="seconds")
        message = f"the newest record is that of run {newest.run_id}, ended {newest.finished_at}, not after {since}"
        yield Finding(Kind.STALE, path, message)


def clock_note(newest: NewestRun | None, now: datetime) -> str:
    """What to say of a record from the future, "" for none: its age proves nothing."""
    if newest is None or not _instant(newest) > now + _AHEAD:
        return ""
    return f"Run {newest.run_id} says that it ended at {newest.finished_at}, which is still to come."


def _instant(newest: NewestRun) -> datetime:
    try:
        instant = datetime.fromisoformat(newest.finished_at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
