"""The kinds of files that `scan` distinguishes."""

from __future__ import annotations

from enum import StrEnum


class FileKind(StrEnum):
    """The kind of a file, from its signature and the names at its root."""

    MODEL = "model"
    WEIGHTS = "weights"
    KERAS_3_WEIGHTS = "keras_3_weights"
    CHECKPOINT = "checkpoint"
    OTHER = "other"
    DAMAGED = "damaged"
