"""A weight in a source file, whatever the file's format: name, shape and dtype are known, the values not yet read."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class StoredArray(ABC):
    """A weight in the file, not yet read.

    Attributes:
        name: as stored, e.g. `lstm_1/kernel:0`.
        shape, dtype: as stored; dtype may be of either endianness.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def size(self) -> int:
        """Number of scalars."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size of the values, decompressed."""
        return self.size * self.dtype.itemsize

    @property
    def stored_bytes(self) -> int:
        """Size of the values in the file."""
        return self.bytes

    @abstractmethod
    def read(self) -> npt.NDArray[np.generic]:
        """The array in native byte order, of its stored shape and precision. Raises MigrationError if damaged."""
