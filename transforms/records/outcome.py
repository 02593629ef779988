"""What the conversion of one model is asked for, and what it answers. Plain records: they cross processes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from transforms.errors import FAILURES, MigrationError, Reason
from transforms.records.assumptions import Assumption, Choice
from transforms.records.file_identity import FileIdentity

#: Raised whenever the same source would give another artefact: a receipt of an older version is redone.
MIGRATION_VERSION = 3

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
    """How a row ended."""

    MIGRATED = "migrated"
    UNCHANGED = "unchanged"
    MISMATCH = "mismatch"
    REFUSED = "refused"
    FAILED = "failed"


#: Of rows whose output lies at its place; and of the others, the gravest first.
PUBLISHED = (Status.MIGRATED.value, Status.UNCHANGED.value)
NOT_PUBLISHED = (Status.MISMATCH.value, Status.FAILED.value, Status.REFUSED.value)


@dataclass(frozen=True)
class MigrationRequest:
    """One model to convert. All paths are local.

    Attributes:
        model: name in the registry, for messages only.
        source: the HDF5 file, or the prefix of a checkpoint.
        staging: an empty folder of the caller's, which receives the SavedModel.
        architecture: JSON or YAML architecture of a weights-only source; a `.py` file is executed for its
            `build_model()`, with `allow_custom_code` only.
        samples: .npz with inputs and, if known, expected outputs.
        backend: the operator's word on the Keras backend, "" when the file is to be believed.
        choices: answers to what the file leaves open, in place of those that would be assumed.
        sha256: expected digest of the source, "" when unknown.
        hashed: the file that was found to have this digest: while it is the same file, it is not hashed again.
        rtol, atol: |a - b| <= atol + rtol |b|, element by element.
        require_evidence: the weakest evidence that may be published.
        outputs: names of layers whose outputs are wanted in place of the model's own.
        custom_objects: Python file with custom layers and functions, executed with `allow_custom_code` only.
        allow_custom_code: the operator's word that the row's Python files may be executed.
        keep_training: compile the SavedModel with the file's optimizer, loss and metrics, and restore the optimizer.
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
    custom_objects: Path | None = None
    allow_custom_code: bool = False
    keep_training: bool = False

    @property
    def runs_code(self) -> bool:
        """Whether a Python file of the row's is executed."""
        build = self.architecture is not None and is_python(self.architecture)
        return self.allow_custom_code and (self.custom_objects is not None or build)

    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Rewrite:
    """One change made on the way to canonical layout.

    Attributes:
        layer: path of the layer, joined with "/".
        rule: name of the rule, as listed in the README.
        detail: what exactly was done, when the rule's name does not say it all.
    """

    layer: str
    rule: str
    detail: str = ""


@dataclass(frozen=True)
class SourceFacts:
    """What is known of a source once it was looked at.

    Attributes:
        source_sha256, source_bytes: of the bytes that were read; of a checkpoint, of all its files together.
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
    """The answer for one model. `staging` holds a complete SavedModel if and only if status is `migrated`.

    Attributes:
        status: `migrated`, `mismatch`, `refused` or `failed`.
        reason: why, when refused or failed.
        message: what is wrong, where, and what to do next; empty when migrated.
        evidence: the strongest evidence compared with.
        max_abs_error, max_rel_error: of the reloaded artefact's outputs against that evidence; nan if none.
        tolerance_used: largest |a - b| / (atol + rtol |b|) against that evidence; nan if none.
        reference_max_abs_error: against the reference, when golden outputs were the evidence and it was run too.
        input_names, output_names: of the signature, in the order of the model's inputs and outputs: the order of
            `x0, x1, ...` and `y0, y1, ...` in the samples kept with the artefact.
        samples: number of sample rows (batch entries) compared, over all batches.
        source: what was parsed, None when it did not come to that.
        assumptions: what the outputs rest on and the file does not say; empty under `golden` and `reference`.
        open_questions: what the file does not say and may change the outputs, whatever the evidence.
        architecture: fingerprint (hex) of canonical architecture, weight shapes and dtypes.
        rewrites, warnings: in layer order.
        template_reused: True when the graph was traced for an earlier model of the same architecture.
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
    samples: int = 0
    source: SourceFacts | None = None
    assumptions: tuple[Assumption, ...] = field(default=())
    open_questions: tuple[Assumption, ...] = field(default=())
    architecture: str = ""
    rewrites: tuple[Rewrite, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    tensorflow_version: str = ""
    template_reused: bool = False
    seconds: float = 0.0

    def stopped(self, error: MigrationError) -> MigrationOutcome:
        """The same, ended by a typed error: `failed` when the machine is to blame, else `refused`."""
        status = Status.FAILED if error.reason in FAILURES else Status.REFUSED
        return replace(self, status=status, reason=error.reason, message=str(error))


def is_python(path: Path) -> bool:
    """True for an architecture that only code can state: a file that defines `build_model()`."""
    return path.suffix.lower() == ".py"
