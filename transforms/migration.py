"""One model from its legacy file to a staged, validated SavedModel."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from transforms.canonical import CanonicalModel, canonicalise
from transforms.custom.request import opened_request
from transforms.errors import FAILURES, MigrationError, Reason
from transforms.fingerprint import architecture_fingerprint
from transforms.legacy_model import LegacyModel, open_legacy_model
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.outcome import EVIDENCE_ORDER, Evidence, MigrationOutcome, MigrationRequest, Status
from transforms.samples import SampleBatch, read_samples

if TYPE_CHECKING:
    from transforms.custom.code import CustomCode


def migrate(request: MigrationRequest, limits: Limits = DEFAULT_LIMITS) -> MigrationOutcome:
    """Converts, writes into `request.staging`, reloads and validates one model.

    Expected failures come back as an outcome with a reason, never as an exception. TensorFlow is imported here,
    and only once the source has been read and canonicalised.
    """
    outcome = _attempt(request, limits)
    if outcome.status is Status.MISMATCH and outcome.backend_assumed and outcome.evidence is Evidence.GOLDEN:
        return _under_the_other_backend(request, limits, outcome)
    return outcome


def _under_the_other_backend(request: MigrationRequest, limits: Limits, first: MigrationOutcome) -> MigrationOutcome:
    """Golden outputs that contradict an assumed backend may confirm the other one."""
    other = "tensorflow" if first.backend == "theano" else "theano"
    for entry in request.staging.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    second = _attempt(replace(request, backend=other), limits)
    seconds = first.seconds + second.seconds
    if second.status is not Status.MIGRATED:
        return replace(first, seconds=seconds)
    decided = f"The file records no backend: the golden outputs decide for {other}, against {first.backend}."
    return replace(second, warnings=(*second.warnings, decided), seconds=seconds)


def _attempt(request: MigrationRequest, limits: Limits) -> MigrationOutcome:
    start = time.monotonic()
    known = MigrationOutcome(Status.FAILED)
    try:
        with (
            opened_request(request, limits) as (architecture, custom),
            open_legacy_model(
                request.source, architecture, request.backend, request.sha256, limits, custom.names if custom else None
            ) as legacy,
        ):
            known = _described(known, legacy)
            given = _given_samples(request, legacy)
            canonical = canonicalise(legacy, given.inputs[0].shape if given else None)
            known = replace(
                known,
                architecture=architecture_fingerprint(canonical, custom.names.digest if custom else ""),
                rewrites=canonical.rewrites,
                warnings=(*known.warnings, *canonical.warnings),
            )
            outcome = _converted(request, legacy, canonical, given, known, custom)
    except MigrationError as error:
        outcome = _stopped(known, error)
    except MemoryError:
        outcome = _stopped(known, MigrationError(Reason.OUT_OF_MEMORY, "The conversion ran out of memory"))
    except OSError as error:
        outcome = _stopped(known, MigrationError(Reason.OUTPUT_ERROR, f"The artefact cannot be written: {error}"))
    return replace(outcome, seconds=time.monotonic() - start)


def _given_samples(request: MigrationRequest, legacy: LegacyModel) -> SampleBatch | None:
    if request.samples is None:
        return None
    inputs = [ref.layer for ref in legacy.graph.inputs]
    return read_samples(request.samples, inputs, [ref.layer for ref in legacy.graph.outputs])


def _described(known: MigrationOutcome, legacy: LegacyModel) -> MigrationOutcome:
    return replace(
        known,
        source_sha256=legacy.digest.sha256,
        source_bytes=legacy.digest.size,
        keras_version=legacy.runtime.recorded,
        backend=legacy.runtime.backend,
        backend_assumed=legacy.backend_assumed,
        parameters=legacy.parameters,
        warnings=legacy.warnings,
    )


def _stopped(known: MigrationOutcome, error: MigrationError) -> MigrationOutcome:
    status = Status.FAILED if error.reason in FAILURES else Status.REFUSED
    return replace(known, status=status, reason=error.reason, message=str(error))


def _converted(
    request: MigrationRequest,
    legacy: LegacyModel,
    canonical: CanonicalModel,
    given: SampleBatch | None,
    known: MigrationOutcome,
    custom: CustomCode | None,
) -> MigrationOutcome:
    import tensorflow as tf
    import tf_keras

    from transforms.custom.artefact import write_custom_model
    from transforms.custom.building import custom_rules
    from transforms.graph_operations import check_operations
    from transforms.rebuild import rebuild
    from transforms.saved_model import SIGNATURE, write_saved_model
    from transforms.serving_warmup import write_warmup
    from transforms.validation import Tolerance, Validator

    known = replace(known, tensorflow_version=tf.__version__)
    try:
        model = rebuild(canonical, custom)
        known = replace(known, input_names=model.input_names, output_names=model.output_names)
        if custom is None:
            write_saved_model(model, request.staging)
        else:
            write_custom_model(model, request.staging)
        check_operations(request.staging, custom_code=custom is not None)
        validator = Validator(
            legacy,
            request.staging,
            model.input_names,
            model.output_names,
            model.run,
            Tolerance(request.rtol, request.atol),
            custom_rules(custom) if custom else None,
        )
        try:
            validation = validator.validate(given)
        except ValueError as error:
            raise MigrationError(
                Reason.INVALID_SAMPLES, f"The samples do not run on the model: {error}", advice="Check their shapes."
            ) from error
    finally:
        tf_keras.backend.clear_session()
    known = replace(
        known,
        evidence=validation.evidence,
        max_abs_error=validation.comparison.max_abs_error,
        max_rel_error=validation.comparison.max_rel_error,
        reference_max_abs_error=validation.reference.max_abs_error if validation.reference else float("nan"),
        samples=sum(batch.size for batch in validation.batches),
        warnings=(*known.warnings, *validation.warnings),
    )
    if not validation.comparison.within:
        return replace(
            known,
            status=Status.MISMATCH,
            message=f"The artefact's outputs differ from the evidence: {validation.comparison.detail}. "
            "Nothing was published; report the model, or give golden outputs to settle it.",
        )
    if EVIDENCE_ORDER.index(validation.evidence) < EVIDENCE_ORDER.index(request.require_evidence):
        raise _weak(request, known)
    extra = request.staging / "assets.extra"
    extra.mkdir(exist_ok=True)
    batch = validation.batches[0]
    _keep_samples(extra / "samples.npz", batch.inputs, validation.outputs)
    feed = dict(zip(model.input_names, validator.as_fed(batch), strict=True))
    write_warmup(extra / "tf_serving_warmup_requests", request.model, SIGNATURE, feed)
    return replace(known, status=Status.MIGRATED)


def _weak(request: MigrationRequest, known: MigrationOutcome) -> MigrationError:
    return MigrationError(
        Reason.WEAK_EVIDENCE,
        f"The evidence is {known.evidence.value!r}, the run requires {request.require_evidence.value!r}",
        advice="Give golden outputs in `samples`, or lower --require-evidence.",
    )


def _keep_samples(path: Path, inputs: tuple[object, ...], outputs: tuple[object, ...]) -> None:
    import numpy as np

    arrays = {f"x{index}": x for index, x in enumerate(inputs)} | {f"y{index}": y for index, y in enumerate(outputs)}
    np.savez(path, **arrays)  # type: ignore[arg-type]
