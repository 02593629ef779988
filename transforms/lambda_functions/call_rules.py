"""How calls and the making of functions are encoded in each version of Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from transforms.lambda_functions.opcodes import OPCODES
from transforms.lambda_functions.operation_place import Place, Step


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


#: Rules of operations that call or make functions.
CALLS: Mapping[str, Callable[[Place], list[Step]]] = {
    "BUILD_MAP_UNPACK_WITH_CALL": _merge_maps_for_call,
    **dict.fromkeys(("CALL_FUNCTION", "CALL_FUNCTION_VAR", "CALL_FUNCTION_VAR_KW"), _call),
    "CALL_FUNCTION_KW": _call_with_names,
    **dict.fromkeys(("CALL", "CALL_KW"), _new_call),
    "CALL_FUNCTION_EX": _call_unpacked,
    **dict.fromkeys(("MAKE_FUNCTION", "MAKE_CLOSURE"), _function),
    "SET_FUNCTION_ATTRIBUTE": lambda place: [("function_attribute", place.raw.argument)],
}
