"""Assumptions about facts that a file does not record, and their alternatives. Plain records, sent between
processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Assumption:
    """An assumed answer to a question that the file leaves open.

    Attributes:
        question: in a word or two: `backend`, `interpolation`, `release`.
        layer: path of the layer, joined with "/"; "" for the model as a whole.
        assumed: the answer with which the model was read.
        alternatives: the other answers; empty if none can be tried, as for the meaning of a name.
        because: why the file does not record it.
        alters_shapes: whether another answer may change the shapes of tensors, so that weights can decide.
    """

    question: str
    layer: str
    assumed: str
    alternatives: tuple[str, ...]
    because: str
    alters_shapes: bool = False

    def __str__(self) -> str:
        where = f"{self.layer}: " if self.layer else ""
        if not self.alternatives:
            return f"{where}{self.question} is {self.assumed}: {self.because}"
        return f"{where}{self.question} {self.assumed}, not {' or '.join(self.alternatives)}: {self.because}"

    def choice(self, answer: str) -> Choice:
        """The choice of one of its answers."""
        return Choice(self.question, self.layer, answer)


@dataclass(frozen=True)
class Choice:
    """An answer to an open question for reading the model. The fields are those of `Assumption`."""

    question: str
    layer: str
    answer: str


def merged_assumptions(assumptions: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """One assumption per question, with the alternatives of all."""
    found: dict[tuple[str, str], Assumption] = {}
    for each in assumptions:
        key = each.question, each.layer
        known = found.get(key, each).alternatives
        added = tuple(other for other in each.alternatives if other not in known)
        found[key] = replace(each, alternatives=(*known, *added))
    return tuple(found.values())
