"""Inspects a file and what its migration would do, without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from transforms.architecture.graph import Layer
from transforms.architecture.source import read_architecture
from transforms.canonical.canonicalise import canonicalise
from transforms.canonical.fingerprint import architecture_fingerprint
from transforms.custom.request import opened_request
from transforms.inspection.foreseen_artefact import foreseen_release, foreseen_signature
from transforms.inspection.work_estimate import refuse_excessive_work
from transforms.lambda_functions.graph import taken_for_granted
from transforms.layer_specs.output_shapes import output_shapes
from transforms.legacy.dialects import dialect_name, dialect_of
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.legacy.open_questions import RELEASE
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.assumptions import Assumption
from transforms.records.expression import TRANSLATION, Translation
from transforms.records.file_identity import FileIdentity
from transforms.records.inspection import Inspection, LayerSummary
from transforms.records.outcome import MigrationRequest
from transforms.records.runtime import runtime_of
from transforms.reference import uncovered
from transforms.releases.tensorflow_operations import release_text
from transforms.source.hdf5.file import open_hdf5
from transforms.source.hdf5.objects import group_at, has_group, text_attribute


def inspect_source(
    path: Path,
    architecture: Path | None = None,
    backend: str = "",
    limits: Limits = DEFAULT_LIMITS,
    sha256: str = "",
    hashed: FileIdentity | None = None,
    shapes: bool = False,
    outputs: tuple[str, ...] = (),
    constants: str = "",
) -> Inspection:
    """Reads a source and canonicalises it without reading arrays. Raises MigrationError if migration would refuse it.

    `hashed` is a file already known to have the digest `sha256`, which is not hashed again. `shapes` requests output
    shapes. `outputs` names layers to output in place of the model's own outputs. `constants`
    has the values of global names in its Lambda layers, as JSON.
    """
    parsed = read_architecture(architecture, limits) if architecture else None
    with open_legacy_model(
        path, parsed, backend, sha256, limits, hashed=hashed, outputs=outputs, constants=constants
    ) as model:
        return _inspected(model, "", shapes, limits)


def describe_source(path: Path, architecture: Path | None, backend: str, limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """The inspection that `inspect` shows, with output shapes. Raises as `inspect_source`."""
    return inspect_source(path, architecture, backend, limits, shapes=True)


def describe_with_code(request: MigrationRequest, limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """The same with the operator's code, which is executed here if the request allows it.

    Raises MigrationError if migration would refuse the source.
    """
    with (
        opened_request(request, limits) as (parsed, code),
        open_legacy_model(
            request.source,
            parsed,
            request.backend,
            limits=limits,
            custom=code.names if code else None,
            outputs=request.outputs,
            constants=request.constants,
        ) as model,
    ):
        return _inspected(model, code.names.digest if code else "", True, limits)


def recorded_runtime(path: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, str]:
    """The writer that a refused file records: `keras_version`, `backend` and the resulting `dialect`.

    Raises MigrationError if HDF5 cannot read the file.
    """
    with open_hdf5(path, limits, "") as (file, _):
        groups = [group_at(file, "model_weights")] if has_group(file, "model_weights") else []
        found = {
            name: next(filter(None, (text_attribute(each, name, limits) for each in (*groups, file))), "")
            for name in ("keras_version", "backend")
        }
    known = {name: text for name, text in found.items() if text}
    if "keras_version" in known:
        known["dialect"] = dialect_of(runtime_of(known["keras_version"], found["backend"])).name
    return known


def _inspected(model: LegacyModel, custom_digest: str, shapes: bool, limits: Limits) -> Inspection:
    refuse_excessive_work(model, limits)
    canonical = canonicalise(model)
    known = output_shapes(model.graph, model.runtime) if shapes else {}
    return Inspection(
        source_sha256=model.digest.sha256,
        source_bytes=model.digest.size,
        keras_version=model.runtime.recorded,
        backend=model.runtime.backend,
        family=model.runtime.family,
        fingerprint=architecture_fingerprint(canonical, custom_digest),
        parameters=model.parameters,
        layers=tuple(
            LayerSummary(
                "/".join(layer.path),
                layer.class_name,
                sum(array.size for array in model.arrays.get(layer.path, {}).values()),
                known.get(layer.path),
                len(layer.path),
                function_text(layer),
            )
            for layer in model.graph.walk()
        ),
        rewrites=canonical.rewrites,
        warnings=(*model.warnings, *canonical.warnings),
        uncovered=tuple(uncovered(model.graph, model.runtime)),
        dialect=dialect_name(model.graph, model.runtime),
        assumptions=tuple(str(each) for each in _foreseen(model)),
        tensorflow_min="" if custom_digest else release_text(foreseen_release(canonical.graph)),
        tensorflow_min_lowest=(
            "" if custom_digest else release_text(foreseen_release(canonical.graph, prefer_old=True))
        ),
        signature=foreseen_signature(canonical.graph, canonical.floatx, known),
    )


def function_text(layer: Layer) -> str:
    """The function of a Lambda as readable Python; "" for other layers."""
    translation = layer.config.get(TRANSLATION)
    return translation.text if isinstance(translation, Translation) else ""


def _foreseen(model: LegacyModel) -> Iterator[Assumption]:
    """The open questions of the file. Its release matters only for masks and states."""
    depends_on_release = any(
        layer.class_name == "Masking" or layer.config.get("mask_zero") or layer.config.get("stateful")
        for layer in model.graph.walk()
    )
    yield from taken_for_granted(model.graph)
    for question in model.open_questions:
        if question.assumption.question != RELEASE or depends_on_release:
            yield question.assumption
