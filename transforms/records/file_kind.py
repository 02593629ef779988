"""The kinds of file that `scan` tells apart."""

from __future__ import annotations

from enum import StrEnum


class FileKind(StrEnum):
    """What a file is, as its signature and the names at its root tell."""

    MODEL = "model"
    WEIGHTS = "weights"
    KERAS_3_WEIGHTS = "keras_3_weights"
    CHECKPOINT = "checkpoint"
    OTHER = "other"
    DAMAGED = "damaged"
