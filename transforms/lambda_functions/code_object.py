"""Code objects as plain data, and the layouts in which versions of Python store them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Unreadable(Exception):
    """The bytes are not a code object, or exceed the limits."""


@dataclass(frozen=True)
class Code:
    """A code object. Names of fields as in Python, without `co_`.

    Attributes:
        layout: with which it was read.
        argument_count: of positional parameters, those that are positional only included.
        keyword_only_count: of parameters after `*`.
        flags: `co_flags`.
        instructions: `co_code`.
        constants: plain values and further `Code`.
        names: global and attribute names.
        variables: local variables, parameters first. Since 3.11 (`localsplus`) cell and free variables follow.
        variable_kinds: of `localsplus`, one each; empty before 3.11.
        cells, frees: names of cell and free variables.
        line_table: `co_lnotab`, or since 3.10 `co_linetable`.
    """

    layout: Layout
    argument_count: int
    keyword_only_count: int
    stack_size: int
    flags: int
    instructions: bytes
    constants: tuple[Any, ...]
    names: tuple[str, ...]
    variables: tuple[str, ...]
    variable_kinds: bytes
    cells: tuple[str, ...]
    frees: tuple[str, ...]
    filename: str
    name: str
    first_line: int
    line_table: bytes


@dataclass(frozen=True)
class Layout:
    """The layout of a code object in some versions.

    Attributes:
        versions: with this layout, oldest first.
        integers: the numbers at the start.
        values: the values after them.
    """

    versions: tuple[str, ...]
    integers: tuple[str, ...]
    values: tuple[str, ...]


OLD_VALUES = ("code", "consts", "names", "varnames", "freevars", "cellvars", "filename", "name")
NEW_VALUES = ("code", "consts", "names", "localsplusnames", "localspluskinds", "filename", "name", "qualname")

LAYOUTS = (
    Layout(("3.5", "3.6", "3.7"), ("argcount", "kwonlyargcount", "nlocals", "stacksize", "flags"), OLD_VALUES),
    Layout(
        ("3.8", "3.9", "3.10"),
        ("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags"),
        OLD_VALUES,
    ),
    Layout(
        ("3.11", "3.12", "3.13"), ("argcount", "posonlyargcount", "kwonlyargcount", "stacksize", "flags"), NEW_VALUES
    ),
    Layout(("2.7",), ("argcount", "nlocals", "stacksize", "flags"), OLD_VALUES),
)

#: Bits of `localspluskinds`: variables shared with inner functions, and with an outer one.
CELL, FREE = 0x40, 0x80
