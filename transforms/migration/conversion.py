"""The converting side of a migration: stages a source as a SavedModel, then computes its expected outputs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transforms.canonical import CanonicalModel, canonicalise
from transforms.canonical.fingerprint import architecture_fingerprint
from transforms.custom.request import opened_request
from transforms.errors import MigrationError, Reason
from transforms.evidence.input_domains import input_domains
from transforms.evidence.samples import SampleBatch, read_samples
from transforms.inspection.least_lengths import least_length
from transforms.inspection.work import rows_worth_drawing
from transforms.inspection.work_estimate import refuse_excessive_work
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.legacy.open_questions import read_as
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.rebuild.session_cleanup import KerasCleanup
from transforms.records.outcome import MigrationOutcome, MigrationRequest, SourceFacts, Status
from transforms.records.staged_model import (
    Answer,
    Answers,
    Feed,
    Oracle,
    Question,
    StagedModel,
    numpy_arrays,
    plain_arrays,
)
from transforms.releases.tensorflow_operations import parse_release, release_text

if TYPE_CHECKING:
    from transforms.custom.code import CustomCode
    from transforms.rebuild import RebuiltModel
    from transforms.saved_model.templates import TemplateCache

_cleanup = KerasCleanup()

Answering = Callable[[Sequence[Any]], list[Any]]


class Conversion:
    """Converts one model: stages it once, then computes expected outputs until it is closed. The source stays open.

    Args:
        request: of the migration.
        templates: cache of traced graphs; None to trace again.
        limits: the budget of reading.
    """

    def __init__(
        self, request: MigrationRequest, templates: TemplateCache | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._request = request
        self._templates = templates
        self._limits = limits
        self._open = contextlib.ExitStack()
        self._legacy: LegacyModel | None = None
        self._custom: CustomCode | None = None
        self._rebuilt: Answering | None = None
        self._sample_shape: tuple[int, ...] | None = None

    def stage(self) -> StagedModel | MigrationOutcome:
        """Writes the SavedModel into `request.staging`.

        Expected failures are returned as an outcome with a reason, never raised. TensorFlow is imported here, only
        after the source has been read and canonicalised.
        """
        start = time.monotonic()
        known = MigrationOutcome(Status.FAILED)
        try:
            architecture, self._custom = self._open.enter_context(opened_request(self._request, self._limits))
            legacy = read_as(self._open.enter_context(self._source(architecture)), self._request.choices)
            self._legacy = legacy
            known = _described(known, legacy)
            work = refuse_excessive_work(legacy, self._limits)
            given = self._given_samples(legacy)
            self._sample_shape = given.inputs[0].shape if given else None
            canonical = canonicalise(legacy, self._sample_shape)
            known = replace(
                known,
                architecture=architecture_fingerprint(canonical, self._custom.names.digest if self._custom else ""),
                rewrites=canonical.rewrites,
                warnings=(*known.warnings, *canonical.warnings),
            )
            least = self._least_length(legacy)
            known = self._written(canonical, known)
        except MigrationError as error:
            stopped = known.stopped(error)
        except MemoryError:
            stopped = known.stopped(MigrationError(Reason.OUT_OF_MEMORY, "The conversion ran out of memory"))
        except OSError as error:
            stopped = known.stopped(MigrationError(Reason.OUTPUT_ERROR, f"The artefact cannot be written: {error}"))
        else:
            domains = input_domains(legacy.graph)
            return StagedModel(
                replace(known, seconds=time.monotonic() - start),
                domains,
                tuple(ref.layer for ref in legacy.graph.inputs),
                tuple(ref.layer for ref in legacy.graph.outputs),
                rows_worth_drawing(work, masked=any(domain.pads_with is not None for domain in domains)),
                least,
            )
        self.close()
        return replace(stopped, seconds=time.monotonic() - start)

    def expected_outputs(self, question: Question) -> Answers:
        """The outputs computed from the original arrays, or by the rebuilt Keras model.

        Raises:
            MigrationError: errors of reading an array; `internal_error` if nothing is staged.
        """
        if question.oracle is not Oracle.REBUILT:
            return self._reference(question)
        run = self._rebuilt_model()
        return Answers(tuple(Answer(plain_arrays(run(list(numpy_arrays(feed.inputs))))) for feed in question.feeds))

    def close(self) -> None:
        """Drops the model and closes the source, which must not have changed since it was opened."""
        legacy, rebuilt = self._legacy, self._rebuilt
        self._legacy = self._rebuilt = None
        self._open.close()
        if legacy is not None and rebuilt is not None:
            del rebuilt  # or it would survive the collection
            _cleanup.add(legacy.weight_bytes)

    def _source(self, architecture: Any) -> contextlib.AbstractContextManager[LegacyModel]:
        request = self._request
        names = self._custom.names if self._custom else None
        return open_legacy_model(
            request.source,
            architecture,
            request.backend,
            request.sha256,
            self._limits,
            names,
            request.hashed,
            request.outputs,
            request.constants,
        )

    def _least_length(self, legacy: LegacyModel) -> int:
        """The minimum length, see `StagedModel`. Raises MigrationError `weak_evidence` if there are no samples and none
        may be drawn.
        """
        least = least_length(legacy.graph)
        if least <= self._limits.drawn_length:
            return least
        if self._request.samples is not None:
            return 0
        raise MigrationError(
            Reason.WEAK_EVIDENCE,
            f"The layers need inputs of at least {least:,} steps along a free axis, more than the limit "
            f"drawn_length={self._limits.drawn_length:,} of drawn batches",
            advice="Provide samples of that length in column `samples`, or raise the limit with --max-drawn-length.",
        )

    def _given_samples(self, legacy: LegacyModel) -> SampleBatch | None:
        if self._request.samples is None:
            return None
        inputs, outputs = legacy.graph.inputs, legacy.graph.outputs
        return read_samples(self._request.samples, [ref.layer for ref in inputs], [ref.layer for ref in outputs])

    def _written(self, canonical: CanonicalModel, known: MigrationOutcome) -> MigrationOutcome:
        import tensorflow as tf

        from transforms.saved_model.custom_model import write_custom_model
        from transforms.saved_model.templates import learn_template, write_from_template
        from transforms.saved_model.writer import write_saved_model

        known = replace(known, tensorflow_version=tf.__version__)
        form = f"{known.architecture} {self._request.tensorflow_min}"
        keep_training = self._request.keep_training
        shared = self._templates if self._custom is None and not keep_training else None
        template = shared.get(form) if shared is not None else None
        if template is not None:
            write_from_template(template, canonical.arrays, self._request.staging)
            return replace(
                known,
                template_reused=True,
                input_names=template.input_names,
                output_names=template.output_names,
                tensorflow_min=template.tensorflow_min,
                signature=template.signature,
            )
        oldest = parse_release(self._request.tensorflow_min) if self._request.tensorflow_min else ()
        model = _rebuilt(canonical, self._custom)
        known = replace(known, input_names=model.input_names, output_names=model.output_names)
        if self._custom is not None:
            write_custom_model(model, self._request.staging, oldest)
            self._rebuilt = model.run
            known = self._loadable(canonical, known)
            unkept = ("Training state is not kept for models with custom code.",) if keep_training else ()
            return replace(known, warnings=(*known.warnings, *unkept))
        if keep_training:
            from transforms.training.trainable_model import write_trainable_model

            lost = write_trainable_model(model, self._known_source(), self._request.staging, self._sample_shape, oldest)
            known = replace(known, warnings=(*known.warnings, *lost))
        else:
            write_saved_model(model, self._request.staging, oldest=oldest)
        known = self._loadable(canonical, known)
        found = learn_template(model, self._request.staging) if shared is not None else None
        if shared is not None and found is not None:
            shared.put(form, replace(found, tensorflow_min=known.tensorflow_min, signature=known.signature))
        del model
        _cleanup.add(self._known_source().weight_bytes)
        return known

    def _loadable(self, canonical: CanonicalModel, known: MigrationOutcome) -> MigrationOutcome:
        """With what the written graph says of itself: the oldest release that loads it, and its signature.

        Raises MigrationError where a younger release is needed than the request asks for.
        """
        from transforms.saved_model.oldest_release import oldest_release, require_release
        from transforms.saved_model.signature_map import signature_map
        from transforms.saved_model.writer import written_graph

        graph = written_graph(self._request.staging)
        if self._request.tensorflow_min:
            layers = [layer.path for layer in canonical.graph.walk()]
            require_release(graph, parse_release(self._request.tensorflow_min), layers)
        inputs = [ref.layer for ref in canonical.graph.inputs]
        outputs = [ref.layer for ref in canonical.graph.outputs]
        return replace(
            known,
            tensorflow_min=release_text(oldest_release(graph)),
            signature=signature_map(
                graph,
                zip(inputs, known.input_names, strict=True),
                zip(outputs, known.output_names, strict=True),
            ),
        )

    def _rebuilt_model(self) -> Answering:
        """Rebuilds the Keras model: few models need it, and it holds all weights."""
        if self._rebuilt is None:
            self._rebuilt = _rebuilt(canonicalise(self._known_source(), self._sample_shape), self._custom).run
        return self._rebuilt

    def _reference(self, question: Question) -> Answers:
        from transforms.evidence.readings import answers_in_float32, answers_with_assumptions

        legacy, rules = self._known_source(), None
        if self._custom is not None:
            from transforms.custom.layers import custom_rules

            rules = custom_rules(self._custom)
        batches = [numpy_arrays(feed.inputs) for feed in question.feeds]
        if question.oracle is Oracle.REFERENCE_IN_FLOAT32:
            narrow = answers_in_float32(legacy, batches, rules)
            return Answers(tuple(_answer(answer, feed) for answer, feed in zip(narrow, question.feeds, strict=True)))
        answers = answers_with_assumptions(legacy, batches, rules)
        found = [_answer(answer, feed) for (answer, _), feed in zip(answers, question.feeds, strict=True)]
        return Answers(
            tuple(replace(each, assumptions=rests_on) for each, (_, rests_on) in zip(found, answers, strict=True))
        )

    def _known_source(self) -> LegacyModel:
        if self._legacy is None:
            raise MigrationError(Reason.INTERNAL_ERROR, "No model is staged to compute expected outputs")
        return self._legacy


def _answer(answered: list[Any] | Exception, feed: Feed) -> Answer:
    """The reference's outputs for one batch, or why there are none."""
    from transforms.reference import NotCovered

    if isinstance(answered, NotCovered):
        return Answer(None, f"The independent reference does not cover {answered}.")
    if isinstance(answered, Exception):
        reason = str(answered)[:120]
        return Answer(None, f"The independent reference does not run on the {feed.origin}: {reason}.")
    return Answer(plain_arrays(answered))


def _rebuilt(canonical: CanonicalModel, custom: CustomCode | None) -> RebuiltModel:
    from transforms.rebuild import rebuild

    return rebuild(canonical, custom)


def _described(known: MigrationOutcome, legacy: LegacyModel) -> MigrationOutcome:
    return replace(
        known,
        source=SourceFacts(
            source_sha256=legacy.digest.sha256,
            source_bytes=legacy.digest.size,
            keras_version=legacy.runtime.recorded,
            backend=legacy.runtime.backend,
            parameters=legacy.parameters,
        ),
        open_questions=tuple(question.assumption for question in legacy.open_questions),
        warnings=legacy.warnings,
    )
