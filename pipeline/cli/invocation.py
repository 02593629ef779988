"""What a command receives besides its own options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.settings import ChildFunctions


@dataclass(frozen=True)
class Invocation:
    """One call of the program.

    Attributes:
        beam_arguments: Beam's own, in order.
        children: functions that the children run in place of the real ones; for tests only, None otherwise.
    """

    beam_arguments: tuple[str, ...] = ()
    children: ChildFunctions | None = None
