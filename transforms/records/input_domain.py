"""What one input of a model may hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputDomain:
    """What one input may hold.

    Attributes:
        vocabulary: ids must be below this; None for real values.
        pads_with: the value of a masked step; None when nothing masks this input.
    """

    vocabulary: int | None = None
    pads_with: float | None = None

    def narrowed(self, other: InputDomain) -> InputDomain:
        """The domain that satisfies both."""
        sizes = [size for size in (self.vocabulary, other.vocabulary) if size is not None]
        pads = self.pads_with if self.pads_with is not None else other.pads_with
        return InputDomain(min(sizes) if sizes else None, pads)
