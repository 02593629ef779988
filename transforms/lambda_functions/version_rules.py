"""What one operation of Python's bytecode comes to, by version: rows of the table, and rules where versions differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transforms.lambda_functions.call_rules import CALLS
from transforms.lambda_functions.code_object import CELL, FREE, Unreadable
from transforms.lambda_functions.operation_place import Jump, Place, Step, entry
from transforms.lambda_functions.operation_table import COMPARISON_MASKS, COMPARISONS, INTRINSICS, OPERATORS, PLAIN


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
        return [("compare", entry(COMPARISONS, argument))]
    symbol = entry(COMPARISONS, argument >> (4 if version < (3, 13) else 5))
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
    **CALLS,
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
    "RETURN_CONST": _return_constant,
    "CALL_INTRINSIC_1": _intrinsic,
    **dict.fromkeys(("FORMAT_VALUE", "FORMAT_SIMPLE"), _format),
}
