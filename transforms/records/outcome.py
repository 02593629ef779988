"""The request for the migration of one model, and its outcome. Plain records, sent between processes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from transforms.errors import FAILURES, MigrationError, Reason
from transforms.records.assumptions import Assumption, Choice
from transforms.records.file_identity import FileIdentity
from transforms.records.signature import NO_SIGNATURE, ModelSignature

#: Incremented whenever the same source would give another artefact: models with an older receipt are migrated again.
MIGRATION_VERSION = 4

DEFAULT_RTOL = 1e-4
DEFAULT_ATOL = 1e-5


class Evidence(StrEnum):
    """What the outputs of the reloaded artefact were compared with, weakest first."""

    NONE = ""
    REBUILT = "rebuilt"
    ASSUMED = "assumed"
    REFERENCE = "reference"
    GOLDEN = "golden"


EVIDENCE_ORDER = tuple(Evidence)


class Status(StrEnum):
    """Statuses of a row."""

    MIGRATED = "migrated"
    UNCHANGED = "unchanged"
    MISMATCH = "mismatch"
    REFUSED = "refused"
    FAILED = "failed"


#: Statuses of rows whose output is published; and the others, the gravest first.
PUBLISHED = (Status.MIGRATED.value, Status.UNCHANGED.value)
NOT_PUBLISHED = (Status.MISMATCH.value, Status.FAILED.value, Status.REFUSED.value)


@dataclass(frozen=True)
class MigrationRequest:
    """One model to convert. All paths are local.

    Attributes:
        model: name in the registry, for messages only.
        source: the HDF5 file, or the prefix of a checkpoint.
        staging: the caller's empty folder for the SavedModel.
        architecture: JSON or YAML architecture of a weights-only source; a `.py` file is executed for its
            `build_model()`, with `allow_custom_code` only.
        samples: .npz with inputs and, if known, expected outputs.
        backend: Keras backend stated by the operator, "" for that of the file.
        choices: answers to open questions, in place of the assumed ones.
        sha256: expected digest of the source, "" if unknown.
        hashed: identity of the file with this digest; it is not hashed again while unchanged.
        rtol, atol: |a - b| <= atol + rtol |b|, element by element.
        require_evidence: the weakest evidence accepted for publication.
        outputs: names of layers to output in place of the model's own outputs.
        constants: values of global names in the functions of Lambda layers, by layer, as JSON; "" for none.
        custom_objects: Python file with custom layers and functions, executed with `allow_custom_code` only.
        allow_custom_code: whether the row's Python files may be executed.
        keep_training: compile the SavedModel with the file's optimizer, loss and metrics, and restore the optimizer.
        tensorflow_min: the release of TensorFlow, such as "2.4", that must load the SavedModel; "" for whichever does.
    """

    model: str
    source: Path
    staging: Path
    architecture: Path | None = None
    samples: Path | None = None
    backend: str = ""
    sha256: str = ""
    hashed: FileIdentity | None = None
    rtol: float = DEFAULT_RTOL
    atol: float = DEFAULT_ATOL
    require_evidence: Evidence = Evidence.REBUILT
    outputs: tuple[str, ...] = ()
    constants: str = ""
    custom_objects: Path | None = None
    allow_custom_code: bool = False
    keep_training: bool = False
    tensorflow_min: str = ""

    @property
    def runs_code(self) -> bool:
        """Whether a Python file of the row's is executed."""
        build = self.architecture is not None and is_python(self.architecture)
        return self.allow_custom_code and (self.custom_objects is not None or build)

    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Rewrite:
    """One change made by canonicalisation.

    Attributes:
        layer: path of the layer, joined with "/".
        rule: name of the rule, as listed in docs/rewrites.md.
        detail: of the change, if the rule's name does not determine it.
    """

    layer: str
    rule: str
    detail: str = ""


@dataclass(frozen=True)
class SourceFacts:
    """Facts of a source after inspection.

    Attributes:
        source_sha256, source_bytes: of the bytes read; for a checkpoint, of all its files together.
        keras_version, backend: as recorded (or, for the backend, as assumed).
        parameters: number of scalars in the weights.
    """

    source_sha256: str = ""
    source_bytes: int = 0
    keras_version: str = ""
    backend: str = ""
    parameters: int = 0


NOTHING_KNOWN = SourceFacts()


@dataclass(frozen=True)
class MigrationOutcome:
    """The outcome for one model. `staging` holds a complete SavedModel if and only if status is `migrated`.

    Attributes:
        status: `migrated`, `mismatch`, `refused` or `failed`.
        reason: of a refusal or failure.
        message: the problem, its place, and what to do next; empty if migrated.
        evidence: the strongest evidence compared with.
        max_abs_error, max_rel_error: of the reloaded artefact's outputs against that evidence; nan if none.
        tolerance_used: largest |a - b| / (atol + rtol |b|) against that evidence; nan if none.
        reference_max_abs_error: against the reference, if golden outputs were the evidence and it was run too.
        input_names, output_names: of the signature, in the order of the model's inputs and outputs: the order of
            `x0, x1, ...` and `y0, y1, ...` in the samples stored with the artefact.
        signature: names of the inputs and outputs, once there is a graph.
        samples: number of sample rows (batch entries) compared, over all batches.
        source: facts of the parsed source, None if it was not parsed.
        assumptions: those that the outputs depend on; empty for `golden` and `reference`.
        open_questions: facts that the file does not record and that may change the outputs, whatever the evidence.
        architecture: fingerprint (hex) of canonical architecture, weight shapes and dtypes.
        rewrites, warnings: in layer order.
        tensorflow_version: of the TensorFlow that wrote the SavedModel.
        tensorflow_min: the oldest release of TensorFlow that loads it.
        template_reused: whether the graph was traced for an earlier model of the same architecture.
        seconds: wall clock of the conversion.
    """

    status: Status
    reason: Reason | None = None
    message: str = ""
    evidence: Evidence = Evidence.NONE
    max_abs_error: float = float("nan")
    max_rel_error: float = float("nan")
    tolerance_used: float = float("nan")
    reference_max_abs_error: float = float("nan")
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    signature: ModelSignature = NO_SIGNATURE
    samples: int = 0
    source: SourceFacts | None = None
    assumptions: tuple[Assumption, ...] = field(default=())
    open_questions: tuple[Assumption, ...] = field(default=())
    architecture: str = ""
    rewrites: tuple[Rewrite, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    tensorflow_version: str = ""
    tensorflow_min: str = ""
    template_reused: bool = False
    seconds: float = 0.0

    def stopped(self, error: MigrationError) -> MigrationOutcome:
        """The outcome after a typed error: `failed` if the machine caused it, else `refused`."""
        status = Status.FAILED if error.reason in FAILURES else Status.REFUSED
        return replace(self, status=status, reason=error.reason, message=str(error))


def is_python(path: Path) -> bool:
    """True for an architecture stated by code: a file that defines `build_model()`."""
    return path.suffix.lower() == ".py"
