"""The verifying side of a migration: scans a staged artefact, reloads it from disk, runs it, compares it with evidence.

It never parses the source. Artefacts with the same graph are loaded once: the *written* variables of a further one are
restored from disk into the loaded graph.
"""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from transforms.errors import MigrationError, Reason
from transforms.evidence.samples import read_samples
from transforms.evidence.validation import Validator
from transforms.evidence.validation_result import Tolerance, Validation
from transforms.records.outcome import EVIDENCE_ORDER, Evidence, MigrationOutcome, MigrationRequest, Status
from transforms.records.staged_model import Ask, VerificationRequest
from transforms.saved_model.file_names import GRAPH
from transforms.saved_model.loaded import LoadedArtefact, stated_inputs
from transforms.saved_model.metadata_check import check_metadata
from transforms.saved_model.operation_check import check_operations, refuse_other_files
from transforms.saved_model.serving_warmup import write_warmup
from transforms.saved_model.writer import SIGNATURE, disk_errors

#: Maximum number of cached graphs, and of bytes of variables in one of them.
_KEPT = 32
_KEPT_BYTES = 256 << 20


class Verification:
    """Verifies staged artefacts, and caches loaded and scanned graphs."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, LoadedArtefact] = OrderedDict()
        self._checked_metadata: set[str] = set()
        self._dropped = False

    def verify(self, asked: VerificationRequest, ask: Ask) -> MigrationOutcome:
        """The outcome of one staged model: `migrated`, with samples and warm-up written beside it, or the reason of
        failure.

        Expected failures, including those of `ask`, are returned as an outcome with a reason, never raised.
        """
        try:
            return self._verified(asked, ask)
        except MigrationError as error:
            stopped = error
        except MemoryError:
            stopped = MigrationError(Reason.OUT_OF_MEMORY, "The validation ran out of memory")
        except OSError as error:
            stopped = MigrationError(Reason.OUTPUT_ERROR, f"The artefact cannot be written: {error}")
        finally:
            self._collect()
        return asked.staged.known.stopped(stopped)

    def _verified(self, asked: VerificationRequest, ask: Ask) -> MigrationOutcome:
        request, staged = asked.request, asked.staged
        known = staged.known
        given = None
        if request.samples is not None:
            given = read_samples(request.samples, staged.sample_inputs, staged.sample_outputs)
        graph, loaded = self._remembered(request, asked.in_full)
        inputs = loaded.inputs if loaded else stated_inputs(_checked_graph(request))
        tolerance = Tolerance(request.rtol, request.atol)
        validator = Validator(
            inputs,
            known.input_names,
            known.output_names,
            staged.domains,
            ask,
            tolerance,
            staged.batch_rows,
            staged.least_length,
        )
        validator.ask_ahead(given)  # The converting side answers while the artefact is loaded.
        loaded = self._with_variables_of(request.staging, graph, loaded)
        try:
            validation = validator.validate(loaded, given)
        except ValueError as error:
            raise MigrationError(
                Reason.INVALID_SAMPLES, f"The samples do not run on the model: {error}", advice="Check their shapes."
            ) from error
        known = _judged(request, known, validation)
        if known.status is Status.MIGRATED:
            feed = dict(zip(known.input_names, validator.as_fed(validation.batches[0]), strict=True))
            _write_extras(request, feed, validation.outputs)
        return known

    def _remembered(self, request: MigrationRequest, in_full: bool) -> tuple[str, LoadedArtefact | None]:
        """The cache key of the graph, and the cached artefact with the same graph, unless a reload is requested."""
        refuse_other_files(request.staging)
        check_metadata(request.staging, custom_code=request.runs_code, checked=self._checked_metadata)
        graph = f"{hashlib.sha256((request.staging / GRAPH).read_bytes()).hexdigest()} {request.runs_code}"
        if in_full:
            self._dropped |= self._loaded.pop(graph, None) is not None
            self._collect()
        return graph, self._loaded.pop(graph, None)

    def _with_variables_of(self, folder: Path, graph: str, loaded: LoadedArtefact | None) -> LoadedArtefact:
        """The artefact with the variables from disk; it is cached unless it is large."""
        if loaded is None:
            loaded = LoadedArtefact(folder)
        else:
            loaded.restore(folder)
        if loaded.variable_bytes <= _KEPT_BYTES:
            self._loaded[graph] = loaded
        else:
            self._dropped = True  # when it is verified
        while len(self._loaded) > _KEPT:
            self._loaded.popitem(last=False)
            self._dropped = True
        return loaded

    def _collect(self) -> None:
        """Frees released graphs and variables: they reference each other, so only the garbage collector can."""
        if self._dropped:
            gc.collect()
        self._dropped = False


def _checked_graph(request: MigrationRequest) -> Any:
    return check_operations(request.staging, custom_code=request.runs_code)


def _judged(request: MigrationRequest, known: MigrationOutcome, validation: Validation) -> MigrationOutcome:
    """Raises `weak_evidence` for too weak evidence, and if nothing could be compared, which is not a mismatch."""
    if validation.evidence is Evidence.NONE:
        reasons = " ".join(validation.warnings)
        raise MigrationError(
            Reason.WEAK_EVIDENCE,
            f"Nothing could be compared. {reasons}".rstrip(". "),
            advice="Provide inputs on which the model runs, with their outputs if known, in column `samples`.",
        )
    known = replace(
        known,
        **_assumed(known, validation),
        evidence=validation.evidence,
        max_abs_error=validation.comparison.max_abs_error,
        max_rel_error=validation.comparison.max_rel_error,
        tolerance_used=validation.comparison.tolerance_used,
        reference_max_abs_error=validation.reference.max_abs_error if validation.reference else float("nan"),
        samples=sum(batch.size for batch in validation.batches),
    )
    if not validation.comparison.within:
        return replace(
            known,
            status=Status.MISMATCH,
            message=f"The artefact's outputs differ from the evidence: {validation.comparison.detail}. "
            "Nothing was published; report the model, or provide golden outputs to decide.",
        )
    if EVIDENCE_ORDER.index(validation.evidence) < EVIDENCE_ORDER.index(request.require_evidence):
        raise MigrationError(
            Reason.WEAK_EVIDENCE,
            f"The evidence is {known.evidence.value!r}, the run requires {request.require_evidence.value!r}"
            + "".join(f"; assumed is {each}" for each in known.assumptions),
            advice="Provide golden outputs in `samples`, or lower --require-evidence.",
        )
    return replace(known, status=Status.MIGRATED)


def _assumed(known: MigrationOutcome, validation: Validation) -> dict[str, Any]:
    """The statements of the outcome about open questions of the file.

    Golden outputs decide them; with the reference, those matter that change its outputs; with weaker evidence all of
    them may.
    """
    answered = validation.reference is not None or validation.evidence in (Evidence.ASSUMED, Evidence.REFERENCE)
    open_questions = validation.assumptions if answered else known.open_questions
    golden = validation.evidence is Evidence.GOLDEN
    warnings = [f"The golden outputs decide: {each}." for each in validation.decided]
    warnings += [f"The golden outputs leave open: {each}." for each in open_questions if each not in validation.decided]
    if not golden:
        warnings = [f"Assumed, not recorded in the file: {each}." for each in open_questions]
    return {
        "open_questions": open_questions,
        "assumptions": () if golden else open_questions,
        "warnings": (*known.warnings, *validation.warnings, *warnings),
    }


def _write_extras(request: MigrationRequest, feed: dict[str, Any], outputs: Sequence[Any]) -> None:
    """The samples that `verify` replays, in the signature's types, and the warm-up request of TF Serving."""
    extra = request.staging / "assets.extra"
    extra.mkdir(exist_ok=True)
    arrays = {f"x{index}": x for index, x in enumerate(feed.values())} | {
        f"y{index}": y for index, y in enumerate(outputs)
    }
    np.savez(extra / "samples.npz", **arrays)
    with disk_errors():
        write_warmup(extra / "tf_serving_warmup_requests", request.model, SIGNATURE, feed)
