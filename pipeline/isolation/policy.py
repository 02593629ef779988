"""The policy for child processes: roles, limits, and advice to the operator after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from transforms.limits import DEFAULT_LIMITS, GIB


class Role(StrEnum):
    """The role of a child, as in "the inspecting process"."""

    INSPECTING = "inspecting"
    CONVERTING = "converting"
    VERIFYING = "verifying"
    REPLAYING = "replaying"
    SCANNING = "scanning"
    READING = "reading"


@dataclass(frozen=True)
class Advice:
    """Advice after a child's failure; it names only options of the command that was called.

    Attributes:
        timeout: after a timeout.
        memory: after running out of memory.
        crash: after a crash.
        start: after a failed start.
    """

    timeout: str = "Try again on a faster or less busy machine."
    memory: str = "Take a machine with more memory."
    crash: str = "The file may be damaged: fetch it again."
    start: str = "Check the installation."


NO_OPTIONS = Advice()


def option_advice(timeout: str, memory: str) -> Advice:
    """The advice of a command or function with options for the two limits, by their names there."""
    return Advice(
        timeout=f"Give it more with {timeout}, or leave it out.",
        memory=f"Raise {memory}, use fewer workers, or a machine with more memory.",
        crash="The file may be damaged: fetch it again, or run h5ferry inspect on it.",
        start=f"Check the installation, and that {memory} leaves room for TensorFlow.",
    )


@dataclass(frozen=True)
class Isolation:
    """Limits and settings of children.

    Attributes:
        timeout: wall-clock seconds for one model.
        memory_bytes: address space of a child; 0: its share of four fifths of the machine's memory.
        file_bytes: size of one file it may write.
        models_per_child: number of models after which a child is replaced.
        workers: children that share the machine, for the default memory and the thread counts.
        preload: modules imported before the first model's clock starts.
        role: of the children.
        advice: for the operator.
    """

    timeout: float = 600.0
    memory_bytes: int = 0
    file_bytes: int = DEFAULT_LIMITS.weight_bytes + GIB
    models_per_child: int = 1000
    workers: int = 1
    preload: tuple[str, ...] = ()
    role: Role = Role.CONVERTING
    advice: Advice = NO_OPTIONS
