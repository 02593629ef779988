"""What a verification found: records, without a word on how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What is wrong with a place."""

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


@dataclass(frozen=True)
class Finding:
    """One thing that is not as a run left it.

    Attributes:
        kind: what is wrong.
        path: of the file or folder, relative to what was verified where it lies in there.
        message: a sentence without subject: what it is, and what to do where that is not plain.
    """

    kind: Kind
    path: str
    message: str


@dataclass(frozen=True)
class OutputState:
    """One published output, looked at.

    Attributes:
        path: relative to what was verified where it lies in there.
        findings: what is wrong with it.
        replayed: whether its samples were run.
        max_abs_error: largest difference of their answers to those kept; nan where none was compared.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    replayed: bool = False
    max_abs_error: float = float("nan")


@dataclass(frozen=True)
class AuditResult:
    """All that one call of `verify` found.

    Attributes:
        outputs: each published output.
        findings: what is wrong besides.
        notes: what a reader should know, but no reason for alarm.
        runs: number of run records that were checked.
    """

    outputs: tuple[OutputState, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    runs: int = 0

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.findings and not any(output.findings for output in self.outputs)


def relative_path(path: Path, root: Path) -> str:
    """How messages name a path: relative to `root` when it lies below."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
