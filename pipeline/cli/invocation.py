"""What a command gets besides its own options."""

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
        children: what the children run in place of the real functions; for tests alone, None otherwise.
    """

    beam_arguments: tuple[str, ...] = ()
    children: ChildFunctions | None = None
