"""Runs the reloaded artefact on batches and holds its outputs against independent evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.evidence.comparison import EQUAL, Comparison, compare_outputs, differing, is_text
from transforms.evidence.samples import IMAGE_LENGTHS, SEQUENCE_LENGTHS, SHORT_LENGTHS, SampleBatch, as_fed, draw_batch
from transforms.evidence.source_answers import ExpectedOutputs
from transforms.records.assumptions import Assumption, merged_assumptions
from transforms.records.input_domain import InputDomain
from transforms.records.outcome import Evidence
from transforms.records.staged_model import Answer, Ask, Oracle, numpy_arrays
from transforms.saved_model.loaded import InputSpec, LoadedArtefact

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
    """What the evidence says of the artefact.

    Attributes:
        evidence: the strongest that was compared with.
        comparison: against that evidence, all batches.
        reference: against the reference where golden outputs were the evidence; None when it was not run.
        batches: what was run, the one to keep first.
        outputs: the artefact's outputs on the first batch.
        assumptions: what the evidence rests on.
        decided: what golden outputs decided: they agree with the answer assumed, and another gives others.
        warnings: what weakens the evidence.
    """

    evidence: Evidence
    comparison: Comparison
    reference: Comparison | None
    batches: tuple[SampleBatch, ...]
    outputs: tuple[Array, ...]
    assumptions: tuple[Assumption, ...]
    decided: tuple[Assumption, ...]
    warnings: tuple[str, ...]


_LONGEST_SEARCHED = 128


class Validator:
    """Validates one artefact.

    Args:
        inputs: of the signature, as the artefact's graph states them.
        input_names, output_names: of the signature, in the order of the model's inputs and outputs.
        domains: what each input may hold.
        ask: asks the reference, or the rebuilt Keras model: the weakest evidence, where there is no other.
        tolerance: of every comparison.
    """

    def __init__(
        self,
        inputs: Sequence[InputSpec],
        input_names: Sequence[str],
        output_names: Sequence[str],
        domains: Sequence[InputDomain],
        ask: Ask,
        tolerance: Tolerance,
    ) -> None:
        specs = {spec.name: spec for spec in inputs}
        self._input_names = tuple(input_names)
        self._inputs = tuple(specs[name] for name in self._input_names)
        self._output_names = tuple(output_names)
        self._domains = tuple(domains)
        self._hearing = ExpectedOutputs(ask, self.as_fed)
        self._tolerance = tolerance
        self._warnings: list[str] = []
        self._assumptions: list[Assumption] = []
        self._decided: tuple[Assumption, ...] = ()
        self._artefact: LoadedArtefact | None = None
        self._batches: dict[tuple[int, int], list[SampleBatch]] = {}

    def ask_ahead(self, given: SampleBatch | None) -> None:
        """Asks the reference about the batches that will probably be run, without waiting for its answers."""
        self._hearing.ask_ahead([*([given] if given is not None else []), *self._batches_at(self._lengths_to_try()[0])])

    def validate(self, artefact: LoadedArtefact, given: SampleBatch | None) -> Validation:
        """Compares on the given batch, if any, and on drawn batches of two sizes and, where free, two lengths.

        Args:
            artefact: the written SavedModel, reloaded.
            given: the operator's samples.

        Raises:
            ValueError: the given batch does not run.
            MigrationError: whatever the converting side refuses.
        """
        self._artefact = artefact
        golden = reference = rebuilt = None
        runs = [Run(given, self.run(given.inputs))] if given is not None else []
        drawn = self._drawn()
        answers = self._hearing.answers(Oracle.REFERENCE, [run.batch for run in (*runs, *drawn)])
        if given is not None:
            if given.expected is not None:
                golden = self._compare(runs[0].outputs, given.expected)
            reference = self._against(runs[0], answers[0])
            if golden is not None and golden.within and reference is not None and not reference.within:
                self._warnings.append(f"The reference disagrees with the golden outputs ({reference.detail}).")
                return self._result(golden, reference, None, runs)
            if golden is not None and golden.within:
                self._decided = answers[0].assumptions
        judged = [(run, self._against(run, answer)) for run, answer in zip(drawn, answers[len(runs) :], strict=True)]
        if reference is None and all(found is None for _, found in judged):
            # Over many steps numbers may leave the range that the reference answers for.
            judged += self._against_all(Oracle.REFERENCE, self._runs_at(SHORT_LENGTHS))
        silent = [run for run, found in judged if found is None]
        for _, found in judged:
            reference = _worse(reference, found)
        if golden is None:
            for _, found in self._against_all(Oracle.REBUILT, silent):
                rebuilt = _worse(rebuilt, found)
        return self._result(golden, reference, rebuilt, [*runs, *(run for run, _ in judged)])

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Outputs of the reloaded artefact, in order. Raises ValueError when it does not run."""
        assert self._artefact is not None
        outputs = self._artefact.run(dict(zip(self._input_names, inputs, strict=True)))
        return tuple(outputs[name] for name in self._output_names)

    def _compare(self, outputs: Sequence[Array], evidence: Sequence[Array]) -> Comparison:
        return compare_outputs(self._output_names, outputs, evidence, self._tolerance.rtol, self._tolerance.atol)

    def _against(self, run: Run, answer: Answer) -> Comparison | None:
        """None where the oracle gives no outputs, which is a warning."""
        if answer.outputs is None:
            self._warn(answer.why_none)
            return None
        self._assumptions += answer.assumptions
        return self._compare(run.outputs, numpy_arrays(answer.outputs))

    def _against_all(self, oracle: Oracle, runs: Sequence[Run]) -> list[tuple[Run, Comparison | None]]:
        answers = self._hearing.answers(oracle, [run.batch for run in runs])
        return [(run, self._against(run, answer)) for run, answer in zip(runs, answers, strict=True)]

    def as_fed(self, batch: SampleBatch) -> list[Array]:
        """The inputs as the signature sees them: a float32 input has float32 precision for the reference too."""
        return [as_fed(x, spec.dtype) for spec, x in zip(self._inputs, batch.inputs, strict=True)]

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)

    def _drawn(self) -> list[Run]:
        """Two batches of different size and length that the artefact runs."""
        for lengths in self._lengths_to_try():
            runs = self._runs_at(lengths)
            if runs:
                return runs
        self._warn("No drawn batch gives outputs that can be compared: they are empty, not finite, or do not run.")
        return []

    def _lengths_to_try(self) -> list[tuple[int, int]]:
        """Extents of free axes for the two batches. Some models run at one length only and do not say which."""
        shapes = [spec.shape for spec in self._inputs]
        if not any(None in shape[1:] for shape in shapes):
            return [SEQUENCE_LENGTHS[0]]
        images = any(len(shape) > 3 and None in shape[1:-1] for shape in shapes)
        usual = IMAGE_LENGTHS if images else SEQUENCE_LENGTHS
        return [*usual, *((length, length) for length in range(1, _LONGEST_SEARCHED))]

    def _runs_at(self, lengths: tuple[int, int]) -> list[Run]:
        """Batches with free axes of these lengths, those that run and tell something."""
        runs = []
        for batch in self._batches_at(lengths):
            try:
                run = Run(batch, self.run(batch.inputs))
            except ValueError:
                continue  # too short for the model, perhaps; longer ones follow
            if self._tells_something(run):
                runs.append(run)
        return runs

    def _batches_at(self, lengths: tuple[int, int]) -> list[SampleBatch]:
        """Two drawn batches with free axes of these lengths, the same ones each time."""
        if lengths not in self._batches:
            shapes, dtypes = [spec.shape for spec in self._inputs], [spec.dtype for spec in self._inputs]
            self._batches[lengths] = [
                draw_batch(shapes, dtypes, self._domains, length, size, seed)
                for seed, (length, size) in enumerate(zip(lengths, (4, 3), strict=True))
            ]
        return self._batches[lengths]

    def _tells_something(self, run: Run) -> bool:
        """Outputs that are not finite say nothing, unless the evidence is finite there."""
        if not all(output.size for output in run.outputs):
            return False
        if all(is_text(output) or np.isfinite(output).all() for output in run.outputs):
            return True
        ((_, found),) = self._against_all(Oracle.REFERENCE, [run])
        return found is not None and not found.within

    def _result(
        self,
        golden: Comparison | None,
        reference: Comparison | None,
        rebuilt: Comparison | None,
        runs: Sequence[Run],
    ) -> Validation:
        evidence, comparison = Evidence.NONE, Comparison(False, np.nan, np.nan, "nothing could be compared", np.nan)
        if golden is not None:
            evidence, comparison = Evidence.GOLDEN, golden
            disagrees = reference is not None and not reference.within and not self._reference_doubted()
            if disagrees and golden.within and reference is not None:
                comparison = reference
        elif reference is not None:
            evidence, comparison = Evidence.ASSUMED if self._assumptions else Evidence.REFERENCE, reference
        elif rebuilt is not None:
            evidence, comparison = Evidence.REBUILT, rebuilt
        comparison = comparison.worse(self._repeats(runs))
        return Validation(
            evidence,
            comparison,
            reference if evidence is Evidence.GOLDEN else None,
            tuple(run.batch for run in runs),
            runs[0].outputs if runs else (),
            merged_assumptions(self._assumptions),
            self._decided,
            tuple(self._warnings),
        )

    def _reference_doubted(self) -> bool:
        return any(warning.startswith("The reference disagrees") for warning in self._warnings)

    def _repeats(self, runs: Sequence[Run]) -> Comparison:
        """The same request must get the same answer, bit by bit, a second time."""
        if not runs:
            return EQUAL
        again = self.run(runs[0].batch.inputs)
        if all(np.array_equal(a, b, equal_nan=not is_text(a)) for a, b in zip(runs[0].outputs, again, strict=True)):
            return EQUAL
        return differing("the same request got two answers")


def _worse(known: Comparison | None, found: Comparison | None) -> Comparison | None:
    if known is None or found is None:
        return known or found
    return known.worse(found)
