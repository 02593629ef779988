"""The domain of one input of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputDomain:
    """The valid values of one input.

    Attributes:
        vocabulary: ids must be below this; None for real values.
        pads_with: the value of a masked step; None if this input is not masked.
        words: words, or numbers as text, of a vocabulary of the model; empty if there is none.
        words_only: whether only these words are valid.
    """

    vocabulary: int | None = None
    pads_with: float | None = None
    words: tuple[str, ...] = ()
    words_only: bool = False

    def narrowed(self, other: InputDomain) -> InputDomain:
        """The domain that satisfies both."""
        sizes = [size for size in (self.vocabulary, other.vocabulary) if size is not None]
        pads = self.pads_with if self.pads_with is not None else other.pads_with
        words = tuple(word for word in self.words if word in other.words) if self.words and other.words else ()
        return InputDomain(
            min(sizes) if sizes else None,
            pads,
            words or self.words or other.words,
            self.words_only or other.words_only,
        )
