"""Reads code objects from marshalled bytes of Python 2.7 and 3.5 to 3.13; builds only plain data.

Source of the format: `r_object` in Python/marshal.c of each version. The bytes do not record the version; the order of
a code object's fields determines it, up to three versions that share a layout.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from transforms.lambda_functions.code_object import CELL, FREE, LAYOUTS, NEW_VALUES, Code, Layout, Unreadable

MAX_BYTES = 256 << 10
_MAX_DEPTH = 20
_MAX_VALUES = 20_000
_MAX_INTEGER_BITS = 1024


def read_code(data: bytes) -> Iterator[Code]:
    """The code object in each matching layout, possibly none. Raises Unreadable for bytes beyond the limit."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"it has more than {MAX_BYTES:,} bytes")
    for layout in LAYOUTS:
        try:
            reader = _Reader(data, layout)
            value, _ = reader.value(0)
        except (Unreadable, struct.error, UnicodeDecodeError, ValueError, OverflowError):
            continue
        if isinstance(value, Code) and reader.at_end:
            yield value


#: A value, and the number of values it contains when references are followed.
_Sized: TypeAlias = tuple[Any, int]

_INCOMPLETE = object()
_END = object()


class _Reader:
    """Reads one value. References may only point to values completed before them, so that no value contains itself."""

    def __init__(self, data: bytes, layout: Layout) -> None:
        self._data = data
        self._layout = layout
        self._place = 0
        self._seen: list[Any] = []
        self._interned: list[str] = []

    @property
    def at_end(self) -> bool:
        """True if all bytes are read."""
        return self._place == len(self._data)

    def value(self, depth: int) -> _Sized:
        """The next value. Raises Unreadable, or the errors of malformed numbers and text."""
        if depth > _MAX_DEPTH:
            raise Unreadable("it nests too deep")
        kind = self._take(1)[0]
        mark, letter = kind & 0x80, chr(kind & 0x7F)
        if letter == "r":
            return self._referred()
        place = len(self._seen)
        if mark:
            self._seen.append(_INCOMPLETE)
        read = _READERS.get(letter)
        if read is None:
            raise Unreadable(f"the type {letter!r}")
        found = read(self, depth + 1)
        if found[1] > _MAX_VALUES:
            raise Unreadable("it holds too many values")
        if mark:
            self._seen[place] = found
        return found

    def _referred(self) -> _Sized:
        found = self._seen[self.length(len(self._seen))]
        if found is _INCOMPLETE:
            raise Unreadable("a value that contains itself")
        value, size = found
        return value, size

    def _take(self, count: int) -> bytes:
        taken = self._data[self._place : self._place + count]
        if len(taken) < count:
            raise Unreadable("it ends too early")
        self._place += count
        return taken

    def integer(self) -> int:
        """A signed number of four bytes."""
        return int(struct.unpack("<i", self._take(4))[0])

    def length(self, most: int = MAX_BYTES) -> int:
        """A number of items or bytes, below `most`."""
        found = self.integer()
        if not 0 <= found < most:
            raise Unreadable(f"the length {found}")
        return found

    def text(self, short: bool, encoding: str) -> str:
        """Characters behind their number, of one byte or of four."""
        return self._take(self._take(1)[0] if short else self.length()).decode(encoding, "surrogatepass")

    def bytes_(self) -> bytes:
        """Bytes behind their number."""
        return self._take(self.length())

    def string(self, depth: int) -> _Sized:
        """`s`: bytes; in Python 2 text as well, which all but `co_code` and the line table are."""
        return self.bytes_(), 1

    def interned(self, depth: int) -> _Sized:
        """`t`: text, which Python 2 may refer to by number."""
        text = self.text(False, "latin-1" if self._layout.versions == ("2.7",) else "utf-8")
        self._interned.append(text)
        return text, 1

    def interned_reference(self, depth: int) -> _Sized:
        """`R` of Python 2."""
        return self._interned[self.length(len(self._interned))], 1

    def long(self, depth: int) -> _Sized:
        """`l`: digits of 15 bits, least first, their number signed like the whole."""
        count = self.integer()
        if abs(count) * 15 > _MAX_INTEGER_BITS:
            raise Unreadable("a very large number")
        digits = struct.unpack(f"<{abs(count)}H", self._take(2 * abs(count)))
        total = sum(digit << (15 * place) for place, digit in enumerate(digits))
        return (-total if count < 0 else total), 1

    def double(self) -> float:
        """A number of eight bytes."""
        return float(struct.unpack("<d", self._take(8))[0])

    def decimal(self) -> float:
        """A number as text."""
        return float(self.text(True, "ascii"))

    def items(self, count: int, depth: int) -> tuple[tuple[Any, ...], int]:
        """So many values, and the number of values they contain together."""
        values, total = [], 1
        for _ in range(count):
            value, size = self.value(depth)
            values.append(value)
            total += size
            if total > _MAX_VALUES:
                raise Unreadable("it holds too many values")
        return tuple(values), total

    def short_tuple(self, depth: int) -> _Sized:
        """`)`: a tuple of at most 255 items."""
        return self.items(self._take(1)[0], depth)

    def mapping(self, depth: int) -> _Sized:
        """`{`: keys and values up to a null."""
        pairs: dict[Any, Any] = {}
        total = 1
        while True:
            key, key_size = self.value(depth)
            if key is _END:
                return pairs, total
            value, value_size = self.value(depth)
            total += key_size + value_size
            if total > _MAX_VALUES:
                raise Unreadable("it holds too many values")
            pairs[_hashable(key)] = value

    def code(self, depth: int) -> _Sized:
        """`c`: the fields of a code object in the order of the layout."""
        layout = self._layout
        fields: dict[str, Any] = {name: self.integer() for name in layout.integers}
        total = 1
        for name in layout.values:
            fields[name], size = self.value(depth)
            total += size
        fields["firstlineno"] = self.integer()
        fields["linetable"], size = self.value(depth)
        if layout.values is NEW_VALUES:
            self.value(depth)  # the exception table, which is not used
        return _code(layout, fields), total + size


