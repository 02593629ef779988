"""The original arrays of layers: converted to float64 on access, read once for several batches.

Large kernels are processed in blocks, so that no complete float64 copy of them is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.architecture.graph import LayerPath

Array: TypeAlias = npt.NDArray[Any]

#: The original arrays of a leaf layer by role.
WeightsOf: TypeAlias = Callable[[LayerPath], Mapping[str, Array]]

#: Scalars of a kernel converted at a time: with its float64 copy a block fits in a core's cache.
_BLOCK = 64 << 10
#: Kernels of up to so many scalars are converted once, completely.
_SMALL = 1 << 20
#: Bytes, as stored, that are cached from one layer to the next.
_KEPT_BYTES = 16 << 20


class LayerWeights(Mapping[str, Array]):
    """The arrays of one layer by role: floats are converted to float64 on access, and cached.

    Args:
        stored: by role, in the precision of the file.
        precision: of floats that are looked up, where it is another.
    """

    def __init__(self, stored: Mapping[str, Array], precision: npt.DTypeLike = np.float64) -> None:
        self._stored = dict(stored)
        self._precision = precision
        self._wide: dict[str, Array] = {}

    def __getitem__(self, role: str) -> Array:
        if role not in self._wide:
            stored = self._stored[role]
            self._wide[role] = np.asarray(stored, dtype=self._precision) if stored.dtype.kind == "f" else stored
        return self._wide[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def as_stored(self, role: str) -> Array:
        """The array in the precision of the file."""
        return self._stored[role]

    @property
    def stored_bytes(self) -> int:
        """Bytes of the arrays in the precision of the file."""
        return sum(array.nbytes for array in self._stored.values())


def narrow(weights: Mapping[str, Array], role: str) -> Array:
    """The stored array of a converted one, if known; else the array itself."""
    return weights.as_stored(role) if isinstance(weights, LayerWeights) else weights[role]


def product(x: Array, weights: Mapping[str, Array], role: str) -> Array:
    """The product x W in float64: x (..., d), W (d, u) of the given role, gives (..., u).

    y = sum over blocks b of x[..., b] W[b, :], each block of W converted by itself.
    """
    stored = narrow(weights, role)
    if stored.ndim != 2 or stored.size <= _SMALL or stored.dtype == x.dtype or x.shape[-1] != len(stored):
        return np.asarray(x @ weights[role])
    depth, units = stored.shape
    height = min(depth, max(1, _BLOCK // units, x.size // depth))  # adding a block to y costs as many rows of y
    block, y = np.empty((height, units)), np.zeros((*x.shape[:-1], units))
    for start in range(0, depth, height):
        wide = block[: min(height, depth - start)]
        np.copyto(wide, stored[start : start + height])
        y += x[..., start : start + height] @ wide
    return y


def rows(weights: Mapping[str, Array], role: str, ids: Array) -> Array:
    """W[ids] in float64: ids (...) and W (n, d) of the given role give (..., d). Raises IndexError for ids outside
    W.
    """
    return np.asarray(narrow(weights, role)[ids], dtype=np.float64)


class OriginalWeights:
    """The layers' weights during a run: each read when first needed, large ones dropped soon after.

    Args:
        weights_of: reads those of a leaf layer.
        precision: of the floats that layers are given.
    """

    def __init__(self, weights_of: WeightsOf, precision: npt.DTypeLike = np.float64) -> None:
        self._weights_of = weights_of
        self.precision = precision
        self._layers: dict[LayerPath, LayerWeights] = {}
        self._bytes = 0

    def of(self, path: LayerPath) -> LayerWeights:
        """The weights of a leaf layer. Raises the errors of reading them."""
        if path not in self._layers:
            self._layers[path] = LayerWeights(self._weights_of(path), self.precision)
            self._bytes += self._layers[path].stored_bytes
        return self._layers[path]

    def settle(self) -> None:
        """Called when a layer has been run on every batch: its weights stay cached for other calls only if they are
        few.
        """
        if self._bytes > _KEPT_BYTES:
            self._layers.clear()
            self._bytes = 0
