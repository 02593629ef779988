"""Runs the reloaded artefact on batches and holds its outputs against independent evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.comparison import EQUAL, Comparison, compare_outputs, differing
from transforms.input_domains import InputDomain
from transforms.loaded_artefact import LoadedArtefact
from transforms.outcome import Evidence
from transforms.samples import IMAGE_LENGTHS, SEQUENCE_LENGTHS, SHORT_LENGTHS, SampleBatch, draw_batch
from transforms.staged_model import Question, Testimony, Witness, numpy_arrays, plain_arrays

Array = npt.NDArray[Any]
Testify = Callable[[Question], Testimony]


@dataclass(frozen=True)
class Tolerance:
    """|a - b| <= atol + rtol |b|."""

    rtol: float
    atol: float


@dataclass(frozen=True)
class Validation:
    """What the evidence says of the artefact.

    Attributes:
        evidence: the strongest that was compared with.
        comparison: against that evidence, all batches.
        reference: against the reference where golden outputs were the evidence; None when it was not run.
        batches: what was run, the one to keep first.
        outputs: the artefact's outputs on the first batch.
        warnings: what weakens the evidence.
    """

    evidence: Evidence
    comparison: Comparison
    reference: Comparison | None
    batches: tuple[SampleBatch, ...]
    outputs: tuple[Array, ...]
    warnings: tuple[str, ...]


_LONGEST_SEARCHED = 128


class Validator:
    """Validates one artefact.

    Args:
        artefact: the written SavedModel, reloaded.
        input_names, output_names: of the signature, in the order of the model's inputs and outputs.
        domains: what each input may hold.
        testify: asks the reference, or the rebuilt Keras model: the weakest evidence, where there is no other.
        tolerance: of every comparison.
    """

    def __init__(
        self,
        artefact: LoadedArtefact,
        input_names: Sequence[str],
        output_names: Sequence[str],
        domains: Sequence[InputDomain],
        testify: Testify,
        tolerance: Tolerance,
    ) -> None:
        self._artefact = artefact
        self._input_names = tuple(input_names)
        self._output_names = tuple(output_names)
        self._domains = tuple(domains)
        self._testify = testify
        self._tolerance = tolerance
        self._warnings: list[str] = []

    def validate(self, given: SampleBatch | None) -> Validation:
        """Compares on the given batch, if any, and on drawn batches of two sizes and, where free, two lengths.

        Raises MigrationError when a given batch does not run.
        """
        golden = reference = rebuilt = None
        batches = [given] if given is not None else []
        if given is not None:
            outputs = self.run(given.inputs)
            if given.expected is not None:
                golden = self._compare(outputs, given.expected)
            reference = self._against_reference(given, outputs)
            if golden is not None and golden.within and reference is not None and not reference.within:
                self._warnings.append(f"The reference disagrees with the golden outputs ({reference.detail}).")
                return self._result(golden, reference, None, batches)
        judged = [(*run, self._against_reference(*run)) for run in self._drawn()]
        if reference is None and all(found is None for *_, found in judged):
            # Over many steps numbers may leave the range that the reference answers for.
            judged += [(*run, self._against_reference(*run)) for run in self._runs_at(SHORT_LENGTHS)]
        for batch, outputs, found in judged:
            batches.append(batch)
            if found is not None:
                reference = found if reference is None else reference.worse(found)
            elif golden is None:
                weak = self._against(Witness.REBUILT, batch, outputs)
                rebuilt = weak if rebuilt is None or weak is None else rebuilt.worse(weak)
        return self._result(golden, reference, rebuilt, batches)

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Outputs of the reloaded artefact, in order. Raises ValueError when it does not run."""
        outputs = self._artefact.run(dict(zip(self._input_names, inputs, strict=True)))
        return [outputs[name] for name in self._output_names]

    def _compare(self, outputs: Sequence[Array], evidence: Sequence[Array]) -> Comparison:
        return compare_outputs(self._output_names, outputs, evidence, self._tolerance.rtol, self._tolerance.atol)

    def _against_reference(self, batch: SampleBatch, outputs: Sequence[Array]) -> Comparison | None:
        return self._against(Witness.REFERENCE, batch, outputs)

    def _against(self, witness: Witness, batch: SampleBatch, outputs: Sequence[Array]) -> Comparison | None:
        """None when the witness has nothing to say, which is a warning."""
        answer = self._testify(Question(witness, plain_arrays(self.as_fed(batch)), batch.origin))
        if answer.outputs is None:
            self._warn(answer.silence)
            return None
        return self._compare(outputs, numpy_arrays(answer.outputs))

    def as_fed(self, batch: SampleBatch) -> list[Array]:
        """The inputs as the signature sees them: a float32 input has float32 precision for the reference too."""
        dtypes = {spec.name: spec.dtype for spec in self._artefact.inputs}
        return [np.asarray(x).astype(dtypes[name]) for name, x in zip(self._input_names, batch.inputs, strict=True)]

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)

    def _drawn(self) -> list[tuple[SampleBatch, list[Array]]]:
        """Two batches of different size and length that the artefact runs, with its outputs."""
        for lengths in self._lengths_to_try():
            runs = self._runs_at(lengths)
            if runs:
                return runs
        self._warn("No drawn batch gives outputs that can be compared: they are empty, not finite, or do not run.")
        return []

    def _lengths_to_try(self) -> list[tuple[int, int]]:
        """Extents of free axes for the two batches. Some models run at one length only and do not say which."""
        shapes = [spec.shape for spec in self._artefact.inputs]
        if not any(None in shape[1:] for shape in shapes):
            return [SEQUENCE_LENGTHS[0]]
        images = any(len(shape) > 3 and None in shape[1:-1] for shape in shapes)
        usual = IMAGE_LENGTHS if images else SEQUENCE_LENGTHS
        return [*usual, *((length, length) for length in range(1, _LONGEST_SEARCHED))]

    def _runs_at(self, lengths: tuple[int, int]) -> list[tuple[SampleBatch, list[Array]]]:
        """Batches with free axes of these lengths, those that run and tell something."""
        specs = {spec.name: spec for spec in self._artefact.inputs}
        ordered = [specs[name] for name in self._input_names]
        shapes, dtypes = [spec.shape for spec in ordered], [spec.dtype for spec in ordered]
        runs = []
        for seed, (length, size) in enumerate(zip(lengths, (4, 3), strict=True)):
            batch = draw_batch(shapes, dtypes, self._domains, length, size, seed)
            try:
                outputs = self.run(batch.inputs)
            except ValueError:
                continue  # too short for the model, perhaps; longer ones follow
            if self._tells_something(batch, outputs):
                runs.append((batch, outputs))
        return runs

    def _tells_something(self, batch: SampleBatch, outputs: Sequence[Array]) -> bool:
        """Outputs that are not finite say nothing, unless the evidence is finite there."""
        if not all(output.size for output in outputs):
            return False
        if all(np.isfinite(output).all() for output in outputs):
            return True
        found = self._against_reference(batch, outputs)
        return found is not None and not found.within

    def _result(
        self,
        golden: Comparison | None,
        reference: Comparison | None,
        rebuilt: Comparison | None,
        batches: Sequence[SampleBatch],
    ) -> Validation:
        evidence, comparison = Evidence.NONE, Comparison(False, np.nan, np.nan, "nothing could be compared", np.nan)
        if golden is not None:
            evidence, comparison = Evidence.GOLDEN, golden
            disagrees = reference is not None and not reference.within and not self._reference_doubted()
            if disagrees and golden.within and reference is not None:
                comparison = reference
        elif reference is not None:
            evidence, comparison = Evidence.REFERENCE, reference
        elif rebuilt is not None:
            evidence, comparison = Evidence.REBUILT, rebuilt
        outputs = self.run(batches[0].inputs) if batches else []
        comparison = comparison.worse(self._repeats(batches, outputs))
        return Validation(
            evidence,
            comparison,
            reference if evidence is Evidence.GOLDEN else None,
            tuple(batches),
            tuple(outputs),
            tuple(self._warnings),
        )

    def _reference_doubted(self) -> bool:
        return any(warning.startswith("The reference disagrees") for warning in self._warnings)

    def _repeats(self, batches: Sequence[SampleBatch], outputs: Sequence[Array]) -> Comparison:
        """The same request must get the same answer, bit by bit, a second time."""
        if not batches:
            return EQUAL
        again = self.run(batches[0].inputs)
        if all(np.array_equal(a, b, equal_nan=True) for a, b in zip(outputs, again, strict=True)):
            return EQUAL
        return differing("the same request got two answers")