def _hashable(key: Any) -> Any:
    if not isinstance(key, (str, int, float, bool, bytes, type(None))):
        raise Unreadable("a dictionary with such a key")
    return key


def _code(layout: Layout, fields: Mapping[str, Any]) -> Code:
    """A code object with checked types of fields."""
    if layout.values is NEW_VALUES:
        variables, kinds = _names(fields["localsplusnames"]), _bytes(fields["localspluskinds"])
        if len(kinds) != len(variables):
            raise Unreadable("kinds of variables that do not fit their names")
        cells = tuple(name for name, kind in zip(variables, kinds, strict=True) if kind & CELL)
        frees = tuple(name for name, kind in zip(variables, kinds, strict=True) if kind & FREE)
    else:
        variables, kinds = _names(fields["varnames"]), b""
        cells, frees = _names(fields["cellvars"]), _names(fields["freevars"])
    flags = fields["flags"]
    count = fields["argcount"] + fields.get("kwonlyargcount", 0) + bool(flags & 4) + bool(flags & 8)
    if fields["argcount"] < 0 or fields.get("kwonlyargcount", 0) < 0 or count > len(variables):
        raise Unreadable("more parameters than variables")
    constants = fields["consts"]
    if not isinstance(constants, tuple):
        raise Unreadable("constants that are not a tuple")
    python_2 = layout.versions == ("2.7",)
    return Code(
        layout=layout,
        argument_count=fields["argcount"],
        keyword_only_count=fields.get("kwonlyargcount", 0),
        stack_size=fields["stacksize"],
        flags=flags,
        instructions=_bytes(fields["code"]),
        constants=tuple(map(_as_text, constants)) if python_2 else constants,
        names=_names(fields["names"]),
        variables=variables,
        variable_kinds=kinds,
        cells=cells,
        frees=frees,
        filename=_text(fields["filename"]),
        name=_text(fields["name"]),
        first_line=fields["firstlineno"],
        line_table=_bytes(fields["linetable"]),
    )


def _as_text(value: Any) -> Any:
    """A constant of Python 2, whose plain strings are text."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return tuple(map(_as_text, value)) if isinstance(value, tuple) else value


def _bytes(value: Any) -> bytes:
    """Bytes; Python 2, whose text they are, interns short ones, such as an empty table of lines."""
    if isinstance(value, str):
        return value.encode("latin-1", "replace")
    if not isinstance(value, bytes):
        raise Unreadable("a value that is not bytes")
    return value


def _text(value: Any) -> str:
    text = _as_text(value)
    if not isinstance(text, str):
        raise Unreadable("a name that is not text")
    return text


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise Unreadable("names that are not a tuple")
    return tuple(map(_text, value))


def _constant(value: Any) -> Callable[[_Reader, int], _Sized]:
    return lambda reader, depth: (value, 1)


_READERS: Mapping[str, Callable[[_Reader, int], _Sized]] = {
    "0": _constant(_END),
    "N": _constant(None),
    "F": _constant(False),
    "T": _constant(True),
    ".": _constant(...),
    "i": lambda reader, depth: (reader.integer(), 1),
    "l": _Reader.long,
    "f": lambda reader, depth: (reader.decimal(), 1),
    "g": lambda reader, depth: (reader.double(), 1),
    "x": lambda reader, depth: (complex(reader.decimal(), reader.decimal()), 1),
    "y": lambda reader, depth: (complex(reader.double(), reader.double()), 1),
    "s": _Reader.string,
    "t": _Reader.interned,
    "R": _Reader.interned_reference,
    "u": lambda reader, depth: (reader.text(False, "utf-8"), 1),
    "a": lambda reader, depth: (reader.text(False, "ascii"), 1),
    "A": lambda reader, depth: (reader.text(False, "ascii"), 1),
    "z": lambda reader, depth: (reader.text(True, "ascii"), 1),
    "Z": lambda reader, depth: (reader.text(True, "ascii"), 1),
    "(": lambda reader, depth: reader.items(reader.length(_MAX_VALUES), depth),
    ")": _Reader.short_tuple,
    "[": lambda reader, depth: reader.items(reader.length(_MAX_VALUES), depth),
    "<": lambda reader, depth: reader.items(reader.length(_MAX_VALUES), depth),
    ">": lambda reader, depth: reader.items(reader.length(_MAX_VALUES), depth),
    "{": _Reader.mapping,
    "c": _Reader.code,
}
