"""How a run tells what happens."""

from __future__ import annotations

from enum import StrEnum


class LogFormat(StrEnum):
    """The choices of --log-format."""

    TEXT = "text"
    JSON = "json"
