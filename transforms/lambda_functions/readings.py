"""The readings of a stored function in the versions of Python that may have written it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from transforms.errors import Reason
from transforms.lambda_functions.code_object import Code, Unreadable
from transforms.lambda_functions.instructions import Instruction, decode
from transforms.lambda_functions.names import member, normalised
from transforms.lambda_functions.stored_function import StoredFunction, plain_value
from transforms.lambda_functions.values import Cell, Function, Reference, Refused

#: The version for a function stored by name, which has no bytecode.
_ANY_VERSION = "3.11"


@dataclass(frozen=True)
class Reading:
    """A function as read by one version of Python.

    Attributes:
        version: of Python.
        callee: the function, without its defaults and closure.
        defaults, closure: as stored.
    """

    version: str
    callee: Function | Reference
    defaults: tuple[Any, ...] = ()
    closure: tuple[Any, ...] = ()

    def with_values(self) -> Function | Reference:
        """The function with its defaults and closure. Raises Refused for values that are not data."""
        if isinstance(self.callee, Reference):
            return self.callee
        code = self.callee.code
        closure = {name: Cell(empty=True) for name in code.frees}
        for name, value in zip(code.frees, self.closure, strict=False):
            closure[name] = Cell(plain_value(value))
        return Function(code, tuple(map(plain_value, self.defaults)), {}, closure)

    def place(self, line: int) -> str:
        """The place of a line of the function, for messages."""
        if isinstance(self.callee, Reference):
            return self.callee.written
        file = re.split(r"[/\\]", self.callee.code.filename)[-1][:60]
        return f"line {line} of {file}"


def readings(stored: StoredFunction) -> Iterator[Reading]:
    """The possible versions of the code and of all functions inside it, one of each group that read it alike.

    Raises Refused for a function stored by name that is not from Keras or TensorFlow.
    """
    if not stored.codes:
        yield _by_name(stored.name)
    seen: list[list[tuple[Instruction, ...]]] = []
    for code in stored.codes:
        for version in code.layout.versions:
            try:
                instructions = list(_decoded(code, version))
            except Unreadable:
                continue
            if instructions not in seen:
                seen.append(instructions)
                yield Reading(version, Function(code), stored.defaults, stored.closure)


def _decoded(code: Code, version: str) -> Iterator[tuple[Instruction, ...]]:
    """The instructions of a code object, and of those among its constants."""
    yield decode(code, version)
    for constant in code.constants:
        if isinstance(constant, Code):
            yield from _decoded(constant, version)


def _by_name(name: str) -> Reading:
    """A function stored by name: one of Keras's own, if its module says so."""
    module, _, last = name.rpartition(".")
    root = normalised(module).split(".")[0]
    if not module or root not in ("keras", "tensorflow"):
        raise Refused(f"{name}, of which the file stores only the name", Reason.CUSTOM_OBJECTS_NEEDED)
    found = member(Reference(normalised(module), module), last)
    if not isinstance(found, Reference):
        raise Refused(f"{name}, which is not a function")
    return Reading(_ANY_VERSION, Reference(found.name, last))
