"""Python's operators on the interpreter's values: recorded steps for tensors, bounded arithmetic otherwise."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.listed_functions import shape_of_result
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import (
    FREE_EXTENT,
    MOST_BITS,
    MOST_CHARACTERS,
    MOST_ITEMS,
    MOST_NUMBERS,
    Dtype,
    Refused,
    Tensor,
    TensorShape,
    Value,
    bounded,
    broadcast_size,
    items_of,
    kind_of,
)

#: The function of an operator on tensors, named as in Python's module `operator`.
OPERATOR = "operator."


#: Operators by symbol: the name in `operator`, and the function on numbers.
_BINARY: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "+": ("add", operator.add),
    "-": ("sub", operator.sub),
    "*": ("mul", operator.mul),
    "/": ("truediv", operator.truediv),
    "//": ("floordiv", operator.floordiv),
    "%": ("mod", operator.mod),
    "**": ("pow", operator.pow),
    "@": ("matmul", operator.matmul),
    "&": ("and_", operator.and_),
    "|": ("or_", operator.or_),
    "^": ("xor", operator.xor),
    "<<": ("lshift", operator.lshift),
    ">>": ("rshift", operator.rshift),
    "<": ("lt", operator.lt),
    "<=": ("le", operator.le),
    ">": ("gt", operator.gt),
    ">=": ("ge", operator.ge),
    "==": ("eq", operator.eq),
    "!=": ("ne", operator.ne),
}


_UNARY: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "-": ("neg", operator.neg),
    "+": ("pos", operator.pos),
    "~": ("invert", operator.invert),
}


#: Division of Python 2, which is integer division for integers.
PYTHON_2_DIVISION = "python-2-/"


#: Operators whose result on extents is an extent.
_OF_EXTENTS = frozenset({"+", "-", "*", "//", "%"})


def binary(trace: Trace, symbol: str, a: Value, b: Value) -> Value:
    """Evaluates `a symbol b`. Raises Refused."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return _of_tensors(trace, symbol, a, b)
    if symbol == PYTHON_2_DIVISION:
        whole = isinstance(a, int) and isinstance(b, int)
        symbol = "//" if whole else "/"
    if a is FREE_EXTENT or b is FREE_EXTENT:
        if symbol in _OF_EXTENTS:
            return FREE_EXTENT
        raise Refused("a comparison with a free extent")
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        return _of_sequences(trace, symbol, a, b)
    if isinstance(a, str) or isinstance(b, str):
        return _of_texts(symbol, a, b)
    _refuse_strangers(a, b, symbol)
    _refuse_growth(symbol, a, b)
    if symbol == "@" or broadcast_size([a, b]) > MOST_NUMBERS:
        raise Refused(f"{kind_of(a)} {symbol} {kind_of(b)} with a result that is too large", Reason.OVER_BUDGET)
    try:
        with np.errstate(all="ignore"):
            return bounded(_BINARY[symbol][1](a, b))
    except (TypeError, ValueError, ArithmeticError) as error:
        raise Refused(f"{kind_of(a)} {symbol} {kind_of(b)}, which fails ({type(error).__name__})") from error


def _of_tensors(trace: Trace, symbol: str, a: Value, b: Value) -> Tensor:
    if symbol in ("<<", ">>"):
        raise Refused(f"the operator {symbol} on tensors")
    name = OPERATOR + ("div" if symbol == PYTHON_2_DIVISION else _BINARY[symbol][0])
    arguments = {"x": a, "y": b}
    found = trace.step(name, arguments, symbol, shape_of_result(name, arguments))
    content = _content(symbol, a, b)
    return found if content is None else Tensor(found.ref, found.shape, content)


def _content(symbol: str, a: Value, b: Value) -> Any:
    """The extents that result from an operation on extents."""
    x, y = (value.content if isinstance(value, Tensor) else value for value in (a, b))
    if symbol not in _OF_EXTENTS or not isinstance(x, int) or not isinstance(y, int):
        return None
    return None if symbol in ("//", "%") and y == 0 else bounded(_BINARY[symbol][1](x, y))


def _of_sequences(trace: Trace, symbol: str, a: Value, b: Value) -> Value:
    """Concatenates, repeats or compares sequences. JSON stores tuples as lists, so both may be mixed."""
    if symbol in ("==", "!="):
        return same(a, b) == (symbol == "==")
    if symbol == "+" and isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        joined = [*a, *b]
        bounded(joined)
        if isinstance(a, TensorShape) or isinstance(b, TensorShape):
            return TensorShape(joined)
        return joined if isinstance(a, list) else tuple(joined)
    if symbol == "*":
        sequence, times = (a, b) if isinstance(a, (list, tuple)) else (b, a)
        if isinstance(times, int) and isinstance(sequence, (list, tuple)):
            if len(sequence) * max(times, 0) > MOST_ITEMS:
                raise Refused("a list that is too long", Reason.OVER_BUDGET)
            return sequence * times
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return binary(trace, symbol, *(_array_of_numbers(value) for value in (a, b)))
    raise Refused(f"{kind_of(a)} {symbol} {kind_of(b)}")


