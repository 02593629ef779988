"""The original arrays of layers: widened to float64 when a rule looks at them, read once for several batches.

Large kernels are worked through in blocks, so that no second copy of them is ever held in float64.
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

#: Scalars of a kernel that are widened at a time: with its float64 copy a block stays in a core's cache.
_BLOCK = 64 << 10
#: Kernels of up to so many scalars are widened once, as a whole.
_SMALL = 1 << 20
#: Bytes, as stored, that are kept from one layer to the next.
_KEPT_BYTES = 16 << 20


class LayerWeights(Mapping[str, Array]):
    """The arrays of one layer by role: floats are float64 on looking one up, and kept so.

    Args:
        stored: by role, in the precision of the file.
    """

    def __init__(self, stored: Mapping[str, Array]) -> None:
        self._stored = dict(stored)
        self._wide: dict[str, Array] = {}

    def __getitem__(self, role: str) -> Array:
        if role not in self._wide:
            stored = self._stored[role]
            self._wide[role] = np.asarray(stored, dtype=np.float64) if stored.dtype.kind == "f" else stored
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
    """The array as stored, where that is known; else as it is."""
    return weights.as_stored(role) if isinstance(weights, LayerWeights) else weights[role]


def product(x: Array, weights: Mapping[str, Array], role: str) -> Array:
    """The product x W in float64: x (..., d), W (d, u) of the given role, gives (..., u).

    y = sum over blocks b of x[..., b] W[b, :], each block of W widened by itself.
    """
    stored = narrow(weights, role)
    if stored.ndim != 2 or stored.size <= _SMALL or stored.dtype == np.float64 or x.shape[-1] != len(stored):
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
    """W[ids] in float64: ids (...) and W (n, d) of the given role give (..., d). Raises IndexError outside of W."""
    return np.asarray(narrow(weights, role)[ids], dtype=np.float64)


class OriginalWeights:
    """The layers' weights while a model is run: each read when it is first needed, large ones dropped soon after.

    Args:
        weights_of: reads those of a leaf layer.
    """

    def __init__(self, weights_of: WeightsOf) -> None:
        self._weights_of = weights_of
        self._layers: dict[LayerPath, LayerWeights] = {}
        self._bytes = 0

    def of(self, path: LayerPath) -> LayerWeights:
        """The weights of a leaf layer. Raises whatever reading them raises."""
        if path not in self._layers:
            self._layers[path] = LayerWeights(self._weights_of(path))
            self._bytes += self._layers[path].stored_bytes
        return self._layers[path]

    def settle(self) -> None:
        """A layer has been run on every batch: its weights are kept for other calls only where all of them are few."""
        if self._bytes > _KEPT_BYTES:
            self._layers.clear()
            self._bytes = 0
