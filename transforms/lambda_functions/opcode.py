"""One operation of a Python's bytecode, and how `opcodes` writes a version's operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Opcode:
    """One operation: its name, and how many cache entries follow it in the code."""

    name: str
    caches: int


def table(text: str) -> Mapping[int, Opcode]:
    """The operations by number, from entries such as `NOP=9` or `LOAD_GLOBAL=116+4`."""
    operations = {}
    for entry in text.split():
        name, _, rest = entry.partition("=")
        number, _, caches = rest.partition("+")
        operations[int(number)] = Opcode(name, int(caches or 0))
    return operations
