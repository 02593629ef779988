"""Operations on the stack, on variables, and on values: Python's operators, attributes and items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.lambda_functions.attributes import attribute, refuse_hidden
from transforms.lambda_functions.frame import Frame, Operation
from transforms.lambda_functions.names import global_value
from transforms.lambda_functions.operators import binary, compare, unary
from transforms.lambda_functions.subscripts import store_item, subscript
from transforms.lambda_functions.values import (
    NULL,
    Cell,
    Refused,
    Tensor,
    Value,
    bounded,
    items_of,
    truth,
)


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


#: Operations by name.
VALUES: Mapping[str, Operation] = {
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
}
