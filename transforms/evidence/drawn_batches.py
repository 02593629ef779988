"""The batches drawn for one model: two at a time, of different size and, where axes are free, different length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from transforms.evidence.samples import SampleBatch, draw_batch
from transforms.records.input_domain import InputDomain

if TYPE_CHECKING:
    from transforms.saved_model.loaded import InputSpec

#: Lengths tried for free axes: (first batch, second batch), from short to long.
SHORT_LENGTHS = (2, 3)
SEQUENCE_LENGTHS = ((8, 11), (24, 31), (64, 80), (200, 256))
IMAGE_LENGTHS = ((32, 48), (64, 96), (128, 160), (224, 256))
_LONGEST_SEARCHED = 128
#: By how much the second batch is longer than the least, and common divisors of lengths.
_STEP, _MULTIPLE = 3, 32


class DrawnBatches:
    """Draws each pair of batches once and returns the same arrays again.

    Args:
        inputs: of the signature, in the order of the model's inputs.
        domains: of the values of each.
        rows: of each batch, one or two.
        least_length: of free axes; 0 to draw none.
    """

    def __init__(
        self,
        inputs: Sequence[InputSpec],
        domains: Sequence[InputDomain],
        rows: Sequence[int] = (4, 3),
        least_length: int = 1,
    ) -> None:
        self._shapes = [spec.shape for spec in inputs]
        self._dtypes = [spec.dtype for spec in inputs]
        self._domains = tuple(domains)
        self._rows = tuple(rows)
        self._least_length = least_length
        self._drawn: dict[tuple[int, int], tuple[SampleBatch, ...]] = {}

    def lengths_to_try(self) -> list[tuple[int, int]]:
        """Extents of free axes for the two batches. Some models run at only one length, which is not recorded."""
        least = self._least_length
        if not least:
            return []
        if not any(None in shape[1:] for shape in self._shapes):
            return [SEQUENCE_LENGTHS[0]]
        images = any(len(shape) > 3 and None in shape[1:-1] for shape in self._shapes)
        usual = IMAGE_LENGTHS if images else SEQUENCE_LENGTHS
        tried = [pair for pair in usual if pair[0] >= least]
        if least > usual[0][0]:
            whole = -(-least // _MULTIPLE) * _MULTIPLE  # some models downsample their input by 2 and upsample it again
            tried = [(least, least + _STEP), (whole, whole + _MULTIPLE), *tried]
        return [*tried, *((length, length) for length in range(least, max(least, _LONGEST_SEARCHED)))]

    @property
    def short_will_do(self) -> bool:
        """True if no layer's input is empty at the shortest lengths."""
        return 0 < self._least_length <= SHORT_LENGTHS[0]

    def at(self, lengths: tuple[int, int]) -> tuple[SampleBatch, ...]:
        """The batches whose free axes have these lengths."""
        if lengths not in self._drawn:
            self._drawn[lengths] = tuple(
                draw_batch(self._shapes, self._dtypes, self._domains, length, size, seed)
                for seed, (length, size) in enumerate(zip(lengths, self._rows, strict=False))
            )
        return self._drawn[lengths]
