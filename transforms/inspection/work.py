"""The work of running a model, as it is counted; and how many rows are worth drawing for so much of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from transforms.architecture.graph import LayerPath

#: Nanoseconds of a core, measured: one multiplication in NumPy's float64 and TensorFlow's float32, one operation on a
#: number in memory, one step of a loop in both, tracing and writing one call of a layer.
_MULTIPLICATION, _OPERATION, _STEP, _CALL = 0.5, 5.0, 60_000.0, 15_000_000.0
#: Numbers of rows of drawn batches, each with the maximum nanoseconds for so many rows: from enough to show every kind
#: of padding down to one, for very large models.
_ROWS: tuple[tuple[tuple[int, ...], float], ...] = (((4, 3), 4e9), ((2, 1), 8e9), ((1, 1), 30e9), ((1,), math.inf))
_ROWS_WITH_MASKS: tuple[tuple[tuple[int, ...], float], ...] = (((4, 3), 4e9), ((4, 1), math.inf))
#: Values of all tensors that are in memory at once.
_TOGETHER = 1 << 26


@dataclass(frozen=True)
class Work:
    """The work of one row in a layer or model.

    Attributes:
        multiplications: of matrix products and convolutions.
        operations: on single numbers.
        values: numbers in all tensors together.
        steps: of loops over time, each of which waits for the one before.
        calls: of layers, shared models expanded.
        slowest, worst: nanoseconds of the call that takes longest, and path of its layer.
        largest, widest: numbers in the largest tensor, and path of the layer that gives it.
    """

    multiplications: float = 0.0
    operations: float = 0.0
    values: float = 0.0
    steps: int = 0
    calls: int = 0
    slowest: float = 0.0
    worst: LayerPath = ()
    largest: float = 0.0
    widest: LayerPath = ()

    def __add__(self, other: Work) -> Work:
        slower = self if self.slowest >= other.slowest else other
        wider = self if self.largest >= other.largest else other
        return Work(
            self.multiplications + other.multiplications,
            self.operations + other.operations,
            self.values + other.values,
            self.steps + other.steps,
            self.calls + other.calls,
            slower.slowest,
            slower.worst,
            wider.largest,
            wider.widest,
        )

    def repeated(self, times: float) -> Work:
        """The work of so many rows at once; loops and calls are not multiplied."""
        return replace(
            self,
            multiplications=self.multiplications * times,
            operations=self.operations * times,
            values=self.values * times,
            slowest=self.slowest * times,
            largest=self.largest * times,
        )

    def of_rows(self, rows: int) -> float:
        """Nanoseconds, for the part proportional to the number of rows."""
        return (self.multiplications * _MULTIPLICATION + self.operations * _OPERATION) * rows

    def of_batches(self, *rows: int) -> float:
        """Nanoseconds of a core for batches of so many rows. A model is traced once for all batches."""
        return self.of_rows(sum(rows)) + self.steps * _STEP * len(rows) + self.calls * _CALL


def rows_worth_drawing(work: Work, *, masked: bool) -> tuple[int, ...]:
    """Number of rows of each drawn batch: as many as the model's work allows.

    Args:
        work: of one row.
        masked: whether rows are padded in several ways, each of which needs a row.
    """
    *choices, (fewest, _) = _ROWS_WITH_MASKS if masked else _ROWS
    for rows, most in choices:
        if work.of_rows(sum(rows)) <= most and work.values * sum(rows) <= _TOGETHER:
            return rows
    return fewest
