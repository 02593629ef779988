"""Messages between the process that converts a model and the one that verifies it. Plain records, arrays as bytes.

```
converting process: source -> StagedModel -----------------> verifying process: staged files -> MigrationOutcome
converting process: Answers <-- Question (batches) <------ verifying process
```
The verifying process never parses the source: it draws the batches, runs the staged artefact on them, and asks for the
outputs of the source's own arrays for the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.records.assumptions import Assumption
from transforms.records.input_domain import InputDomain
from transforms.records.outcome import MigrationOutcome, MigrationRequest

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class PlainArray:
    """An array sent between processes: NumPy dtype, shape, bytes in C order and native endianness."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class StagedModel:
    """A SavedModel that was written and not yet verified.

    Attributes:
        known: outcome of the conversion, without its status.
        domains: of the inputs, in order.
        sample_inputs, sample_outputs: the names that a samples file may use, in order.
        batch_rows: rows of each drawn batch, as many as the model's work allows.
        least_length: minimum extent of a free axis of an input; 0 if more than may be drawn.
    """

    known: MigrationOutcome
    domains: tuple[InputDomain, ...]
    sample_inputs: tuple[str, ...]
    sample_outputs: tuple[str, ...]
    batch_rows: tuple[int, ...] = (4, 3)
    least_length: int = 1


@dataclass(frozen=True)
class VerificationRequest:
    """A staged model to verify.

    Attributes:
        request: of the conversion.
        staged: its result.
        in_full: load the artefact completely, even if one with the same graph is already loaded.
    """

    request: MigrationRequest
    staged: StagedModel
    in_full: bool = False


class Oracle(StrEnum):
    """The source of expected outputs: the independent reference, in float64 or float32, or the rebuilt Keras model."""

    REFERENCE = "reference"
    REFERENCE_IN_FLOAT32 = "reference_in_float32"
    REBUILT = "rebuilt"


@dataclass(frozen=True)
class Feed:
    """One batch: arrays in the order of the model's inputs, cast to the signature's dtypes, and their origin."""

    inputs: tuple[PlainArray, ...]
    origin: str


@dataclass(frozen=True)
class Question:
    """A query for the expected outputs of batches."""

    oracle: Oracle
    feeds: tuple[Feed, ...]


@dataclass(frozen=True)
class Answer:
    """The expected outputs of one batch.

    Attributes:
        outputs: in order; None if there are none.
        why_none: why there are none.
        assumptions: those that they depend on: another answer would change them.
    """

    outputs: tuple[PlainArray, ...] | None
    why_none: str = ""
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True)
class Answers:
    """One answer to each batch of the question."""

    answers: tuple[Answer, ...]


class PendingAnswers(Protocol):
    """Answers that may not have arrived yet: a future."""

    def result(self) -> Answers:
        """Waits for the answers. Raises the MigrationError of the side that was queried."""


#: Queries the converting side without waiting.
Ask: TypeAlias = Callable[[Question], PendingAnswers]


def plain_arrays(arrays: Sequence[Any]) -> tuple[PlainArray, ...]:
    """Arrays in the form that is sent between processes."""
    return tuple(PlainArray(_dtype_name(a), a.shape, a.tobytes()) for a in map(_native, arrays))


def numpy_arrays(arrays: Sequence[PlainArray]) -> tuple[Array, ...]:
    """The arrays, decoded, read-only. Raises ValueError if bytes and shape disagree."""
    return tuple(np.frombuffer(a.data, np.dtype(a.dtype)).reshape(a.shape) for a in arrays)


def _dtype_name(array: Array) -> str:
    return array.dtype.str if array.dtype.kind == "S" else array.dtype.name


def text_as_bytes(values: Any) -> Array:
    """The values; text, also TensorFlow's (objects), as an array of UTF-8 bytes."""
    array = np.asarray(values)
    if array.dtype.kind == "U":
        return np.asarray(np.char.encode(array, "utf-8"))
    return array.astype(np.bytes_) if array.dtype == object else array


def _native(array: Any) -> Array:
    values = text_as_bytes(array)
    return values.astype(values.dtype.newbyteorder("="), copy=False)
