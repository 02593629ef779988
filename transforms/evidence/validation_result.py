"""What validating an artefact gives: the outputs of its runs, compared with each kind of evidence, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.evidence.comparison import Comparison
from transforms.evidence.samples import SampleBatch
from transforms.records.assumptions import Assumption
from transforms.records.outcome import Evidence

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Tolerance:
    """|a - b| <= atol + rtol |b|."""

    rtol: float
    atol: float


@dataclass(frozen=True)
class Run:
    """A batch, and the artefact's outputs on it in order."""

    batch: SampleBatch
    outputs: tuple[Array, ...]


@dataclass(frozen=True)
class Validation:
    """The result of comparing the artefact with the evidence.

    Attributes:
        evidence: the strongest kind that was compared.
        comparison: with that evidence, over all batches.
        reference: comparison with the reference if golden outputs were the evidence; None if it was not run.
        batches: the batches run; the first is stored with the artefact.
        outputs: the artefact's outputs on the first batch.
        assumptions: those that the evidence depends on.
        decided: what golden outputs decided: they agree with the answer assumed, and another gives others.
        warnings: facts that weaken the evidence.
    """

    evidence: Evidence
    comparison: Comparison
    reference: Comparison | None
    batches: tuple[SampleBatch, ...]
    outputs: tuple[Array, ...]
    assumptions: tuple[Assumption, ...]
    decided: tuple[Assumption, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Comparisons:
    """The artefact's outputs compared with each kind of evidence, None if it was not available.

    Attributes:
        golden: expected outputs that came with the row.
        reference: the independent reference, on the given and the drawn batches.
        rebuilt: the rebuilt Keras model.
        assumed: whether the reference's outputs depend on something that the file does not record.
        golden_tells: whether the golden outputs include some that another artefact would not give.
        reference_refuted: golden outputs agree with the artefact where the reference does not: the reference is wrong
            about this model and is ignored.
    """

    golden: Comparison | None = None
    reference: Comparison | None = None
    rebuilt: Comparison | None = None
    assumed: bool = False
    golden_tells: bool = True
    reference_refuted: bool = False

    def strongest(self) -> tuple[Evidence, Comparison]:
        """The evidence that decides: golden outputs, unless the reference finds a difference on batches without
        them.

        Golden outputs that distinguish nothing are no evidence; but an artefact that differs from them is wrong.
        """
        if self.golden is not None and (self.golden_tells or not self.golden.within):
            other = self.reference
            outvoted = self.golden.within and other is not None and not other.within and not self.reference_refuted
            return Evidence.GOLDEN, other if outvoted and other is not None else self.golden
        if self.reference is not None:
            return Evidence.ASSUMED if self.assumed else Evidence.REFERENCE, self.reference
        if self.rebuilt is not None:
            return Evidence.REBUILT, self.rebuilt
        return Evidence.NONE, Comparison(False, np.nan, np.nan, "nothing could be compared", np.nan)


def worse_of(known: Comparison | None, found: Comparison | None) -> Comparison | None:
    """The worse of two comparisons; None stands for one that was not made."""
    if known is None or found is None:
        return known or found
    return known.worse(found)
