"""One operation of Python's bytecode and the context on which the meaning of its argument depends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.lambda_functions.code_object import Code, Unreadable

Version: TypeAlias = tuple[int, int]


#: Operation and argument, not yet placed.
Step: TypeAlias = tuple[str, Any]


@dataclass(frozen=True)
class Raw:
    """One operation of the code, with its complete argument."""

    offset: int
    next_offset: int
    name: str
    argument: int


@dataclass(frozen=True)
class Place:
    """The context on which the meaning of an argument depends."""

    code: Code
    version: Version
    raw: Raw

    def constant(self) -> Any:
        return entry(self.code.constants, self.raw.argument)

    def name(self, index: int) -> str:
        return str(entry(self.code.names, index))

    def variable(self, index: int) -> str:
        return str(entry(self.code.variables, index))

    def shared(self) -> str:
        """A cell or free variable; since 3.11 all variables are numbered together."""
        if self.version >= (3, 11):
            return self.variable(self.raw.argument)
        return str(entry((*self.code.cells, *self.code.frees), self.raw.argument))


def entry(values: tuple[Any, ...], index: int) -> Any:
    """An entry of a code object. Raises Unreadable if it is missing."""
    if not 0 <= index < len(values):
        raise Unreadable("an operation that refers to a missing entry")
    return values[index]


@dataclass(frozen=True)
class Jump:
    """A jump to an offset in the code."""

    offset: int
