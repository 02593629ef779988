"""What a file is and what its migration would do, found without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transforms.architecture_source import read_architecture
from transforms.canonical import canonicalise
from transforms.dialects import dialect_name
from transforms.file_identity import FileIdentity
from transforms.fingerprint import architecture_fingerprint
from transforms.legacy_model import open_legacy_model
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.outcome import Rewrite
from transforms.reference import uncovered


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
        canonical = canonicalise(model)
        return Inspection(
            source_sha256=model.digest.sha256,
            source_bytes=model.digest.size,
            keras_version=model.runtime.recorded,
            backend=model.runtime.backend,
            family=model.runtime.family,
            fingerprint=architecture_fingerprint(canonical),
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
