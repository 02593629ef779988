"""Interprets instructions symbolically: Python's stack machine with symbols in place of tensors.

Each operation is a row of the table at the end: a function of the frame and the argument, which returns the next
instruction if it is not the following one. Python never runs any part of a stored function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from transforms.errors import Reason
from transforms.lambda_functions.attributes import attribute, refuse_hidden
from transforms.lambda_functions.calls import bind_parameters, call_value
from transforms.lambda_functions.instructions import Instruction, decode
from transforms.lambda_functions.marshal_reader import Code, Unreadable
from transforms.lambda_functions.names import global_value, imported_module
from transforms.lambda_functions.operators import binary, compare, store_item, subscript, unary
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import (
    NULL,
    Cell,
    Function,
    Items,
    Malformed,
    Reference,
    Refused,
    Scope,
    Tensor,
    Value,
    bounded,
    items_of,
    kind_of,
    truth,
)


@dataclass
class Frame:
    """One call of a function.

    Attributes:
        machine: the interpreter.
        variables: local and free variables by name.
        stack: of values; see the operations.
        blocks: targets of `break` in Python up to 3.7, with the height of the stack there.
        yielded: values that a generator has yielded; None in other functions.
        line: of the current instruction.
    """

    machine: Interpreter
    variables: dict[str, Cell]
    stack: list[Value] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    yielded: list[Value] | None = None
    line: int = 0

    @property
    def trace(self) -> Trace:
        """The record of steps."""
        return self.machine.trace

    def pop(self) -> Value:
        """Removes and returns the value on top."""
        if not self.stack:
            raise Malformed("an empty stack")
        return self.stack.pop()

    def pop_many(self, count: int) -> list[Value]:
        """Removes and returns so many values from the top, in the order in which they were pushed."""
        if not 0 <= count <= len(self.stack):
            raise Malformed("an empty stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def peek(self, depth: int) -> Value:
        """The value at a depth, 1 on top."""
        if not 1 <= depth <= len(self.stack):
            raise Malformed("an empty stack")
        return self.stack[-depth]

    def push(self, value: Value) -> None:
        """Pushes a value, which counts against the budget."""
        self.trace.spend(value)
        self.stack.append(value)

    def variable(self, name: str) -> Cell:
        """A variable's cell, empty if it is new."""
        return self.variables.setdefault(name, Cell(empty=True))


_GENERATOR = 0x20


