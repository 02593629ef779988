"""Compares outputs with evidence, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.evidence.discrimination import bounded_atol

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparison:
    """The difference of outputs from the evidence.

    Attributes:
        within: True when |a - b| <= atol + rtol |b| for every element of every output.
        max_abs_error: largest |a - b|; inf if shapes or finiteness differ.
        max_rel_error: largest |a - b| / |b| where |b| > atol.
        detail: the worst output and its difference; empty if within.
        tolerance_used: largest |a - b| / (atol + rtol |b|), at most 1 if within.
    """

    within: bool
    max_abs_error: float
    max_rel_error: float
    detail: str = ""
    tolerance_used: float = 0.0

    def worse(self, other: Comparison) -> Comparison:
        """Both comparisons combined."""
        return Comparison(
            self.within and other.within,
            max(self.max_abs_error, other.max_abs_error),
            max(self.max_rel_error, other.max_rel_error),
            self.detail or other.detail,
            max(self.tolerance_used, other.tolerance_used),
        )


EQUAL = Comparison(True, 0.0, 0.0)


def differing(detail: str) -> Comparison:
    """A difference that no tolerance covers."""
    return Comparison(False, np.inf, np.inf, detail, np.inf)


def compare_outputs(
    names: Sequence[str],
    actual: Sequence[Array],
    evidence: Sequence[Array],
    rtol: float,
    atol: float,
    rounding: Sequence[float] = (),
    *,
    bounded: bool = False,
) -> Comparison:
    """Compares outputs with the evidence, in order.

    Args:
        names: of the outputs, for messages.
        actual: outputs of the reloaded artefact.
        evidence: expected outputs.
        rtol: see `atol`.
        atol: |a - b| <= atol + rtol |b|.
        rounding: what each output may differ by beyond that; nothing where none is given.
        bounded: whether `atol` is at most a hundredth of the largest number that each output should give.
    """
    if len(actual) != len(evidence):
        return differing(f"{len(actual)} outputs where the evidence has {len(evidence)}")
    result = EQUAL
    for name, a, b, more in zip(names, actual, evidence, rounding or (0.0,) * len(names), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        result = result.worse(_compare(name, a, b, rtol, bounded_atol(b, atol) if bounded else atol, more))
    return result


def is_text(values: Array) -> bool:
    """True for an array of text, which is compared for equality."""
    return values.dtype.kind == "S"


def _compare(name: str, a: Array, b: Array, rtol: float, atol: float, rounding: float) -> Comparison:
    if a.shape != b.shape:
        return differing(f"{name}: shape {list(a.shape)} where it should be {list(b.shape)}")
    if is_text(a) or is_text(b):
        return EQUAL if np.array_equal(a, b) else differing(f"{name}: other text")
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(np.isfinite(a), finite):
        return differing(f"{name}: not finite where the evidence is, or the reverse")
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return differing(f"{name}: infinite or no number otherwise than the evidence is")
    error, size = np.abs(a[finite] - b[finite]), np.abs(b[finite])
    if not error.size:
        return EQUAL
    sized = size > atol
    relative = float((error[sized] / size[sized]).max()) if sized.any() else 0.0
    tolerance = atol + rtol * size + rounding
    within = bool((error <= tolerance).all())
    used = float((error[tolerance > 0] / tolerance[tolerance > 0]).max(initial=0.0))
    if (error[tolerance == 0] > 0).any():
        used = np.inf
    worst = float(error.max())
    detail = "" if within else f"{name}: off by {worst:.3g} on values up to {float(size.max()):.3g}"
    return Comparison(within, worst, relative, detail, used)
