"""Results of an inspection. Plain records, sent between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from transforms.records.outcome import Rewrite, SourceFacts
from transforms.records.signature import NO_SIGNATURE, ModelSignature


@dataclass(frozen=True)
class LayerSummary:
    """One layer as `inspect` shows it.

    Attributes:
        path: joined with "/".
        class_name: as stored.
        parameters: scalars in its own weights.
        output_shape: of its first output, batch in front, None for a free extent; None as a whole when not known.
        depth: 1 for a layer of the model itself, 2 for one inside such a layer, and so on.
        function: of a Lambda, as readable Python.
    """

    path: str
    class_name: str
    parameters: int
    output_shape: Shape | None = None
    depth: int = 1
    function: str = ""


@dataclass(frozen=True)
class Inspection:
    """A source that would be accepted.

    Attributes:
        source_sha256, source_bytes: of the file.
        keras_version, backend, family: of the runtime that wrote it.
        dialect: the same for display, see `transforms.legacy.dialects`.
        fingerprint: digest of canonical architecture, weight shapes and dtypes.
        parameters: scalars in the weights.
        layers: in stored order, depth first.
        rewrites, warnings: of the migration.
        uncovered: features without a rule in the independent reference; empty means evidence `reference` or `assumed`.
        tensorflow_min: the oldest release of TensorFlow that will load the SavedModel; "" if custom code decides.
        tensorflow_min_lowest: the oldest release that the option tensorflow_min may name: forms that need less are then
            preferred to faster ones.
        signature: names of its inputs and outputs; shapes and dtypes as far as known.
        assumptions: about facts that the file does not record and that may change the outputs; if they do, the evidence
            is `assumed`.
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
    assumptions: tuple[str, ...] = ()
    tensorflow_min: str = ""
    tensorflow_min_lowest: str = ""
    signature: ModelSignature = NO_SIGNATURE

    @property
    def facts(self) -> SourceFacts:
        """The facts of the source for reports."""
        return SourceFacts(self.source_sha256, self.source_bytes, self.keras_version, self.backend, self.parameters)


Shape: TypeAlias = tuple[int | None, ...]
