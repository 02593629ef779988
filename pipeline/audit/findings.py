"""Records of a verification's findings; how they are shown is in `view`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from transforms.records.signature import NO_SIGNATURE, ModelSignature


class Kind(StrEnum):
    """Kinds of findings."""

    MISSING = "missing"
    ALTERED = "altered"
    EXTRA = "extra"
    LINK = "link"
    UNREADABLE = "unreadable"
    UNRECEIPTED = "unreceipted"
    FOREIGN = "foreign"
    UNRECORDED = "unrecorded"
    LEFTOVER = "leftover"
    DRIFT = "drift"
    UNSIGNED = "unsigned"
    STALE = "stale"


@dataclass(frozen=True)
class Finding:
    """One difference from what a run published or recorded.

    Attributes:
        kind: kind of difference.
        path: of the file or folder; relative to the verified folder if inside it.
        message: predicate of a sentence whose subject is the path, with advice where needed.
    """

    kind: Kind
    path: str
    message: str


@dataclass(frozen=True)
class OutputState:
    """One published output, verified.

    Attributes:
        path: relative to the verified folder if inside it.
        findings: its differences.
        replayed: whether its samples were run.
        max_abs_error: largest difference of their outputs from the stored ones; nan if none were compared.
        signature: names of its inputs and outputs, as the receipt states them.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    replayed: bool = False
    max_abs_error: float = float("nan")
    signature: ModelSignature = NO_SIGNATURE


@dataclass(frozen=True)
class NewestRun:
    """The record that says what must be there.

    Attributes:
        run_id, finished_at: of the run; UTC, ISO 8601.
        sha256: of its record.
        output, manifest: where the run published, and from what.
        signed_by: the public key (hex) that its signature was checked with, "" where no key was given.
    """

    run_id: str
    finished_at: str
    sha256: str
    output: str
    manifest: str
    signed_by: str = ""


@dataclass(frozen=True)
class AuditResult:
    """All findings of one call of `verify`.

    Attributes:
        outputs: each published output.
        findings: differences outside the outputs.
        notes: information for the reader; no difference.
        runs: number of run records that were checked.
        newest: the newest record; with a key, the newest that was signed with it. None where there is none.
    """

    outputs: tuple[OutputState, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    runs: int = 0
    newest: NewestRun | None = None

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.findings and not any(output.findings for output in self.outputs)


def relative_path(path: Path, root: Path) -> str:
    """The path as messages name it: relative to `root` if below it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
