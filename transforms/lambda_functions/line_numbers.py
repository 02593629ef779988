"""Source lines of instructions, in the formats of each Python version."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from transforms.lambda_functions.code_object import Code


def line_finder(code: Code, version: tuple[int, int]) -> LineNumbers:
    """The lines of a code object. An invalid table yields the function's first line."""
    if version < (3, 10):
        return LineNumbers(_pairs(code, signed=version >= (3, 6)), code.first_line)
    return LineNumbers(_ranges(code) if version < (3, 11) else _locations(code), code.first_line)


class LineNumbers:
    """Lines by offset in the code, from places where they change."""

    def __init__(self, changes: Iterator[tuple[int, int]], first_line: int) -> None:
        self._first = first_line
        found = list(changes)
        self._offsets = [offset for offset, _ in found]
        self._lines = [line for _, line in found]

    def at(self, offset: int) -> int:
        """The line of the instruction at an offset."""
        place = bisect_right(self._offsets, offset)
        return self._lines[place - 1] if place else self._first


def covers_code_exactly(code: Code) -> bool:
    """True if the table is `co_linetable` of 3.10: its steps add up to the length of the code, which those of 3.9 never
    do.
    """
    return sum(code.line_table[0::2]) == len(code.instructions)


def _pairs(code: Code, signed: bool) -> Iterator[tuple[int, int]]:
    """`co_lnotab`: pairs of a step of the offset and a step of the line."""
    offset, line = 0, code.first_line
    for step, change in zip(code.line_table[0::2], code.line_table[1::2], strict=False):
        offset += step
        line += change - 256 if signed and change >= 128 else change
        yield offset, line


def _ranges(code: Code) -> Iterator[tuple[int, int]]:
    """`co_linetable` of 3.10: lengths of ranges, and the change of line before each; -128 for no line."""
    offset, line = 0, code.first_line
    for length, change in zip(code.line_table[0::2], code.line_table[1::2], strict=False):
        if change != 128:
            line += change - 256 if change > 128 else change
            yield offset, line
        offset += length


def _locations(code: Code) -> Iterator[tuple[int, int]]:
    """The location table of 3.11 on (Objects/locations.md): a kind and a length, then numbers of seven and six bits."""
    offset, line, table, place = 0, code.first_line, code.line_table, 0
    while place < len(table):
        kind, length = table[place] >> 3 & 15, (table[place] & 7) + 1
        place += 1
        start = place
        while place < len(table) and not table[place] & 0x80:
            place += 1
        if kind in (13, 14):
            line += _signed(table[start:place])
        elif 10 <= kind <= 12:
            line += kind - 10
        yield offset, line
        offset += 2 * length


def _signed(data: bytes) -> int:
    """The first number: six bits a byte, least first, 0x40 while more follow; its lowest bit is the sign."""
    value = 0
    for place, byte in enumerate(data[:6]):
        value |= (byte & 0x3F) << (6 * place)
        if not byte & 0x40:
            break
    return -(value >> 1) if value & 1 else value >> 1
