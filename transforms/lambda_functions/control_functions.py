"""Functions that choose between branches or repeat a function over the rows of a tensor, written out as steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from transforms.lambda_functions.listed_functions import LISTED, call_listed
from transforms.lambda_functions.subscripts import subscript
from transforms.lambda_functions.values import (
    Function,
    Method,
    Reference,
    Refused,
    Tensor,
    Value,
    truth,
)

if TYPE_CHECKING:
    from transforms.lambda_functions.interpreter import Interpreter


#: Maximum rounds of a loop over a tensor's first axis that is unrolled.
_MOST_ROUNDS = 256


def _result(machine: Interpreter, value: Value) -> Value:
    """The result of a branch: a value, or the result of a function without arguments."""
    if isinstance(value, (Function, Method, Reference)):
        from transforms.lambda_functions.calls import call_value

        return call_value(machine, value, [], {})
    return value


def recorded(machine: Interpreter, name: str, written: str, **arguments: Value) -> Value:
    """The result of a listed function. Raises Refused."""
    return call_listed(machine.trace, LISTED[name], written, arguments)


def in_train_phase(machine: Interpreter, x: Value, alt: Value, training: Value = None) -> Value:
    """The branch for inference, since that is what is served."""
    return _result(machine, x if training is not None and truth(training) else alt)


def in_test_phase(machine: Interpreter, x: Value, alt: Value, training: Value = None) -> Value:
    """The branch for inference, which comes first here."""
    return in_train_phase(machine, alt, x, training)


def switch(machine: Interpreter, condition: Value, then_expression: Value, else_expression: Value) -> Value:
    """`K.switch`: a constant condition selects one branch, a tensor evaluates both."""
    if not isinstance(condition, Tensor):
        return _result(machine, then_expression if truth(condition) else else_expression)
    then, other = _result(machine, then_expression), _result(machine, else_expression)
    return recorded(
        machine, "keras.backend.switch", "K.switch", condition=condition, then_expression=then, else_expression=other
    )


def cond(
    machine: Interpreter,
    pred: Value,
    true_fn: Value = None,
    false_fn: Value = None,
    strict: bool = False,
    name: Value = None,
    fn1: Value = None,
    fn2: Value = None,
) -> Value:
    """`tf.cond`: both pure branches are computed, if they have the same shape."""
    then = _result(machine, fn1 if true_fn is None else true_fn)
    other = _result(machine, fn2 if false_fn is None else false_fn)
    if not isinstance(pred, Tensor):
        return then if truth(pred) else other
    if not isinstance(then, Tensor) or not isinstance(other, Tensor) or then.shape is None or then.shape != other.shape:
        raise Refused("tf.cond whose branches are not known to be of one shape")
    machine.trace.shapes_asked = True
    return recorded(machine, "where", "tf.cond", condition=pred, x=then, y=other)


def map_rows(
    machine: Interpreter,
    fn: Value,
    elems: Value,
    *args: Value,
    name: Value = None,
    dtype: Value = None,
    **options: Value,
) -> Value:
    """`map_fn` over a known number of rows, unrolled."""
    from transforms.lambda_functions.calls import call_value

    if options:
        raise Refused(f"map_fn with {', '.join(options)}")
    found = [call_value(machine, fn, [row], {}) for row in _rows(machine, elems, "map_fn")]
    return recorded(machine, "stack", "map_fn", values=found, axis=0)


def _rows(machine: Interpreter, elems: Value, what: str) -> list[Value]:
    """The entries of a tensor along its first axis, whose extent must be known. Raises Refused."""
    if not isinstance(elems, Tensor):
        raise Refused(f"{what} over other values than one tensor")
    count = machine.trace.shape_of(elems, what)[0]
    if not isinstance(count, int) or not 0 < count <= _MOST_ROUNDS:
        raise Refused(f"{what} over a free or a long axis")
    return [subscript(machine.trace, elems, row) for row in range(count)]


def accumulated(what: str, keep_all: bool, reverse: bool = False) -> Callable[..., Value]:
    """`foldl`, `foldr` and `scan` over a known number of rows, written out: f(f(f(x0, x1), x2), x3)."""

    def rule(machine: Interpreter, fn: Value, elems: Value, initializer: Value = None, name: Value = None) -> Value:
        from transforms.lambda_functions.calls import call_value

        rows = _rows(machine, elems, what)[:: -1 if reverse else 1]
        found = [rows.pop(0) if initializer is None else initializer]
        for row in rows:
            found.append(call_value(machine, fn, [found[-1], row], {}))
        if not keep_all:
            return found[-1]
        return recorded(machine, "stack", what, values=found if initializer is None else found[1:], axis=0)

    return rule