def _array_of_numbers(value: Value) -> Any:
    """A sequence beside an array, as an array. Raises Refused for one that holds anything but numbers."""
    if isinstance(value, (list, tuple)) and not all(isinstance(item, (bool, int, float, np.generic)) for item in value):
        raise Refused(f"{kind_of(value)} beside an array of constants")
    return np.asarray(value)


def _of_texts(symbol: str, a: Value, b: Value) -> Value:
    if symbol in ("==", "!="):
        return (a == b) == (symbol == "==")
    if symbol == "+" and isinstance(a, str) and isinstance(b, str):
        return bounded(a + b)
    if symbol == "*":
        text, times = (a, b) if isinstance(a, str) else (b, a)
        if isinstance(times, int) and len(text) * max(times, 0) <= MOST_CHARACTERS:
            return text * times
        raise Refused("a text that is too long", Reason.OVER_BUDGET)
    raise Refused(f"{kind_of(a)} {symbol} {kind_of(b)}")


def _refuse_strangers(a: Value, b: Value, symbol: str) -> None:
    """Refuses operands other than numbers, arrays of them and, for equality, other plain values."""
    plain = (bool, int, float, complex, np.generic, np.ndarray)
    if symbol in ("==", "!=") and all(isinstance(value, (*plain, type(None), Dtype, dict)) for value in (a, b)):
        if any(isinstance(value, Dtype) and value.of is not None for value in (a, b)):
            raise Refused("a comparison with the dtype of a tensor")
        return
    for value in (a, b):
        if not isinstance(value, plain):
            raise Refused(f"{kind_of(a)} {symbol} {kind_of(b)}")


def _refuse_growth(symbol: str, a: Value, b: Value) -> None:
    """Refuses powers and shifts that are too large before they are computed."""
    if not isinstance(a, int) or not isinstance(b, int):
        return
    bits = a.bit_length() * b if symbol == "**" and abs(a) > 1 else a.bit_length() + b if symbol == "<<" else 0
    if bits > MOST_BITS:
        raise Refused("a number that is too large", Reason.OVER_BUDGET)


def unary(trace: Trace, symbol: str, value: Value) -> Value:
    """Evaluates `symbol value`. Raises Refused."""
    name, function = _UNARY[symbol]
    if isinstance(value, Tensor):
        arguments = {"x": value}
        return trace.step(OPERATOR + name, arguments, symbol, value.shape)
    if value is FREE_EXTENT:
        return FREE_EXTENT
    if not isinstance(value, (bool, int, float, complex, np.generic, np.ndarray)) or (
        symbol == "~" and isinstance(value, (float, complex))
    ):
        raise Refused(f"{symbol} on {kind_of(value)}")
    return function(value)


def compare(trace: Trace, symbol: str, a: Value, b: Value) -> Value:
    """Evaluates a comparison `a symbol b`, including identity and membership. Raises Refused."""
    if symbol in ("is", "is not"):
        return _identical(a, b) == (symbol == "is")
    if symbol in ("in", "not in"):
        return _contains(b, a) == (symbol == "in")
    tensors = isinstance(a, Tensor) or isinstance(b, Tensor)
    if symbol in ("==", "!=") and (a is None or b is None) and tensors:
        return symbol == "!="
    if symbol in ("==", "!=") and tensors and trace.era.tensorflow != 2 and trace.era.on_tensorflow:
        if trace.era.tensorflow == 1:
            return (a is b) == (symbol == "==")
        raise Refused(f"{symbol} on tensors, which compares objects in TensorFlow 1 and values in TensorFlow 2")
    return binary(trace, symbol, a, b)


def _identical(a: Value, b: Value) -> bool:
    if isinstance(a, (int, str, float)) and isinstance(b, (int, str, float)):
        return type(a) is type(b) and a == b
    return a is b


def _contains(container: Value, value: Value) -> bool:
    if isinstance(container, str) and isinstance(value, str):
        return value in container
    return any(same(item, value) for item in items_of(container))


def same(a: Value, b: Value) -> bool:
    """Whether two plain values are equal. Raises Refused for tensors."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        if a is b:
            return True
        raise Refused("a comparison of tensors among other values")
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        raise Refused("a comparison of arrays among other values")
    return bool(a == b)