class Interpreter:
    """Interprets the functions of one file, as one version of Python.

    Args:
        version: of the bytecode.
        trace: records the steps.
    """

    def __init__(self, version: str, trace: Trace) -> None:
        self.version = version
        self.trace = trace
        self.line = 0
        self._decoded: dict[int, tuple[Instruction, ...]] = {}

    def call(self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        """Calls a function; returns its result, or all values that a generator yields.

        Raises Refused for functions that are not translated, Malformed if the code is not of this version.
        """
        self.trace.enter()
        variables = {name: Cell(value) for name, value in bind_parameters(function, args, kwargs).items()}
        frame = Frame(self, {**variables, **function.closure})
        if function.code.flags & _GENERATOR:
            frame.yielded = []
        result = self._run(frame, self._instructions(function.code))
        self.trace.leave()
        return result if frame.yielded is None else Items(frame.yielded)

    def _instructions(self, code: Code) -> tuple[Instruction, ...]:
        if id(code) not in self._decoded:
            try:
                self._decoded[id(code)] = decode(code, self.version)
            except Unreadable as error:
                raise Malformed(str(error)) from error
        return self._decoded[id(code)]

    def _run(self, frame: Frame, instructions: tuple[Instruction, ...]) -> Value:
        place = 0
        while 0 <= place < len(instructions):
            self.trace.tick()
            step = instructions[place]
            self.line = step.line
            if step.operation == "return":
                return frame.pop()
            target = OPERATIONS[step.operation](frame, step.argument)
            place = place + 1 if target is None else target
        raise Malformed("code that ends without a return")


#: An operation: a function of the frame and the argument to the next instruction or None.
Operation: TypeAlias = Callable[[Frame, Any], "int | None"]


def _pop(frame: Frame, argument: Any) -> None:
    frame.pop()


def _copy(frame: Frame, depth: int) -> None:
    frame.push(frame.peek(depth))


def _swap(frame: Frame, depth: int) -> None:
    frame.peek(depth)
    frame.stack[-1], frame.stack[-depth] = frame.stack[-depth], frame.stack[-1]


def _rotate(frame: Frame, count: int) -> None:
    """Moves the value on top below the others of the upper `count`."""
    *others, top = frame.pop_many(count)
    frame.stack += [top, *others]


def _constant(frame: Frame, value: Value) -> None:
    frame.push(value)


def _null(frame: Frame, argument: Any) -> None:
    frame.push(NULL)


def _local(frame: Frame, name: str) -> None:
    cell = frame.variable(name)
    if cell.empty:
        raise Refused(f"the variable {name}, which has no value")
    frame.push(cell.value)


def _cell(frame: Frame, name: str) -> None:
    frame.push(frame.variable(name))


def _store(frame: Frame, name: str) -> None:
    value = frame.pop()
    if isinstance(value, Cell):  # saved by `set_aside`
        frame.variables[name] = value
        return
    cell = frame.variable(name)
    cell.value, cell.empty = value, False
    frame.trace.name(value, name)


def _delete(frame: Frame, name: str) -> None:
    frame.variable(name).empty = True


def _set_aside(frame: Frame, name: str) -> None:
    """Saves a variable: an inlined comprehension, of 3.12 on, has its own."""
    frame.push(frame.variable(name))
    frame.variables[name] = Cell(empty=True)


def _renew(frame: Frame, name: str) -> None:
    """`MAKE_CELL`: makes a new cell for the variable, with its present value."""
    cell = frame.variable(name)
    frame.variables[name] = Cell(cell.value, cell.empty)


def _global(frame: Frame, name: str) -> None:
    frame.push(global_value(frame.trace, name))


def _attribute(frame: Frame, name: str) -> None:
    refuse_hidden(name)
    frame.push(attribute(frame.trace, frame.pop(), name))


def _unary(frame: Frame, symbol: str) -> None:
    frame.push(unary(frame.trace, symbol, frame.pop()))


def _not(frame: Frame, argument: Any) -> None:
    frame.push(not truth(frame.pop()))


def _truth(frame: Frame, argument: Any) -> None:
    frame.push(truth(frame.pop()))


def _binary(frame: Frame, symbol: str) -> None:
    a, b = frame.pop_many(2)
    frame.push(binary(frame.trace, symbol, a, b))


def _inplace(frame: Frame, symbol: str) -> None:
    """`a += b`: a list is extended in place."""
    a, b = frame.pop_many(2)
    if symbol == "+" and isinstance(a, list) and not isinstance(b, Tensor):
        a.extend(items_of(b))
        frame.push(bounded(a))
    else:
        frame.push(binary(frame.trace, symbol, a, b))


def _compare(frame: Frame, symbol: str) -> None:
    a, b = frame.pop_many(2)
    frame.push(compare(frame.trace, symbol, a, b))


def _subscript(frame: Frame, argument: Any) -> None:
    container, index = frame.pop_many(2)
    frame.push(subscript(frame.trace, container, index))


def _store_subscript(frame: Frame, argument: Any) -> None:
    value, container, index = frame.pop_many(3)
    store_item(container, index, value)


def _build_tuple(frame: Frame, count: int) -> None:
    frame.push(tuple(frame.pop_many(count)))


def _build_list(frame: Frame, count: int) -> None:
    frame.push(frame.pop_many(count))


def _build_map(frame: Frame, count: int) -> None:
    taken = frame.pop_many(2 * count)
    frame.push(_mapping(taken[0::2], taken[1::2]))


def _build_map_of_keys(frame: Frame, count: int) -> None:
    *values, keys = frame.pop_many(count + 1)
    if not isinstance(keys, tuple) or len(keys) != count:
        raise Malformed("a number of keys that differs from that of the values")
    frame.push(_mapping(keys, values))


def _mapping(keys: Sequence[Value], values: Sequence[Value]) -> dict[Any, Value]:
    if not all(isinstance(key, (str, int, float, bool, type(None))) for key in keys):
        raise Refused("a dictionary with such keys")
    return dict(zip(keys, values, strict=True))


def _build_string(frame: Frame, count: int) -> None:
    parts = frame.pop_many(count)
    if not all(isinstance(part, str) for part in parts):
        raise Refused("a text of other values")
    frame.push("".join(parts))


def _format(frame: Frame, argument: Any) -> None:
    value = frame.pop()
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise Refused(f"{kind_of(value)} as text")
    frame.push(str(bounded(value)))


def _build_slice(frame: Frame, count: int) -> None:
    frame.push(slice(*frame.pop_many(count)))


def _concatenate_tuples(frame: Frame, count: int) -> None:
    frame.push(tuple(item for part in frame.pop_many(count) for item in items_of(part)))


def _concatenate_lists(frame: Frame, count: int) -> None:
    frame.push([item for part in frame.pop_many(count) for item in items_of(part)])


def _merge_maps(frame: Frame, count: int) -> None:
    merged: dict[Any, Value] = {}
    for part in frame.pop_many(count & 255):
        merged.update(_as_map(part))
    frame.push(merged)


def _as_map(value: Value) -> dict[Any, Value]:
    if not isinstance(value, dict):
        raise Refused(f"{kind_of(value)} unpacked into keywords")
    return value


def _unpack(frame: Frame, count: int) -> None:
    value = frame.pop()
    items = items_of(value)
    if len(items) != count:
        raise Refused(f"{kind_of(value)} of {len(items)} unpacked into {count} variables")
    frame.stack += reversed(items)


def _unpack_rest(frame: Frame, counts: int) -> None:
    """`a, *b, c = x`: the number before the star, and in the second byte the number after it."""
    before, after = counts & 255, counts >> 8
    items = items_of(frame.pop())
    if len(items) < before + after:
        raise Refused(f"{len(items)} values unpacked into more variables")
    stop = len(items) - after
    frame.stack += [*reversed(items[stop:]), items[before:stop], *reversed(items[:before])]


def _list_at(frame: Frame, depth: int) -> list[Value]:
    found = frame.peek(depth)
    if not isinstance(found, list):
        raise Malformed("a list that is none")
    return found


def _append(frame: Frame, depth: int) -> None:
    value = frame.pop()
    items = _list_at(frame, depth)
    items.append(value)
    bounded(items)


def _extend(frame: Frame, depth: int) -> None:
    more = items_of(frame.pop())
    items = _list_at(frame, depth)
    items.extend(more)
    bounded(items)


def _to_tuple(frame: Frame, argument: Any) -> None:
    frame.push(tuple(items_of(frame.pop())))


def _update(frame: Frame, depth: int) -> None:
    more = _as_map(frame.pop())
    _as_map(frame.peek(depth)).update(more)


def _add_to_map(frame: Frame, depth: int) -> None:
    key, value = frame.pop_many(2)
    store_item(_as_map(frame.peek(depth)), key, value)


def _store_map(frame: Frame, argument: Any) -> None:
    """Python 2: the key is on top, then the value, then the map, which stays."""
    value, key = frame.pop_many(2)
    store_item(_as_map(frame.peek(1)), key, value)


def _iterate(frame: Frame, argument: Any) -> None:
    value = frame.pop()
    frame.push(value if isinstance(value, Items) else Items(items_of(value)))


def _next_or_jump(frame: Frame, target: int) -> int | None:
    iterator = frame.peek(1)
    if not isinstance(iterator, Items):
        raise Malformed("an iterator that is none")
    if iterator.place >= len(iterator.items):
        frame.pop()
        return target
    iterator.place += 1
    frame.push(iterator.items[iterator.place - 1])
    return None


def _jump(frame: Frame, target: int) -> int:
    return target


def _jump_if(wanted: bool, keep: bool = False) -> Operation:
    """Jumps if the value on top is true or false; the value may stay."""

    def operation(frame: Frame, target: int) -> int | None:
        if truth(frame.peek(1)) is not wanted:
            frame.pop()
            return None
        if not keep:
            frame.pop()
        return target

    return operation


def _jump_if_none(wanted: bool) -> Operation:
    return lambda frame, target: target if (frame.pop() is None) is wanted else None


def _push_block(frame: Frame, target: int) -> None:
    frame.blocks.append((target, len(frame.stack)))


def _pop_block(frame: Frame, argument: Any) -> None:
    if frame.blocks:
        frame.blocks.pop()


def _break(frame: Frame, argument: Any) -> int:
    """Python up to 3.7 leaves its loop, whose iterator is just below the block's height or above it."""
    if not frame.blocks:
        raise Malformed("a break outside a loop")
    target, height = frame.blocks.pop()
    del frame.stack[height:]
    return target


def _enter_with(frame: Frame, argument: Any) -> None:
    manager = frame.pop()
    if not isinstance(manager, Scope):
        raise Refused(f"with {kind_of(manager)}")
    frame.push(manager)
    frame.push(manager.name)


def _leave_with(frame: Frame, argument: Any) -> None:
    """The value on top states how the block ended; the manager below it is removed."""
    ended = frame.pop()
    frame.pop()
    frame.push(ended)


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
    kwargs = _as_map(frame.pop()) if mapped else {}
    more: list[Value] = []
    if starred and frame.machine.version != "3.5":
        more = items_of(frame.pop())
    taken = frame.pop_many(2 * pairs)
    if starred and frame.machine.version == "3.5":
        more = items_of(frame.pop())
    args = frame.pop_many(count)
    _finish(frame, frame.pop(), [*args, *more], {**_mapping(taken[0::2], taken[1::2]), **kwargs})


def _call_unpacked(frame: Frame, mapped: bool) -> None:
    kwargs = _as_map(frame.pop()) if mapped else {}
    args = items_of(frame.pop())
    _finish(frame, frame.pop(), args, kwargs)


def _call_of_two_unpacked(frame: Frame, mapped: bool) -> None:
    kwargs = _as_map(frame.pop()) if mapped else {}
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
    keyword_defaults = _as_map(frame.pop()) if flags & 2 else {}
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
    frame.push(_with_closure(Function(code, defaults, _mapping(taken[0::2], taken[1::2])), closure))


def _function_attribute(frame: Frame, flag: int) -> None:
    """3.13 sets defaults (1), those of keywords (2), annotations (4) and closure (8) one by one."""
    value, function = frame.pop_many(2)
    if not isinstance(function, Function):
        raise Malformed("an attribute of a value that is not a function")
    match flag:
        case 1:
            function = Function(function.code, tuple(items_of(value)), function.keyword_defaults, function.closure)
        case 2:
            function = Function(function.code, function.defaults, _as_map(value), function.closure)
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


def _yield(frame: Frame, argument: Any) -> None:
    value = frame.pop()
    if frame.yielded is None:
        raise Malformed("a yield outside a generator")
    frame.yielded.append(value)
    bounded(frame.yielded)
    frame.push(None)


def _raise(frame: Frame, argument: Any) -> None:
    raise Refused("an exception that the function raises")


def _unknown(frame: Frame, name: str) -> None:
    raise Refused(f"the operation {name} of Python's bytecode")


OPERATIONS: Mapping[str, Operation] = {
    "pop": _pop,
    "copy": _copy,
    "swap": _swap,
    "rotate": _rotate,
    "null": _null,
    "constant": _constant,
    "local": _local,
    "cell": _cell,
    "store": _store,
    "delete": _delete,
    "set_aside": _set_aside,
    "renew": _renew,
    "global": _global,
    "attribute": _attribute,
    "unary": _unary,
    "not": _not,
    "truth": _truth,
    "binary": _binary,
    "inplace": _inplace,
    "compare": _compare,
    "subscript": _subscript,
    "store_subscript": _store_subscript,
    "build_tuple": _build_tuple,
    "build_list": _build_list,
    "build_map": _build_map,
    "build_map_of_keys": _build_map_of_keys,
    "build_string": _build_string,
    "build_slice": _build_slice,
    "build_set": lambda frame, count: _unknown(frame, "BUILD_SET"),
    "format": _format,
    "concatenate_tuples": _concatenate_tuples,
    "concatenate_lists": _concatenate_lists,
    "merge_maps": _merge_maps,
    "unpack": _unpack,
    "unpack_rest": _unpack_rest,
    "append": _append,
    "extend": _extend,
    "to_tuple": _to_tuple,
    "update": _update,
    "add_to_map": _add_to_map,
    "store_map": _store_map,
    "iterate": _iterate,
    "next_or_jump": _next_or_jump,
    "jump": _jump,
    "jump_if_true": _jump_if(True),
    "jump_if_false": _jump_if(False),
    "jump_if_true_or_pop": _jump_if(True, keep=True),
    "jump_if_false_or_pop": _jump_if(False, keep=True),
    "jump_if_none": _jump_if_none(True),
    "jump_if_not_none": _jump_if_none(False),
    "push_block": _push_block,
    "pop_block": _pop_block,
    "break": _break,
    "call_finally": lambda frame, target: _unknown(frame, "CALL_FINALLY"),
    "enter_with": _enter_with,
    "leave_with": _leave_with,
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
    "yield": _yield,
    "raise": _raise,
    "unknown": _unknown,
}
