"""Python's builtins on the interpreter's values: pure ones, on constants, sequences and, for some, tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.attributes import has_attribute
from transforms.lambda_functions.names import exists
from transforms.lambda_functions.operators import binary, compare
from transforms.lambda_functions.values import (
    FREE_EXTENT,
    MOST_ITEMS,
    Cell,
    Function,
    Items,
    Method,
    Reference,
    Refused,
    Tensor,
    Value,
    bounded,
    items_of,
    kind_of,
    truth,
)
from transforms.records.runtime import Family

if TYPE_CHECKING:
    from transforms.lambda_functions.interpreter import Interpreter


#: Decimal digits of the largest float.
_MOST_DIGITS = 309


def _length(machine: Interpreter, value: Value) -> int:
    if isinstance(value, (list, tuple, dict, str, range)):
        return len(value)
    if isinstance(value, np.ndarray) and value.ndim:
        return len(value)
    raise Refused(f"the length of {kind_of(value)}")


def _number(kind: Callable[[Any], Any]) -> Callable[..., Value]:
    def rule(machine: Interpreter, value: Value = 0) -> Value:
        if isinstance(value, (str, bool, int, float, np.generic)):
            return kind(bounded(value))
        raise Refused(f"{kind.__name__} of {kind_of(value)}")

    return rule


def _text(machine: Interpreter, value: Value = "") -> str:
    if isinstance(value, (str, bool, int, float)):
        return str(bounded(value))
    raise Refused(f"{kind_of(value)} as text")


def _range(machine: Interpreter, *bounds: Value) -> range:
    if any(bound is FREE_EXTENT or bound is None for bound in bounds):
        raise Refused("a loop over a free extent")
    if not all(isinstance(bound, (int, np.integer)) for bound in bounds):
        raise Refused(f"range of {', '.join(map(kind_of, bounds))}")
    made = range(*map(int, bounds))
    if len(made) > MOST_ITEMS:
        raise Refused(f"a loop of {len(made):,} rounds", Reason.OVER_BUDGET)
    return made


def _absolute(machine: Interpreter, value: Value) -> Value:
    if isinstance(value, Tensor):
        return machine.trace.step("math.abs", {"x": value}, "abs", value.shape)
    return np.abs(value) if isinstance(value, np.ndarray) else abs(_plain(value))


def _plain(value: Value) -> Any:
    if not isinstance(value, (bool, int, float, np.generic)):
        raise Refused(f"a number that is {kind_of(value)}")
    return value


def _sum(machine: Interpreter, values: Value, start: Value = 0) -> Value:
    total = start
    for value in items_of(values):
        machine.trace.tick()
        total = binary(machine.trace, "+", total, value)
    return total


def _extreme(symbol: str) -> Callable[..., Value]:
    def rule(machine: Interpreter, *values: Value) -> Value:
        found, *others = items_of(values[0]) if len(values) == 1 else values
        for value in others:
            machine.trace.tick()
            found = value if truth(compare(machine.trace, symbol, value, found)) else found
        return found

    return rule


def _round(machine: Interpreter, value: Value, digits: Value = None) -> Value:
    if digits is not None and not (isinstance(digits, int) and abs(digits) <= _MOST_DIGITS):
        raise Refused("rounding to such a number of digits")
    return round(_plain(value), digits)


def _power(machine: Interpreter, base: Value, exponent: Value) -> Value:
    return binary(machine.trace, "**", base, exponent)


def _quotient(machine: Interpreter, a: Value, b: Value) -> Value:
    return binary(machine.trace, "//", a, b), binary(machine.trace, "%", a, b)


def _zipped(machine: Interpreter, *values: Value) -> list[Value]:
    return list(zip(*map(items_of, values), strict=False))


def _enumerated(machine: Interpreter, values: Value, start: int = 0) -> list[Value]:
    return list(enumerate(items_of(values), _plain(start)))


def _sorted(machine: Interpreter, values: Value, reverse: Value = False) -> list[Value]:
    items = items_of(values)
    if not all(isinstance(item, (int, float)) for item in items) and not all(isinstance(item, str) for item in items):
        raise Refused("a sort of other values than numbers or texts")
    return sorted(items, reverse=truth(reverse))


def _mapped(machine: Interpreter, function: Value, *values: Value) -> list[Value]:
    from transforms.lambda_functions.calls import call_value

    return [call_value(machine, function, args, {}) for args in zip(*map(items_of, values), strict=False)]


def _filtered(machine: Interpreter, function: Value, values: Value) -> list[Value]:
    from transforms.lambda_functions.calls import call_value

    kept = truth if function is None else lambda item: truth(call_value(machine, function, [item], {}))
    return [item for item in items_of(values) if kept(item)]


#: Classes that `isinstance` may ask for.
_CLASSES: Mapping[str, Any] = {
    "builtins.list": list,
    "builtins.tuple": tuple,
    "builtins.int": int,
    "builtins.float": float,
    "builtins.str": str,
    "builtins.bool": bool,
    "builtins.dict": dict,
    "numpy.ndarray": np.ndarray,
    "tensorflow.Tensor": Tensor,
}


def _is_instance(machine: Interpreter, value: Value, classes: Value) -> bool:
    wanted = items_of(classes) if isinstance(classes, (list, tuple)) else [classes]
    if not all(isinstance(each, Reference) and each.name in _CLASSES for each in wanted):
        raise Refused(f"isinstance with {', '.join(map(kind_of, wanted))}")
    return any(isinstance(value, _CLASSES[each.name]) for each in wanted)


def _has(machine: Interpreter, value: Value, name: Value) -> bool:
    """`hasattr` of a module, as far as its names are known, and of a tensor."""
    if isinstance(value, Reference) and isinstance(name, str):
        known = exists(machine.trace.era, f"{value.name}.{name}")
        if known is not None:
            return known
    if isinstance(value, Tensor) and name == "_keras_shape":
        return machine.trace.era.runtime.family is Family.KERAS
    if isinstance(name, str) and has_attribute(value, name):
        return True
    raise Refused(f"hasattr of {kind_of(value)}")


def _next(machine: Interpreter, iterator: Value) -> Value:
    if not isinstance(iterator, Items) or iterator.place >= len(iterator.items):
        raise Refused("next without a further value")
    iterator.place += 1
    return iterator.items[iterator.place - 1]


def _callable(machine: Interpreter, value: Value) -> bool:
    return isinstance(value, (Function, Method, Reference))


def _dictionary(machine: Interpreter, pairs: Value = (), **entries: Value) -> dict[Any, Value]:
    found = dict(pairs) if isinstance(pairs, dict) else {key: value for key, value in map(items_of, items_of(pairs))}
    if any(isinstance(key, (Tensor, Cell, list)) for key in found):
        raise Refused("a dictionary with such keys")
    return {**found, **entries}


def _is_any(machine: Interpreter, values: Value) -> bool:
    return any(map(truth, items_of(values)))


def _is_all(machine: Interpreter, values: Value) -> bool:
    return all(map(truth, items_of(values)))


#: Builtins by name. Each takes the interpreter, then the arguments of the call.
BUILTINS: Mapping[str, Callable[..., Value]] = {
    "builtins.len": _length,
    "builtins.int": _number(int),
    "builtins.float": _number(float),
    "builtins.bool": lambda machine, value=False: truth(value),
    "builtins.str": lambda machine, value="": (
        str(bounded(value)) if isinstance(value, (str, int, float)) else _plain(value)
    ),
    "builtins.range": _range,
    "builtins.xrange": _range,
    "builtins.abs": _absolute,
    "builtins.sum": _sum,
    "builtins.min": _extreme("<"),
    "builtins.max": _extreme(">"),
    "builtins.round": _round,
    "builtins.pow": _power,
    "builtins.divmod": _quotient,
    "builtins.list": lambda machine, values=(): items_of(values),
    "builtins.tuple": lambda machine, values=(): tuple(items_of(values)),
    "builtins.dict": _dictionary,
    "builtins.iter": lambda machine, values: Items(items_of(values)),
    "builtins.next": _next,
    "builtins.zip": _zipped,
    "builtins.enumerate": _enumerated,
    "builtins.reversed": lambda machine, values: items_of(values)[::-1],
    "builtins.sorted": _sorted,
    "builtins.map": _mapped,
    "builtins.filter": _filtered,
    "builtins.slice": lambda machine, *bounds: slice(*bounds),
    "builtins.any": _is_any,
    "builtins.all": _is_all,
    "builtins.isinstance": _is_instance,
    "builtins.callable": _callable,
    "builtins.hasattr": _has,
}
