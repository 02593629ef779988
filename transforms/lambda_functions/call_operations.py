"""Operations that call and make functions, and import modules, from the stack of each version of Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.errors import Reason
from transforms.lambda_functions.attributes import attribute
from transforms.lambda_functions.calls import call_value
from transforms.lambda_functions.code_object import Code
from transforms.lambda_functions.container_operations import as_map, mapping_of
from transforms.lambda_functions.frame import Frame, Operation
from transforms.lambda_functions.names import imported_module
from transforms.lambda_functions.values import (
    NULL,
    Cell,
    Function,
    Malformed,
    Reference,
    Refused,
    Value,
    items_of,
)


def _call(frame: Frame, count: int) -> None:
    args = frame.pop_many(count)
    _finish(frame, frame.pop(), args, {})


def _call_with_names(frame: Frame, count: int) -> None:
    names = frame.pop()
    args, kwargs = _named(frame.pop_many(count), names)
    _finish(frame, frame.pop(), args, kwargs)


def _call_of_two(frame: Frame, count: int) -> None:
    """The callee takes two places: a function and null, in either order, or a function and its first argument."""
    args = frame.pop_many(count)
    callee, first = _callee(frame)
    _finish(frame, callee, [*first, *args], {})


def _call_of_two_with_names(frame: Frame, count: int) -> None:
    names = frame.pop()
    args, kwargs = _named(frame.pop_many(count), names)
    callee, first = _callee(frame)
    _finish(frame, callee, [*first, *args], kwargs)


def _callee(frame: Frame) -> tuple[Value, list[Value]]:
    places = [value for value in frame.pop_many(2) if value is not NULL]
    if not places:
        raise Malformed("a call without a function")
    return places[0], places[1:]


def _named(values: list[Value], names: Value) -> tuple[list[Value], dict[str, Value]]:
    """Separates keyword arguments, which come last, from positional ones."""
    if not isinstance(names, tuple) or len(names) > len(values) or not all(isinstance(name, str) for name in names):
        raise Malformed("names that do not fit the arguments")
    split = len(values) - len(names)
    return values[:split], dict(zip(names, values[split:], strict=True))


def _call_with_pairs(frame: Frame, counts: tuple[int, int, bool, bool]) -> None:
    """Python up to 3.5: arguments, then names and values in turn, then optionally `*` and `**`."""
    count, pairs, starred, mapped = counts
    kwargs = as_map(frame.pop()) if mapped else {}
    more: list[Value] = []
    if starred and frame.machine.version != "3.5":
        more = items_of(frame.pop())
    taken = frame.pop_many(2 * pairs)
    if starred and frame.machine.version == "3.5":
        more = items_of(frame.pop())
    args = frame.pop_many(count)
    _finish(frame, frame.pop(), [*args, *more], {**mapping_of(taken[0::2], taken[1::2]), **kwargs})


def _call_unpacked(frame: Frame, mapped: bool) -> None:
    kwargs = as_map(frame.pop()) if mapped else {}
    args = items_of(frame.pop())
    _finish(frame, frame.pop(), args, kwargs)


def _call_of_two_unpacked(frame: Frame, mapped: bool) -> None:
    kwargs = as_map(frame.pop()) if mapped else {}
    args = items_of(frame.pop())
    callee, first = _callee(frame)
    _finish(frame, callee, [*first, *args], kwargs)


def _finish(frame: Frame, callee: Value, args: list[Value], kwargs: Mapping[Any, Value]) -> None:
    if not all(isinstance(name, str) for name in kwargs):
        raise Malformed("keywords that are not names")
    frame.push(call_value(frame.machine, callee, args, dict(kwargs)))


def _function(frame: Frame, flags: int) -> None:
    """Code on top; below it, as flags say, the closure, annotations, defaults of keywords, defaults."""
    code = _code(frame.pop())
    closure = frame.pop() if flags & 8 else ()
    if flags & 4:
        frame.pop()
    keyword_defaults = as_map(frame.pop()) if flags & 2 else {}
    defaults = tuple(items_of(frame.pop())) if flags & 1 else ()
    function = Function(code, defaults, keyword_defaults)
    frame.push(_with_closure(function, closure) if flags & 8 else function)


def _function_with_defaults(frame: Frame, counts: tuple[int, int, int, bool]) -> None:
    """Python up to 3.5: code on top; below it a closure, annotations, names and values of keywords, defaults."""
    count, pairs, annotations, closed = counts
    code = _code(frame.pop())
    closure = frame.pop() if closed else ()
    frame.pop_many(annotations)
    taken = frame.pop_many(2 * pairs)
    defaults = tuple(frame.pop_many(count))
    frame.push(_with_closure(Function(code, defaults, mapping_of(taken[0::2], taken[1::2])), closure))


def _function_attribute(frame: Frame, flag: int) -> None:
    """3.13 sets defaults (1), those of keywords (2), annotations (4) and closure (8) one by one."""
    value, function = frame.pop_many(2)
    if not isinstance(function, Function):
        raise Malformed("an attribute of a value that is not a function")
    match flag:
        case 1:
            function = Function(function.code, tuple(items_of(value)), function.keyword_defaults, function.closure)
        case 2:
            function = Function(function.code, function.defaults, as_map(value), function.closure)
        case 8:
            function = _with_closure(function, value)
    frame.push(function)


def _code(value: Value) -> Code:
    if not isinstance(value, Code):
        raise Malformed("a function without code")
    return value


def _with_closure(function: Function, cells: Value) -> Function:
    found = list(cells) if isinstance(cells, (tuple, list)) else []
    names = function.code.frees
    if len(found) != len(names) or not all(isinstance(cell, Cell) for cell in found):
        if not names:
            return function
        raise Malformed("a closure that does not fit")
    closure = dict(zip(names, found, strict=True))
    return Function(function.code, function.defaults, function.keyword_defaults, closure)


def _import_module(frame: Frame, name: str) -> None:
    level, from_list = frame.pop_many(2)
    if level not in (0, -1):
        raise Refused(f"a relative import of {name}", Reason.CUSTOM_OBJECTS_NEEDED)
    frame.push(imported_module(name, from_list))


def _import_from(frame: Frame, name: str) -> None:
    module = frame.peek(1)
    if not isinstance(module, Reference):
        raise Malformed("an import from a value that is not a module")
    frame.push(attribute(frame.trace, module, name))


#: Operations by name.
CALLS: Mapping[str, Operation] = {
    "call": _call,
    "call_with_names": _call_with_names,
    "call_of_two": _call_of_two,
    "call_of_two_with_names": _call_of_two_with_names,
    "call_with_pairs": _call_with_pairs,
    "call_unpacked": _call_unpacked,
    "call_of_two_unpacked": _call_of_two_unpacked,
    "function": _function,
    "function_with_defaults": _function_with_defaults,
    "function_attribute": _function_attribute,
    "import_module": _import_module,
    "import_from": _import_from,
}
