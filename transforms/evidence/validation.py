"""Runs the reloaded artefact on batches and compares its outputs with independent evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from transforms.evidence.comparison import EQUAL, Comparison, compare_outputs, differing, is_text
from transforms.evidence.discrimination import tells_apart
from transforms.evidence.drawn_batches import SHORT_LENGTHS, DrawnBatches
from transforms.evidence.rounding import MULTIPLE, own_rounding
from transforms.evidence.samples import SampleBatch, as_fed
from transforms.evidence.source_answers import ExpectedOutputs
from transforms.evidence.validation_result import Comparisons, Run, Tolerance, Validation, worse_of
from transforms.records.assumptions import Assumption, merged_assumptions
from transforms.records.input_domain import InputDomain
from transforms.records.outcome import Evidence
from transforms.records.staged_model import Answer, Ask, Oracle, numpy_arrays

if TYPE_CHECKING:
    from transforms.saved_model.loaded import InputSpec, LoadedArtefact

Array = npt.NDArray[Any]
_NAMES_SHOWN = 200


class Validator:
    """Validates one artefact.

    Args:
        inputs: of the signature, as the artefact's graph states them.
        input_names, output_names: of the signature, in the order of the model's inputs and outputs.
        domains: of the values of each input.
        ask: queries the reference, or the rebuilt Keras model, which is the weakest evidence if there is no other.
        tolerance: of every comparison.
        batch_rows: rows of each drawn batch, one or two.
        least_length: of free axes in drawn batches; 0 to draw none.
    """

    def __init__(
        self,
        inputs: Sequence[InputSpec],
        input_names: Sequence[str],
        output_names: Sequence[str],
        domains: Sequence[InputDomain],
        ask: Ask,
        tolerance: Tolerance,
        batch_rows: Sequence[int] = (4, 3),
        least_length: int = 1,
    ) -> None:
        specs = {spec.name: spec for spec in inputs}
        self._inputs = tuple(specs[name] for name in input_names)
        self.output_names = tuple(output_names)
        self.tolerance = tolerance
        self.expected = ExpectedOutputs(ask, self.as_fed)
        self.drawn = DrawnBatches(self._inputs, domains, batch_rows, least_length)

    def ask_ahead(self, given: SampleBatch | None) -> None:
        """Requests the reference's outputs for the batches that will probably be run, without waiting for them."""
        probable = [batch for lengths in self.drawn.lengths_to_try()[:1] for batch in self.drawn.at(lengths)]
        self.expected.ask_ahead([*([given] if given is not None else []), *probable])

    def as_fed(self, batch: SampleBatch) -> list[Array]:
        """The inputs, cast to the signature's dtypes: a float32 input has float32 precision for the reference too."""
        return [as_fed(x, spec.dtype) for spec, x in zip(self._inputs, batch.inputs, strict=True)]

    def own_rounding(self, batch: SampleBatch) -> list[float]:
        """How far float32 itself moves each output on a batch; nothing where the reference does not answer."""
        wide, narrow = (
            self.expected.answers(oracle, [batch])[0].outputs
            for oracle in (Oracle.REFERENCE, Oracle.REFERENCE_IN_FLOAT32)
        )
        return own_rounding(numpy_arrays(wide), numpy_arrays(narrow)) if wide and narrow else []

    def run(self, artefact: LoadedArtefact, batch: SampleBatch) -> Run:
        """Outputs of the reloaded artefact, in order. Raises ValueError if it does not run."""
        outputs = artefact.run({spec.name: x for spec, x in zip(self._inputs, batch.inputs, strict=True)})
        return Run(batch, tuple(outputs[name] for name in self.output_names))

    def validate(self, artefact: LoadedArtefact, given: SampleBatch | None) -> Validation:
        """Compares on the given batch, if any, and on drawn batches of two sizes and, for free axes, two lengths.

        Args:
            artefact: the written SavedModel, reloaded.
            given: the operator's samples.

        Raises:
            ValueError: the given batch does not run.
            MigrationError: a refusal of the converting side.
        """
        return _Examination(self, artefact).validation(given)


