"""What one operation of Python's bytecode comes to, by version: rows of the table, and rules where versions differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.lambda_functions.code_object import CELL, FREE, Code, Unreadable
from transforms.lambda_functions.opcodes import OPCODES
from transforms.lambda_functions.operation_table import COMPARISON_MASKS, COMPARISONS, INTRINSICS, OPERATORS, PLAIN

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
        return _item(self.code.constants, self.raw.argument)

    def name(self, index: int) -> str:
        return str(_item(self.code.names, index))

    def variable(self, index: int) -> str:
        return str(_item(self.code.variables, index))

    def shared(self) -> str:
        """A cell or free variable; since 3.11 all variables are numbered together."""
        if self.version >= (3, 11):
            return self.variable(self.raw.argument)
        return str(_item((*self.code.cells, *self.code.frees), self.raw.argument))


def _item(values: tuple[Any, ...], index: int) -> Any:
    if not 0 <= index < len(values):
        raise Unreadable("an operation that refers to a missing entry")
    return values[index]


@dataclass(frozen=True)
class Jump:
    """A jump to an offset in the code."""

    offset: int


def steps_of(place: Place) -> list[Step]:
    """The instructions for one operation."""
    name = place.raw.name
    if name in _RULES:
        return _RULES[name](place)
    if name not in PLAIN:
        return [("unknown", name)]
    match PLAIN[name]:
        case []:
            return []
        case [operation]:
            return [(operation, None)]
        case [operation, kind]:
            return [(operation, _argument(kind, place))]
    raise AssertionError(name)


def _argument(kind: str, place: Place) -> Any:
    match kind:
        case ":const":
            return place.constant()
        case ":name":
            return place.name(place.raw.argument)
        case ":variable":
            return place.variable(place.raw.argument)
        case ":shared":
            return place.shared()
        case ":number":
            return place.raw.argument
        case ":jump":
            return Jump(_destination(place))
        case "None":
            return None
    return int(kind) if kind.isdigit() else kind


#: Jumps that count from the next operation in every version.
_FORWARD = frozenset({"JUMP_FORWARD", "FOR_ITER", "SETUP_LOOP", "SETUP_EXCEPT", "SETUP_FINALLY", "CALL_FINALLY"})


def _destination(place: Place) -> int:
    """The target of a jump: before 3.10 arguments count bytes, then units of two; before 3.11 some are absolute."""
    raw, version = place.raw, place.version
    distance = raw.argument * (2 if version >= (3, 10) else 1)
    if "BACKWARD" in raw.name:
        return raw.next_offset - distance
    if version >= (3, 11) or raw.name in _FORWARD:
        # An exhausted loop continues after END_FOR (3.12), and after the POP_TOP that follows it (3.13); these pop
        # values that the interpreter has already popped.
        behind = {(3, 12): 2, (3, 13): 4}.get(version, 0) if raw.name == "FOR_ITER" else 0
        return raw.next_offset + distance + behind
    return distance


def _global(place: Place) -> list[Step]:
    """Since 3.11 the lowest bit requests a null beside the function to be called: below it, since 3.13 above."""
    argument = place.raw.argument
    if place.version < (3, 11):
        return [("global", place.name(argument))]
    found: list[Step] = [("global", place.name(argument >> 1))]
    null: list[Step] = [("null", None)] if argument & 1 else []
    return [*null, *found] if place.version < (3, 13) else [*found, *null]


def _attribute(place: Place) -> list[Step]:
    argument = place.raw.argument
    if place.version < (3, 12):
        return [("attribute", place.name(argument))]
    return [("attribute", place.name(argument >> 1)), *([("null", None)] if argument & 1 else [])]


def _method(place: Place) -> list[Step]:
    return [("attribute", place.name(place.raw.argument)), ("null", None)]


def _local(place: Place) -> list[Step]:
    """3.13 loads the cells that a closure is made of by LOAD_FAST."""
    index = place.raw.argument
    name = place.variable(index)
    if place.version >= (3, 13) and place.code.variable_kinds[index] & (CELL | FREE):
        return [("cell", name)]
    return [("local", name)]


def _pair_of_locals(place: Place) -> list[Step]:
    """Two operations in one, of 3.13; the first variable is in the upper four bits."""
    first, second = place.variable(place.raw.argument >> 4), place.variable(place.raw.argument & 15)
    kinds = {"LOAD_FAST_LOAD_FAST": ("local", "local"), "STORE_FAST_LOAD_FAST": ("store", "local")}
    one, other = kinds.get(place.raw.name, ("store", "store"))
    return [(one, first), (other, second)]


def _rotate(place: Place) -> list[Step]:
    fixed = {"ROT_TWO": 2, "ROT_THREE": 3, "ROT_FOUR": 4}
    return [("rotate", fixed.get(place.raw.name, place.raw.argument))]


def _copies(place: Place) -> list[Step]:
    """Duplicates the top two values, or as many as Python 2 states."""
    count = 2 if place.raw.name == "DUP_TOP_TWO" else place.raw.argument
    return [("copy", count)] * count


def _operator(place: Place) -> list[Step]:
    argument = place.raw.argument
    inplace, index = divmod(argument, len(OPERATORS))
    if inplace > 1:
        raise Unreadable("an invalid operator")
    return [("inplace" if inplace else "binary", OPERATORS[index])]


def _comparison(place: Place) -> list[Step]:
    """The operator, since 3.12 in the upper bits and again in the lowest four; 3.13 marks a conversion to bool by the
    fifth.
    """
    argument, version = place.raw.argument, place.version
    if version < (3, 12):
        return [("compare", _item(COMPARISONS, argument))]
    symbol = _item(COMPARISONS, argument >> (4 if version < (3, 13) else 5))
    if argument & 15 != COMPARISON_MASKS.get(symbol):
        raise Unreadable("an invalid comparison")
    return [("compare", symbol), *([("truth", None)] if version >= (3, 13) and argument & 16 else [])]


def _identity(place: Place) -> list[Step]:
    names = {"IS_OP": ("is", "is not"), "CONTAINS_OP": ("in", "not in")}[place.raw.name]
    return [("compare", names[place.raw.argument & 1])]


def _slice(place: Place) -> list[Step]:
    """`x[a:b]` as special operations: of Python 2 with neither, either or both bounds; of 3.12 with both."""
    both: list[Step] = [("build_slice", 2), ("subscript", None)]
    nothing: Step = ("constant", None)
    match place.raw.name:
        case "SLICE+0":
            return [nothing, nothing, *both]
        case "SLICE+1":
            return [nothing, *both]
        case "SLICE+2":
            return [nothing, ("rotate", 2), *both]
    return both


def _map(place: Place) -> list[Step]:
    return [("build_map", place.raw.argument if place.version >= (3, 5) else 0)]


def _map_entry(place: Place) -> list[Step]:
    """Up to 3.7 the key is on top, later the value."""
    turned: list[Step] = [] if place.version >= (3, 8) else [("rotate", 2)]
    return [*turned, ("add_to_map", place.raw.argument)]


def _merge_maps_for_call(place: Place) -> list[Step]:
    return [("merge_maps", place.raw.argument)]


def _call(place: Place) -> list[Step]:
    """From 3.6 to 3.10 the argument is the number of arguments; before, the upper byte is the number of keywords, whose
    names are on the stack.
    """
    argument = place.raw.argument
    if place.version >= (3, 6):
        return [("call", argument)]
    return [("call_with_pairs", (argument & 255, argument >> 8, "VAR" in place.raw.name, "KW" in place.raw.name))]


def _call_with_names(place: Place) -> list[Step]:
    return [("call_with_names", place.raw.argument)] if place.version >= (3, 6) else _call(place)


def _new_call(place: Place) -> list[Step]:
    """CALL of 3.11 and 3.12 may follow KW_NAMES; 3.13 has CALL_KW instead."""
    if place.raw.name == "CALL_KW" or _follows_names(place):
        return [("call_of_two_with_names", place.raw.argument)]
    return [("call_of_two", place.raw.argument)]


def _follows_names(place: Place) -> bool:
    """True if KW_NAMES precedes, in 3.11 with PRECALL between."""
    if place.version >= (3, 13):
        return False
    numbers = {opcode.name: number for number, opcode in OPCODES[f"3.{place.version[1]}"].items()}
    data, offset = place.code.instructions, place.raw.offset
    while offset >= 2 and data[offset - 2] in (0, numbers.get("PRECALL"), numbers["EXTENDED_ARG"]):
        offset -= 2
    return offset >= 2 and data[offset - 2] == numbers["KW_NAMES"]


def _call_unpacked(place: Place) -> list[Step]:
    operation = "call_of_two_unpacked" if place.version >= (3, 11) else "call_unpacked"
    return [(operation, bool(place.raw.argument & 1))]


def _function(place: Place) -> list[Step]:
    """Up to 3.5 defaults are on the stack one by one; from 3.6 on flags state what is there; 3.13 sets them later."""
    argument, version = place.raw.argument, place.version
    named: list[Step] = [("pop", None)] if (3,) <= version < (3, 11) else []
    if version >= (3, 13):
        return [("function", 0)]
    if version >= (3, 6):
        return [*named, ("function", argument)]
    counts = (argument & 255, argument >> 8 & 255, argument >> 16, place.raw.name == "MAKE_CLOSURE")
    return [*named, ("function_with_defaults", counts)]


def _return_constant(place: Place) -> list[Step]:
    return [("constant", place.constant()), ("return", None)]


def _intrinsic(place: Place) -> list[Step]:
    known = INTRINSICS.get(place.raw.argument)
    return [("unknown", f"CALL_INTRINSIC_1 {place.raw.argument}") if known is None else known]


def _format(place: Place) -> list[Step]:
    """Text of a value; conversions and formats are not supported."""
    if place.raw.name == "FORMAT_SIMPLE" or (place.raw.name == "FORMAT_VALUE" and place.raw.argument == 0):
        return [("format", None)]
    return [("unknown", "a format specification")]


#: Operations whose arguments differ by version, or that become several instructions.
_RULES: Mapping[str, Callable[[Place], list[Step]]] = {
    "LOAD_GLOBAL": _global,
    "LOAD_ATTR": _attribute,
    "LOAD_METHOD": _method,
    "LOAD_FAST": _local,
    **dict.fromkeys(("LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST"), _pair_of_locals),
    **dict.fromkeys(("ROT_TWO", "ROT_THREE", "ROT_FOUR", "ROT_N"), _rotate),
    **dict.fromkeys(("DUP_TOP_TWO", "DUP_TOPX"), _copies),
    "COPY": lambda place: [("copy", place.raw.argument)],
    "SWAP": lambda place: [("swap", place.raw.argument)],
    "BINARY_OP": _operator,
    "COMPARE_OP": _comparison,
    **dict.fromkeys(("IS_OP", "CONTAINS_OP"), _identity),
    **dict.fromkeys(("SLICE+0", "SLICE+1", "SLICE+2", "SLICE+3", "BINARY_SLICE"), _slice),
    "BUILD_MAP": _map,
    "MAP_ADD": _map_entry,
    "BUILD_MAP_UNPACK_WITH_CALL": _merge_maps_for_call,
    **dict.fromkeys(("CALL_FUNCTION", "CALL_FUNCTION_VAR", "CALL_FUNCTION_VAR_KW"), _call),
    "CALL_FUNCTION_KW": _call_with_names,
    **dict.fromkeys(("CALL", "CALL_KW"), _new_call),
    "CALL_FUNCTION_EX": _call_unpacked,
    **dict.fromkeys(("MAKE_FUNCTION", "MAKE_CLOSURE"), _function),
    "SET_FUNCTION_ATTRIBUTE": lambda place: [("function_attribute", place.raw.argument)],
    "RETURN_CONST": _return_constant,
    "CALL_INTRINSIC_1": _intrinsic,
    **dict.fromkeys(("FORMAT_VALUE", "FORMAT_SIMPLE"), _format),
}
