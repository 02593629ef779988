"""Whether expected outputs tell a wrong artefact from a right one.

Outputs that one constant fits within the tolerance, such as those of a dead ReLU, agree with any artefact that gives
this constant; and so do outputs that are all below the absolute tolerance with one that gives zeros. Agreement with
them is no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: The absolute tolerance is at most this share of the largest output.
_SHARE = 0.01


def bounded_atol(expected: Array, atol: float) -> float:
    """The absolute tolerance that outputs of this size allow: min(atol, max |b| / 100); `atol` for text."""
    if expected.dtype.kind == "S":
        return atol
    sizes = np.abs(expected.astype(np.float64))
    return float(min(atol, _SHARE * sizes[np.isfinite(sizes)].max(initial=0.0)))


def tells_apart(expected: Array, others: Sequence[Array], rtol: float, atol: float) -> bool:
    """False where one constant c fits all expected outputs b: |c - b| <= atol + rtol |b|, with the bounded atol.

    Args:
        expected: one output.
        others: what the artefact gives for it on other batches: a single expected number tells something where these
            differ from it.
        rtol: see above.
        atol: see above, before it is bounded.
    """
    if expected.dtype.kind == "S":
        return len(np.unique(expected)) > 1
    if expected.size == 1:
        expected = np.concatenate([expected.ravel(), *(other.ravel() for other in others)])
    values = expected.astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return False
    tolerance = bounded_atol(values, atol) + rtol * np.abs(values)
    return bool((values - tolerance).max() > (values + tolerance).min())
