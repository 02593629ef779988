"""What a file is and what its migration would do, found without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transforms.architecture_source import read_architecture
from transforms.canonical import canonicalise
from transforms.custom.request import opened_request
from transforms.dialects import dialect_name, dialect_of
from transforms.file_identity import FileIdentity
from transforms.fingerprint import architecture_fingerprint
from transforms.hdf5_file import hdf5_errors, open_hdf5
from transforms.hdf5_objects import group_at, has_group, text_attribute
from transforms.legacy_model import LegacyModel, open_legacy_model
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.outcome import MigrationRequest, Rewrite
from transforms.reference import uncovered
from transforms.runtime import runtime_of


@dataclass(frozen=True)
class LayerSummary:
    """One layer as `inspect` shows it: path joined with "/", stored class, scalars in its weights."""

    path: str
    class_name: str
    parameters: int


@dataclass(frozen=True)
class Inspection:
    """A source that would be accepted.

    Attributes:
        source_sha256, source_bytes: of the file.
        keras_version, backend, family: which runtime wrote it.
        dialect: the same for people, see `transforms.dialects`.
        fingerprint: digest of canonical architecture, weight shapes and dtypes.
        parameters: scalars in the weights.
        layers: in stored order, depth first.
        rewrites, warnings: what the migration would do and assume.
        uncovered: what the independent reference has no rule for; empty means evidence `reference`.
    """

    source_sha256: str
    source_bytes: int
    keras_version: str
    backend: str
    family: str
    fingerprint: str
    parameters: int
    layers: tuple[LayerSummary, ...]
    rewrites: tuple[Rewrite, ...]
    warnings: tuple[str, ...]
    uncovered: tuple[str, ...]
    dialect: str = ""


def inspect_source(
    path: Path,
    architecture: Path | None = None,
    backend: str = "",
    limits: Limits = DEFAULT_LIMITS,
    sha256: str = "",
    hashed: FileIdentity | None = None,
) -> Inspection:
    """Reads a source and canonicalises it, arrays unread. Raises MigrationError where migration would refuse it.

    `hashed` is the file that was found to have the digest `sha256`: it is not hashed again.
    """
    parsed = read_architecture(architecture, limits) if architecture else None
    with open_legacy_model(path, parsed, backend, sha256, limits, hashed=hashed) as model:
        return _inspected(model, "")


def inspect_with_code(request: MigrationRequest, limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """The same with the operator's code, which is executed here where the request allows it.

    Raises MigrationError where migration would refuse the source.
    """
    with (
        opened_request(request, limits) as (parsed, code),
        open_legacy_model(
            request.source, parsed, request.backend, limits=limits, custom=code.names if code else None
        ) as model,
    ):
        return _inspected(model, code.names.digest if code else "")


def recorded_runtime(path: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, str]:
    """What a file records of its writer, though it would be refused: `keras_version`, `backend` and, so, `dialect`.

    Raises MigrationError for what HDF5 cannot read.
    """
    with open_hdf5(path, limits, "") as (file, _), hdf5_errors():
        groups = [group_at(file, "model_weights")] if has_group(file, "model_weights") else []
        found = {
            name: next(filter(None, (text_attribute(each, name, limits) for each in (*groups, file))), "")
            for name in ("keras_version", "backend")
        }
    known = {name: text for name, text in found.items() if text}
    if "keras_version" in known:
        known["dialect"] = dialect_of(runtime_of(known["keras_version"], found["backend"])).name
    return known


def _inspected(model: LegacyModel, custom_digest: str) -> Inspection:
    canonical = canonicalise(model)
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
            )
            for layer in model.graph.walk()
        ),
        rewrites=canonical.rewrites,
        warnings=(*model.warnings, *canonical.warnings),
        uncovered=tuple(uncovered(model.graph, model.runtime)),
        dialect=dialect_name(model.graph, model.runtime),
    )
