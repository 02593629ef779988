"""How a child process is kept: what it is for, what it may use, and what an operator is told when it ends badly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from transforms.limits import DEFAULT_LIMITS, GIB


class Role(StrEnum):
    """What a child does, as messages name it: "the inspecting process"."""

    INSPECTING = "inspecting"
    CONVERTING = "converting"
    VERIFYING = "verifying"
    REPLAYING = "replaying"
    SCANNING = "scanning"


@dataclass(frozen=True)
class Advice:
    """What to do about a child that ended badly; it names options of the command that was called, and no others.

    Attributes:
        timeout: it took too long.
        memory: it ran out of memory.
        crash: it died.
        start: it did not start.
    """

    timeout: str = "Try again on a faster or less busy machine."
    memory: str = "Take a machine with more memory."
    crash: str = "The file may be damaged: fetch it again."
    start: str = "Check the installation."


NO_OPTIONS = Advice()


def option_advice(timeout: str, memory: str) -> Advice:
    """The advice of a command or function that has options for the two limits; as they are called there."""
    return Advice(
        timeout=f"Give it more with {timeout}, or leave it out.",
        memory=f"Raise {memory}, use fewer workers, or a machine with more memory.",
        crash="The file may be damaged: fetch it again, or run h5ferry inspect on it.",
        start=f"Check the installation, and that {memory} leaves room for TensorFlow.",
    )


@dataclass(frozen=True)
class Isolation:
    """How children are kept.

    Attributes:
        timeout: wall-clock seconds for one model.
        memory_bytes: address space of a child; 0 for its share of four fifths of the machine.
        file_bytes: size of one file it may write.
        models_per_child: a child is replaced after so many.
        workers: children that share the machine, for the default memory and the thread counts.
        preload: modules imported before the first model's clock starts.
        role: what they do.
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