class _Examination:
    """The validation of one artefact in progress: its outputs, and warnings about the evidence."""

    def __init__(self, validator: Validator, artefact: LoadedArtefact) -> None:
        self._validator = validator
        self._artefact = artefact
        self._warnings: list[str] = []
        self._assumptions: list[Assumption] = []
        self._decided: tuple[Assumption, ...] = ()
        self._amplified: list[tuple[Comparison, dict[str, float]]] = []

    def validation(self, given: SampleBatch | None) -> Validation:
        runs = [self._run(given)] if given is not None else []
        drawn = self._drawn()
        answers = self._validator.expected.answers(Oracle.REFERENCE, [run.batch for run in (*runs, *drawn)])
        golden = reference = rebuilt = None
        golden_tells = False
        if given is not None:
            for warning in given.warnings:
                self._warn(warning)
            if given.expected is not None:
                golden = self._compared(runs[0], given.expected)
                golden_tells = self._tells_apart(runs[0].outputs, given.expected, drawn)
            reference = self._against(runs[0], answers[0])
            if golden is not None and golden.within and golden_tells and reference is not None and not reference.within:
                self._warn(f"The reference disagrees with the golden outputs ({reference.detail}).")
                return self._result(Comparisons(golden, reference, reference_refuted=True), runs)
            if golden is not None and golden.within and golden_tells:
                self._decided = answers[0].assumptions
        judged = [(run, self._against(run, answer)) for run, answer in zip(drawn, answers[len(runs) :], strict=True)]
        unanswered = runs if reference is None else []
        if reference is None and all(found is None for _, found in judged) and self._validator.drawn.short_will_do:
            # Over many steps numbers may leave the range that the reference covers.
            judged += self._against_all(Oracle.REFERENCE, self._runs_at(SHORT_LENGTHS))
        silent = [*unanswered, *(run for run, found in judged if found is None)]
        for _, compared in judged:
            reference = worse_of(reference, compared)
        if golden is None or not golden_tells:
            for _, compared in self._against_all(Oracle.REBUILT, silent):
                rebuilt = worse_of(rebuilt, compared)
        found = Comparisons(golden, reference, rebuilt, bool(self._assumptions), golden_tells)
        return self._result(found, [*runs, *(run for run, _ in judged)])

    def _run(self, batch: SampleBatch) -> Run:
        return self._validator.run(self._artefact, batch)

    def _compared(self, run: Run, evidence: Sequence[Array]) -> Comparison:
        """With the evidence; where they differ, also beyond what the model's own rounding explains."""
        names, tolerance = self._validator.output_names, self._validator.tolerance
        found = compare_outputs(names, run.outputs, evidence, tolerance.rtol, tolerance.atol)
        if found.within or not np.isfinite(found.max_abs_error):
            return found
        rounding = self._validator.own_rounding(run.batch)
        allowed = [MULTIPLE * each for each in rounding]
        again = compare_outputs(names, run.outputs, evidence, tolerance.rtol, tolerance.atol, allowed)
        if not again.within:
            return found
        self._amplified.append((found, dict(zip(names, rounding, strict=True))))
        return again

    def _tells_apart(self, outputs: Sequence[Array], expected: Sequence[Array], drawn: Sequence[Run]) -> bool:
        """Whether any expected output distinguishes a wrong artefact from a right one; the others cause warnings."""
        rtol, atol = self._validator.tolerance.rtol, self._validator.tolerance.atol
        silent = [
            name
            for index, (name, output) in enumerate(zip(self._validator.output_names, expected, strict=False))
            if not tells_apart(np.asarray(output), [run.outputs[index] for run in drawn], rtol, atol)
        ]
        if silent:
            self._warn(
                f"The expected outputs of {', '.join(silent)[:_NAMES_SHOWN]} prove nothing: within the tolerance they "
                "are the same number throughout."
            )
        names = self._validator.output_names
        plain, bounded = (
            compare_outputs(names, outputs, expected, rtol, atol, bounded=each).within for each in (False, True)
        )
        if plain and not bounded:
            self._warn(
                "The expected outputs prove nothing: they are so small that the absolute tolerance alone covers"
                " what the artefact's outputs differ by."
            )
            return False
        return len(silent) < len(expected)

    def _against(self, run: Run, answer: Answer) -> Comparison | None:
        """Compares with one kind of evidence; None, with a warning, if it gives no outputs."""
        if answer.outputs is None:
            self._warn(answer.why_none)
            return None
        self._assumptions += answer.assumptions
        return self._compared(run, numpy_arrays(answer.outputs))

    def _against_all(self, oracle: Oracle, runs: Sequence[Run]) -> list[tuple[Run, Comparison | None]]:
        answers = self._validator.expected.answers(oracle, [run.batch for run in runs])
        return [(run, self._against(run, answer)) for run, answer in zip(runs, answers, strict=True)]

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)

    def _drawn(self) -> list[Run]:
        """Draws two batches of different size and length on which the artefact runs."""
        for lengths in self._validator.drawn.lengths_to_try():
            runs = self._runs_at(lengths)
            if runs:
                return runs
        self._warn("No drawn batch gives outputs that can be compared: they are empty, not finite, or do not run.")
        return []

    def _runs_at(self, lengths: tuple[int, int]) -> list[Run]:
        """The drawn batches with free axes of these lengths on which the artefact runs with usable outputs."""
        runs = []
        for batch in self._validator.drawn.at(lengths):
            try:
                run = self._run(batch)
            except ValueError:
                continue  # too short for the model, perhaps; longer ones follow
            if self._tells_something(run):
                runs.append(run)
        return runs

    def _tells_something(self, run: Run) -> bool:
        """Whether outputs can be compared: they are finite, or the evidence is finite where they are not."""
        if not all(output.size for output in run.outputs):
            return False
        if all(is_text(output) or np.isfinite(output).all() for output in run.outputs):
            return True
        ((_, found),) = self._against_all(Oracle.REFERENCE, [run])
        return found is not None and not found.within

    def _result(self, found: Comparisons, runs: Sequence[Run]) -> Validation:
        evidence, comparison = found.strongest()
        return Validation(
            evidence,
            comparison.worse(self._repeats(runs)),
            found.reference if evidence is Evidence.GOLDEN else None,
            tuple(run.batch for run in runs),
            runs[0].outputs if runs else (),
            merged_assumptions(self._assumptions),
            self._decided,
            (*self._warnings, *self._told_of_rounding()),
        )

    def _told_of_rounding(self) -> list[str]:
        """One warning of the worst difference that the model's own rounding explains."""
        if not self._amplified:
            return []
        found, rounding = max(self._amplified, key=lambda each: each[0].max_abs_error)
        moved = ", ".join(f"{name} by {each:.3g}" for name, each in rounding.items() if each)
        return [
            f"The model amplifies rounding: {found.detail}; float32 in place of float64 moves {moved}, and up to "
            f"{MULTIPLE:g} times that is accepted."
        ]

    def _repeats(self, runs: Sequence[Run]) -> Comparison:
        """Checks that the same request gives the same outputs, bit by bit, a second time."""
        if not runs:
            return EQUAL
        again = self._run(runs[0].batch).outputs
        if all(np.array_equal(a, b, equal_nan=not is_text(a)) for a, b in zip(runs[0].outputs, again, strict=True)):
            return EQUAL
        return differing("the same request gave different outputs")
