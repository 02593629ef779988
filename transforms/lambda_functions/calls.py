"""Calls of the file's own functions, of methods, and of functions by name, each through its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transforms.errors import Reason
from transforms.lambda_functions.attributes import call_method
from transforms.lambda_functions.builtin_functions import BUILTINS
from transforms.lambda_functions.listed_functions import bound, call_listed
from transforms.lambda_functions.names import listed_call
from transforms.lambda_functions.numpy_functions import call_numpy
from transforms.lambda_functions.refusals import why_refused
from transforms.lambda_functions.static_functions import STATIC
from transforms.lambda_functions.values import (
    Dtype,
    Function,
    Method,
    Reference,
    Refused,
    Scope,
    Tensor,
    Value,
    bounded,
    kind_of,
)

if TYPE_CHECKING:
    from transforms.lambda_functions.interpreter import Interpreter

_VARIADIC, _KEYWORDS = 4, 8


def call_value(machine: Interpreter, callee: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """Evaluates `callee(*args, **kwargs)`. Raises Refused for functions outside the lists."""
    match callee:
        case Function():
            return machine.call(callee, args, kwargs)
        case Method():
            return call_method(machine.trace, callee, args, kwargs)
        case Reference():
            return _call_by_name(machine, callee, args, kwargs)
        case Dtype():
            return call_numpy(Reference(f"numpy.{callee.name}", callee.name), args, kwargs)
        case Scope():
            return None
        case str():  # a function in a closure, of which Keras kept the name
            raise Refused(f"{callee[:60]}, of which the file stores only the name", Reason.CUSTOM_OBJECTS_NEEDED)
    raise Refused(f"a call of {kind_of(callee)}")


def _call_by_name(
    machine: Interpreter, reference: Reference, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """Calls a function by name: one evaluated statically, one of NumPy on constants, or one of the list."""
    trace, name = machine.trace, reference.name
    for table in (BUILTINS, STATIC):
        if name in table:
            try:
                return bounded(table[name](machine, *args, **kwargs))
            except (TypeError, ValueError, ArithmeticError, LookupError) as error:
                raise Refused(f"{reference.written} on such arguments ({type(error).__name__})") from error
    if name.startswith(("numpy.", "math.")):
        return call_numpy(reference, args, kwargs)
    called = listed_call(trace.era, reference)
    if called is None:
        raise why_refused(reference)
    arguments = bound(called.listed, reference.written, called.order, called.aliases, args, kwargs)
    for value in arguments.values():
        if isinstance(value, (Function, Method)):
            raise Refused(f"{reference.written} of a function")
    return call_listed(trace, called.listed, reference.written, arguments)


def bind_parameters(function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> dict[str, Value]:
    """Binds the arguments of a call to a function's parameters. Raises Refused if they do not fit."""
    code = function.code
    positional = code.variables[: code.argument_count]
    keyword_only = code.variables[code.argument_count : code.argument_count + code.keyword_only_count]
    place = code.argument_count + code.keyword_only_count
    found = dict(zip(positional, args, strict=False))
    if code.flags & _VARIADIC:
        found[code.variables[place]] = tuple(args[len(positional) :])
        place += 1
    elif len(args) > len(positional):
        raise Refused(f"{code.name} with {len(args)} arguments for {len(positional)} parameters")
    further = {}
    for name, value in kwargs.items():
        if name in positional or name in keyword_only:
            found.setdefault(name, value)
        else:
            further[name] = value
    if code.flags & _KEYWORDS:
        found[code.variables[place]] = further
    elif further:
        raise Refused(f"{code.name} with the argument {next(iter(further))}")
    defaults = dict(zip(reversed(positional), reversed(function.defaults), strict=False))
    for name in (*positional, *keyword_only):
        if name not in found:
            if name not in defaults and name not in function.keyword_defaults:
                raise Refused(f"{code.name} without its argument {name}")
            found[name] = defaults.get(name, function.keyword_defaults.get(name))
    return found


def takes(function: Function, name: str) -> bool:
    """Whether a function has a parameter of that name."""
    code = function.code
    return name in code.variables[: code.argument_count + code.keyword_only_count]


def is_constant(value: Value) -> bool:
    """True for values that hold no tensor."""
    if isinstance(value, (list, tuple)):
        return all(map(is_constant, value))
    return not isinstance(value, Tensor)
