"""Maps numbers of legacy arrays to positions in canonical arrays, by sending numbered arrays through the rewrites.

An optimizer stores numbers for each number of a parameter. They can be migrated if a rewrite moves numbers (a
transposed kernel), but not if it computes new ones (a sum of two biases).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from transforms.architecture.graph import LayerPath
from transforms.canonical import canonicalise
from transforms.legacy.model import LegacyModel
from transforms.source.stored_array import StoredArray
from transforms.weights.slots import ArraySlot

Positions = npt.NDArray[np.int64]
_DIGIT = 1 << 23  # exact in float32


@dataclass(frozen=True)
class _Numbered(StoredArray):
    codes: npt.NDArray[np.float32]

    def read(self) -> npt.NDArray[np.generic]:
        return self.codes.reshape(self.shape)


def array_positions(
    legacy: LegacyModel,
    parameters: Sequence[ArraySlot],
    wanted: Iterable[tuple[LayerPath, str]],
    sample_shape: Sequence[int] | None = None,
) -> Mapping[tuple[LayerPath, str], Positions]:
    """The origin of each number of canonical arrays.

    Args:
        legacy: the model as read.
        parameters: legacy arrays, numbered as if flattened and concatenated.
        wanted: path and role of canonical arrays.
        sample_shape: as for `canonicalise`.

    Returns:
        Positions of the canonical array's shape; a canonical array is missing if some number of it is not exactly one
        number of one parameter.
    """
    sizes = [legacy.arrays[slot.path][slot.role.name].size for slot in parameters]
    numbers = np.arange(sum(sizes), dtype=np.int64)
    check = np.random.default_rng(0).integers(1, _DIGIT, numbers.size)
    wanted = list(wanted)
    if not sizes:
        return {}
    low, high, checked = (
        _sent_through(legacy, parameters, sizes, code.astype(np.float32), wanted, sample_shape)
        for code in (numbers % _DIGIT + 1, numbers // _DIGIT + 1, check)
    )
    found = {}
    for place in wanted:
        whole = all(np.array_equal(each[place], np.rint(each[place])) for each in (low, high, checked))
        positions = (low[place].astype(np.int64) - 1) + (high[place].astype(np.int64) - 1) * _DIGIT
        if whole and _is_inside(positions, numbers.size) and np.array_equal(check[positions], checked[place]):
            found[place] = positions
    return found


def _is_inside(positions: Positions, size: int) -> bool:
    return positions.size == 0 or (positions.min() >= 0 and int(positions.max()) < size)


def _sent_through(
    legacy: LegacyModel,
    parameters: Sequence[ArraySlot],
    sizes: Sequence[int],
    codes: npt.NDArray[np.float32],
    wanted: Sequence[tuple[LayerPath, str]],
    sample_shape: Sequence[int] | None,
) -> Mapping[tuple[LayerPath, str], npt.NDArray[np.float64]]:
    """The canonical arrays of a model whose parameters are these codes, and whose other arrays are 0."""
    parts = dict(
        zip([(slot.path, slot.role.name) for slot in parameters], np.split(codes, np.cumsum(sizes)[:-1]), strict=True)
    )
    arrays = {
        path: {
            role: _Numbered(
                array.name, array.shape, array.dtype, parts.get((path, role), np.zeros(array.size, np.float32))
            )
            for role, array in held.items()
        }
        for path, held in legacy.arrays.items()
    }
    canonical = canonicalise(replace(legacy, arrays=arrays), sample_shape)
    return {(path, role): canonical.arrays[path][role].read().astype(np.float64) for path, role in wanted}
