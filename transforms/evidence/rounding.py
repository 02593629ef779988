"""How far float32 itself moves the outputs of a model: what amplifies rounding cannot agree more closely than that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Two runs in float32 that sum in another order differ by a small multiple of what one differs from float64.
MULTIPLE = 4.0
#: A part of the largest output that is no rounding any more: a model that amplifies it so far tells nothing.
_MOST = 1e-2


def own_rounding(in_float64: Sequence[Array], in_float32: Sequence[Array]) -> list[float]:
    """The largest |x32 - x64| of each output, from two passes of the reference over one batch.

    0 where the passes cannot be compared (text, other shapes, numbers that are not finite in both), and where
    `MULTIPLE` of it would be more than a hundredth of the largest |x64|.
    """
    return [_largest(wide, narrow) for wide, narrow in zip(in_float64, in_float32, strict=True)]


def _largest(wide: Array, narrow: Array) -> float:
    if wide.shape != narrow.shape or wide.dtype.kind != "f" or narrow.dtype.kind != "f" or not wide.size:
        return 0.0
    finite = np.isfinite(wide)
    if not finite.any() or not np.array_equal(finite, np.isfinite(narrow)):
        return 0.0
    found = float(np.abs(wide[finite] - narrow[finite]).max())
    return found if MULTIPLE * found <= _MOST * float(np.abs(wide[finite]).max()) else 0.0
