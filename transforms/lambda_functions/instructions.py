"""Decodes the bytecode of every Python version into one set of instructions for one interpreter.

Every operation of Python 2.7 and 3.5 to 3.13 that a function over tensors may need is a row of the table, or a rule
below it where versions differ; all others become `unknown`, which is refused when it is reached.
Source: Python/ceval.c (Python/bytecodes.c from 3.12 on) and the documentation of `dis` of each version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.lambda_functions.line_numbers import covers_code_exactly, line_finder
from transforms.lambda_functions.marshal_reader import CELL, FREE, Code, Unreadable
from transforms.lambda_functions.opcodes import OPCODES, Opcode

Version: TypeAlias = tuple[int, int]


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


#: Operation and argument, not yet placed.
_Step: TypeAlias = tuple[str, Any]

_TABLE = """
POP_TOP pop
DUP_TOP copy 1
UNARY_POSITIVE unary +
UNARY_NEGATIVE unary -
UNARY_INVERT unary ~
UNARY_NOT not
TO_BOOL truth
BINARY_POWER binary **
BINARY_MULTIPLY binary *
BINARY_MATRIX_MULTIPLY binary @
BINARY_MODULO binary %
BINARY_ADD binary +
BINARY_SUBTRACT binary -
BINARY_DIVIDE binary python-2-/
BINARY_TRUE_DIVIDE binary /
BINARY_FLOOR_DIVIDE binary //
BINARY_LSHIFT binary <<
BINARY_RSHIFT binary >>
BINARY_AND binary &
BINARY_OR binary |
BINARY_XOR binary ^
INPLACE_POWER inplace **
INPLACE_MULTIPLY inplace *
INPLACE_MATRIX_MULTIPLY inplace @
INPLACE_MODULO inplace %
INPLACE_ADD inplace +
INPLACE_SUBTRACT inplace -
INPLACE_DIVIDE inplace python-2-/
INPLACE_TRUE_DIVIDE inplace /
INPLACE_FLOOR_DIVIDE inplace //
INPLACE_LSHIFT inplace <<
INPLACE_RSHIFT inplace >>
INPLACE_AND inplace &
INPLACE_OR inplace |
INPLACE_XOR inplace ^
BINARY_SUBSCR subscript
STORE_SUBSCR store_subscript
LOAD_CONST constant :const
LOAD_FAST local :variable
LOAD_FAST_CHECK local :variable
LOAD_FAST_AND_CLEAR set_aside :variable
STORE_FAST store :variable
DELETE_FAST delete :variable
LOAD_DEREF local :shared
LOAD_CLASSDEREF local :shared
STORE_DEREF store :shared
DELETE_DEREF delete :shared
LOAD_CLOSURE cell :shared
MAKE_CELL renew :variable
LOAD_NAME global :name
IMPORT_NAME import_module :name
IMPORT_FROM import_from :name
BUILD_TUPLE build_tuple :number
BUILD_LIST build_list :number
BUILD_SET build_set :number
BUILD_STRING build_string :number
BUILD_SLICE build_slice :number
BUILD_CONST_KEY_MAP build_map_of_keys :number
BUILD_TUPLE_UNPACK concatenate_tuples :number
BUILD_TUPLE_UNPACK_WITH_CALL concatenate_tuples :number
BUILD_LIST_UNPACK concatenate_lists :number
BUILD_MAP_UNPACK merge_maps :number
UNPACK_SEQUENCE unpack :number
UNPACK_EX unpack_rest :number
LIST_APPEND append :number
LIST_EXTEND extend :number
LIST_TO_TUPLE to_tuple
DICT_UPDATE update :number
DICT_MERGE update :number
STORE_MAP store_map
GET_ITER iterate
GET_YIELD_FROM_ITER iterate
JUMP_FORWARD jump :jump
JUMP_ABSOLUTE jump :jump
JUMP_BACKWARD jump :jump
JUMP_BACKWARD_NO_INTERRUPT jump :jump
CONTINUE_LOOP jump :jump
POP_JUMP_IF_FALSE jump_if_false :jump
POP_JUMP_IF_TRUE jump_if_true :jump
POP_JUMP_IF_NONE jump_if_none :jump
POP_JUMP_IF_NOT_NONE jump_if_not_none :jump
POP_JUMP_FORWARD_IF_FALSE jump_if_false :jump
POP_JUMP_FORWARD_IF_TRUE jump_if_true :jump
POP_JUMP_FORWARD_IF_NONE jump_if_none :jump
POP_JUMP_FORWARD_IF_NOT_NONE jump_if_not_none :jump
POP_JUMP_BACKWARD_IF_FALSE jump_if_false :jump
POP_JUMP_BACKWARD_IF_TRUE jump_if_true :jump
POP_JUMP_BACKWARD_IF_NONE jump_if_none :jump
POP_JUMP_BACKWARD_IF_NOT_NONE jump_if_not_none :jump
JUMP_IF_FALSE_OR_POP jump_if_false_or_pop :jump
JUMP_IF_TRUE_OR_POP jump_if_true_or_pop :jump
FOR_ITER next_or_jump :jump
SETUP_LOOP push_block :jump
SETUP_EXCEPT push_block :jump
SETUP_FINALLY push_block :jump
CALL_FINALLY call_finally :jump
POP_BLOCK pop_block
BREAK_LOOP break
SETUP_WITH enter_with
BEFORE_WITH enter_with
BEGIN_FINALLY constant None
WITH_CLEANUP leave_with
WITH_CLEANUP_START leave_with
END_FINALLY pop
PUSH_NULL null
CALL_METHOD call_of_two :number
KW_NAMES constant :const
RETURN_VALUE return
YIELD_VALUE yield
RETURN_GENERATOR constant None
RAISE_VARARGS raise
LOAD_ASSERTION_ERROR constant None
NOP
RESUME
PRECALL
EXTENDED_ARG
COPY_FREE_VARS
GEN_START
WITH_CLEANUP_FINISH
END_FOR
SETUP_ANNOTATIONS
"""

#: Operation and kind of its argument, by the operation's name in Python.
_PLAIN: Mapping[str, list[str]] = {name: rest for name, *rest in (line.split() for line in _TABLE.split("\n") if line)}

_OPERATORS = "+ & // << @ * % | ** >> - / ^".split()
_COMPARISONS = ("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not")

#: Unordered, less, greater and equal as bits of a comparison's result (`compare_masks` in Python/compile.c).
_COMPARISON_MASKS = {"<": 2, "<=": 10, "==": 8, "!=": 7, ">": 4, ">=": 12}

#: Supported `CALL_INTRINSIC_1` arguments of 3.12 and 3.13.
_INTRINSICS = {5: ("unary", "+"), 6: ("to_tuple", None)}


@dataclass(frozen=True)
class _Raw:
    """One operation of the code, with its complete argument."""

    offset: int
    next_offset: int
    name: str
    argument: int


@dataclass(frozen=True)
class _Place:
    """The context on which the meaning of an argument depends."""

    code: Code
    version: Version
    raw: _Raw

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


def decode(code: Code, version_name: str) -> tuple[Instruction, ...]:
    """The instructions of a code object, read as a version's.

    Raises Unreadable if the code is not of this version: unknown operations, invalid arguments or jump targets, cache
    entries that are not empty.
    """
    version: Version = (int(version_name.split(".")[0]), int(version_name.split(".")[1]))
    if version in ((3, 8), (3, 9), (3, 10)) and covers_code_exactly(code) != (version == (3, 10)):
        raise Unreadable("a table of lines of another version")
    lines = line_finder(code, version)
    placed: list[tuple[_Step, int]] = []
    starts: dict[int, int] = {}
    for raw in _raw_operations(code, version, OPCODES[version_name]):
        starts[raw.offset] = len(placed)
        placed.extend((step, raw.offset) for step in _steps(_Place(code, version, raw)))
    starts[len(code.instructions)] = len(placed)
    return tuple(
        Instruction(operation, _target(argument, starts) if isinstance(argument, _Jump) else argument, lines.at(offset))
        for (operation, argument), offset in placed
    )


@dataclass(frozen=True)
class _Jump:
    """A jump to an offset in the code."""

    offset: int


def _target(jump: _Jump, starts: Mapping[int, int]) -> int:
    if jump.offset not in starts:
        raise Unreadable("a jump between operations")
    return starts[jump.offset]


def _raw_operations(code: Code, version: Version, opcodes: Mapping[int, Opcode]) -> Iterator[_Raw]:
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
        yield _Raw(start, offset, opcode.name, argument)
        extended, start = 0, offset


_HAVE_ARGUMENT = 90


def _steps(place: _Place) -> list[_Step]:
    """The instructions for one operation."""
    name = place.raw.name
    if name in _RULES:
        return _RULES[name](place)
    if name not in _PLAIN:
        return [("unknown", name)]
    match _PLAIN[name]:
        case []:
            return []
        case [operation]:
            return [(operation, None)]
        case [operation, kind]:
            return [(operation, _argument(kind, place))]
    raise AssertionError(name)


def _argument(kind: str, place: _Place) -> Any:
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
            return _Jump(_destination(place))
        case "None":
            return None
    return int(kind) if kind.isdigit() else kind


#: Jumps that count from the next operation in every version.
_FORWARD = frozenset({"JUMP_FORWARD", "FOR_ITER", "SETUP_LOOP", "SETUP_EXCEPT", "SETUP_FINALLY", "CALL_FINALLY"})


def _destination(place: _Place) -> int:
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


def _global(place: _Place) -> list[_Step]:
    """Since 3.11 the lowest bit requests a null beside the function to be called: below it, since 3.13 above."""
    argument = place.raw.argument
    if place.version < (3, 11):
        return [("global", place.name(argument))]
    found: list[_Step] = [("global", place.name(argument >> 1))]
    null: list[_Step] = [("null", None)] if argument & 1 else []
    return [*null, *found] if place.version < (3, 13) else [*found, *null]


def _attribute(place: _Place) -> list[_Step]:
    argument = place.raw.argument
    if place.version < (3, 12):
        return [("attribute", place.name(argument))]
    return [("attribute", place.name(argument >> 1)), *([("null", None)] if argument & 1 else [])]


def _method(place: _Place) -> list[_Step]:
    return [("attribute", place.name(place.raw.argument)), ("null", None)]


def _local(place: _Place) -> list[_Step]:
    """3.13 loads the cells that a closure is made of by LOAD_FAST."""
    index = place.raw.argument
    name = place.variable(index)
    if place.version >= (3, 13) and place.code.variable_kinds[index] & (CELL | FREE):
        return [("cell", name)]
    return [("local", name)]


def _pair_of_locals(place: _Place) -> list[_Step]:
    """Two operations in one, of 3.13; the first variable is in the upper four bits."""
    first, second = place.variable(place.raw.argument >> 4), place.variable(place.raw.argument & 15)
    kinds = {"LOAD_FAST_LOAD_FAST": ("local", "local"), "STORE_FAST_LOAD_FAST": ("store", "local")}
    one, other = kinds.get(place.raw.name, ("store", "store"))
    return [(one, first), (other, second)]


def _rotate(place: _Place) -> list[_Step]:
    fixed = {"ROT_TWO": 2, "ROT_THREE": 3, "ROT_FOUR": 4}
    return [("rotate", fixed.get(place.raw.name, place.raw.argument))]


def _copies(place: _Place) -> list[_Step]:
    """Duplicates the top two values, or as many as Python 2 states."""
    count = 2 if place.raw.name == "DUP_TOP_TWO" else place.raw.argument
    return [("copy", count)] * count


def _operator(place: _Place) -> list[_Step]:
    argument = place.raw.argument
    inplace, index = divmod(argument, len(_OPERATORS))
    if inplace > 1:
        raise Unreadable("an invalid operator")
    return [("inplace" if inplace else "binary", _OPERATORS[index])]


def _comparison(place: _Place) -> list[_Step]:
    """The operator, since 3.12 in the upper bits and again in the lowest four; 3.13 marks a conversion to bool by the
    fifth.
    """
    argument, version = place.raw.argument, place.version
    if version < (3, 12):
        return [("compare", _item(_COMPARISONS, argument))]
    symbol = _item(_COMPARISONS, argument >> (4 if version < (3, 13) else 5))
    if argument & 15 != _COMPARISON_MASKS.get(symbol):
        raise Unreadable("an invalid comparison")
    return [("compare", symbol), *([("truth", None)] if version >= (3, 13) and argument & 16 else [])]


def _identity(place: _Place) -> list[_Step]:
    names = {"IS_OP": ("is", "is not"), "CONTAINS_OP": ("in", "not in")}[place.raw.name]
    return [("compare", names[place.raw.argument & 1])]


def _slice(place: _Place) -> list[_Step]:
    """`x[a:b]` as special operations: of Python 2 with neither, either or both bounds; of 3.12 with both."""
    both: list[_Step] = [("build_slice", 2), ("subscript", None)]
    nothing: _Step = ("constant", None)
    match place.raw.name:
        case "SLICE+0":
            return [nothing, nothing, *both]
        case "SLICE+1":
            return [nothing, *both]
        case "SLICE+2":
            return [nothing, ("rotate", 2), *both]
    return both


def _map(place: _Place) -> list[_Step]:
    return [("build_map", place.raw.argument if place.version >= (3, 5) else 0)]


def _map_entry(place: _Place) -> list[_Step]:
    """Up to 3.7 the key is on top, later the value."""
    turned: list[_Step] = [] if place.version >= (3, 8) else [("rotate", 2)]
    return [*turned, ("add_to_map", place.raw.argument)]


def _merge_maps_for_call(place: _Place) -> list[_Step]:
    return [("merge_maps", place.raw.argument)]


def _call(place: _Place) -> list[_Step]:
    """From 3.6 to 3.10 the argument is the number of arguments; before, the upper byte is the number of keywords, whose
    names are on the stack.
    """
    argument = place.raw.argument
    if place.version >= (3, 6):
        return [("call", argument)]
    return [("call_with_pairs", (argument & 255, argument >> 8, "VAR" in place.raw.name, "KW" in place.raw.name))]


def _call_with_names(place: _Place) -> list[_Step]:
    return [("call_with_names", place.raw.argument)] if place.version >= (3, 6) else _call(place)


def _new_call(place: _Place) -> list[_Step]:
    """CALL of 3.11 and 3.12 may follow KW_NAMES; 3.13 has CALL_KW instead."""
    if place.raw.name == "CALL_KW" or _follows_names(place):
        return [("call_of_two_with_names", place.raw.argument)]
    return [("call_of_two", place.raw.argument)]


def _follows_names(place: _Place) -> bool:
    """True if KW_NAMES precedes, in 3.11 with PRECALL between."""
    if place.version >= (3, 13):
        return False
    numbers = {opcode.name: number for number, opcode in OPCODES[f"3.{place.version[1]}"].items()}
    data, offset = place.code.instructions, place.raw.offset
    while offset >= 2 and data[offset - 2] in (0, numbers.get("PRECALL"), numbers["EXTENDED_ARG"]):
        offset -= 2
    return offset >= 2 and data[offset - 2] == numbers["KW_NAMES"]


def _call_unpacked(place: _Place) -> list[_Step]:
    operation = "call_of_two_unpacked" if place.version >= (3, 11) else "call_unpacked"
    return [(operation, bool(place.raw.argument & 1))]


def _function(place: _Place) -> list[_Step]:
    """Up to 3.5 defaults are on the stack one by one; from 3.6 on flags state what is there; 3.13 sets them later."""
    argument, version = place.raw.argument, place.version
    named: list[_Step] = [("pop", None)] if (3,) <= version < (3, 11) else []
    if version >= (3, 13):
        return [("function", 0)]
    if version >= (3, 6):
        return [*named, ("function", argument)]
    counts = (argument & 255, argument >> 8 & 255, argument >> 16, place.raw.name == "MAKE_CLOSURE")
    return [*named, ("function_with_defaults", counts)]


def _return_constant(place: _Place) -> list[_Step]:
    return [("constant", place.constant()), ("return", None)]


def _intrinsic(place: _Place) -> list[_Step]:
    known = _INTRINSICS.get(place.raw.argument)
    return [("unknown", f"CALL_INTRINSIC_1 {place.raw.argument}") if known is None else known]


def _format(place: _Place) -> list[_Step]:
    """Text of a value; conversions and formats are not supported."""
    if place.raw.name == "FORMAT_SIMPLE" or (place.raw.name == "FORMAT_VALUE" and place.raw.argument == 0):
        return [("format", None)]
    return [("unknown", "a format specification")]


#: Operations whose arguments differ by version, or that become several instructions.
_RULES: Mapping[str, Callable[[_Place], list[_Step]]] = {
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
