"""What a file is and what its migration would do, found without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from transforms.architecture_source import read_architecture
from transforms.canonical.canonicalise import canonicalise
from transforms.dialects import dialect_name
from transforms.file_identity import FileIdentity
from transforms.fingerprint import architecture_fingerprint
from transforms.inspection_record import Inspection, LayerSummary
from transforms.legacy_model import open_legacy_model
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.output_shapes import output_shapes
from transforms.reference import uncovered


def inspect_source(
    path: Path,
    architecture: Path | None = None,
    backend: str = "",
    limits: Limits = DEFAULT_LIMITS,
    sha256: str = "",
    hashed: FileIdentity | None = None,
    shapes: bool = False,
) -> Inspection:
    """Reads a source and canonicalises it, arrays unread. Raises MigrationError where migration would refuse it.

    `hashed` is the file that was found to have the digest `sha256`: it is not hashed again. `shapes` asks for output
    shapes.
    """
    parsed = read_architecture(architecture, limits) if architecture else None
    with open_legacy_model(path, parsed, backend, sha256, limits, hashed=hashed) as model:
        canonical = canonicalise(model)
        known = output_shapes(model.graph, model.runtime) if shapes else {}
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
                    known.get(layer.path),
                    len(layer.path),
                )
                for layer in model.graph.walk()
            ),
            rewrites=canonical.rewrites,
            warnings=(*model.warnings, *canonical.warnings),
            uncovered=tuple(uncovered(model.graph, model.runtime)),
            dialect=dialect_name(model.graph, model.runtime),
        )


def describe_source(path: Path, architecture: Path | None, backend: str, limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """What `inspect` shows: an inspection with output shapes. Raises as `inspect_source` does."""
    return inspect_source(path, architecture, backend, limits, shapes=True)
