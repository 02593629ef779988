"""Decodes the bytecode of every Python version into one set of instructions for one interpreter.

Every operation of Python 2.7 and 3.5 to 3.13 that a function over tensors may need is a row of the table, or a rule
below it where versions differ; all others become `unknown`, which is refused when it is reached.
Source: Python/ceval.c (Python/bytecodes.c from 3.12 on) and the documentation of `dis` of each version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.lambda_functions.code_object import Code, Unreadable
from transforms.lambda_functions.line_numbers import covers_code_exactly, line_finder
from transforms.lambda_functions.opcode import Opcode
from transforms.lambda_functions.opcodes import OPCODES
from transforms.lambda_functions.operation_place import Jump, Place, Raw, Step, Version
from transforms.lambda_functions.version_rules import steps_of


@dataclass(frozen=True)
class Instruction:
    """One step of the interpreter.

    Attributes:
        operation: a key of the interpreter's table.
        argument: a value, a name, a number, or the index of a jump's target.
        line: of the source.
    """

    operation: str
    argument: Any
    line: int


def decode(code: Code, version_name: str) -> tuple[Instruction, ...]:
    """The instructions of a code object, read as a version's.

    Raises Unreadable if the code is not of this version: unknown operations, invalid arguments or jump targets, cache
    entries that are not empty, no RESUME from 3.11 on (compiler_enter_scope of Python/compile.c emits one in each).
    """
    version: Version = (int(version_name.split(".")[0]), int(version_name.split(".")[1]))
    if version in ((3, 8), (3, 9), (3, 10)) and covers_code_exactly(code) != (version == (3, 10)):
        raise Unreadable("a table of lines of another version")
    lines = line_finder(code, version)
    placed: list[tuple[Step, int]] = []
    starts: dict[int, int] = {}
    operations = list(_raw_operations(code, version, OPCODES[version_name]))
    if version >= (3, 11) and all(raw.name != "RESUME" for raw in operations):
        raise Unreadable("no RESUME")
    for raw in operations:
        starts[raw.offset] = len(placed)
        placed.extend((step, raw.offset) for step in steps_of(Place(code, version, raw)))
    starts[len(code.instructions)] = len(placed)
    return tuple(
        Instruction(operation, _target(argument, starts) if isinstance(argument, Jump) else argument, lines.at(offset))
        for (operation, argument), offset in placed
    )


def _target(jump: Jump, starts: Mapping[int, int]) -> int:
    if jump.offset not in starts:
        raise Unreadable("a jump between operations")
    return starts[jump.offset]


def _raw_operations(code: Code, version: Version, opcodes: Mapping[int, Opcode]) -> Iterator[Raw]:
    """Operations and their arguments: one or three bytes up to 3.5, two from 3.6 on, then cache entries."""
    data, offset, extended, start = code.instructions, 0, 0, 0
    words = version >= (3, 6)
    while offset < len(data):
        opcode = opcodes.get(data[offset])
        if opcode is None or opcode.name == "CACHE":
            raise Unreadable(f"the operation {data[offset]}")
        size = 2 if words else 3 if data[offset] >= _HAVE_ARGUMENT else 1
        if offset + size > len(data):
            raise Unreadable("a truncated operation")
        argument = int.from_bytes(data[offset + 1 : offset + size], "little") | extended
        caches = data[offset + size : offset + size + 2 * opcode.caches]
        if len(caches) < 2 * opcode.caches or any(caches):
            raise Unreadable("cache entries that are not empty")
        offset += size + len(caches)
        if opcode.name == "EXTENDED_ARG":
            extended = argument << (8 if words else 16)
            if extended >> 32:
                raise Unreadable("an argument that is too large")
            continue
        yield Raw(start, offset, opcode.name, argument)
        extended, start = 0, offset


_HAVE_ARGUMENT = 90
