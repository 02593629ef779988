"""Values of the interpreter: tensors as symbols, all others as plain Python values.

Plain values are None, numbers, text, tuples, lists, dictionaries, slices, ranges, and NumPy arrays of constants.
Python's own attributes of a value are never accessed: `attributes` has a table for each kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.code_object import Code
from transforms.records.expression import Ref
from transforms.records.inspection import Shape

#: Any value of the interpreter.
Value: TypeAlias = Any


class Refused(Exception):
    """The function does something that is not translated.

    Attributes:
        what: in one clause, e.g. "K.random_normal, which is random".
        reason: for the report.
    """

    def __init__(self, what: str, reason: Reason = Reason.UNSAFE_LAMBDA) -> None:
        super().__init__(what)
        self.what = what
        self.reason = reason


class Malformed(Exception):
    """The instructions are inconsistent: they are not of the assumed version."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A symbolic tensor, known only by its origin.

    Attributes:
        ref: its origin.
        shape: as the writing runtime knew it when it built the model: None for a free extent; None as a whole if
            unknown.
        content: of an integer tensor that holds extents: the numbers as far as they are known, one or a tuple.
    """

    ref: Ref
    shape: Shape | None = None
    content: int | tuple[int | None, ...] | None = None


@dataclass(frozen=True)
class Reference:
    """A module, a function or a constant by its name: `tensorflow.nn.relu`.

    Attributes:
        name: with modules under their own names.
        written: in the function, e.g. `tf.nn.relu`.
    """

    name: str
    written: str


@dataclass(frozen=True)
class Dtype:
    """A dtype by name, or that of a tensor."""

    name: str
    of: Ref | None = None


@dataclass(eq=False)
class Cell:
    """A variable: what inner functions share with outer ones. It may be empty."""

    value: Value = None
    empty: bool = False


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the file's own.

    Attributes:
        code: its code.
        defaults: of its last positional parameters.
        keyword_defaults: of parameters after `*`.
        closure: its free variables.
    """

    code: Code
    defaults: tuple[Value, ...] = ()
    keyword_defaults: Mapping[str, Value] = field(default_factory=dict)
    closure: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Method:
    """A method of a value, not yet called."""

    receiver: Value
    name: str


@dataclass(frozen=True, eq=False)
class Scope:
    """A context manager without effect: `tf.name_scope` and similar. A call of it does nothing."""

    name: str


@dataclass(frozen=True)
class Marker:
    """A special value on the stack or in a shape."""

    name: str


#: Fills the second place of a callee (`PUSH_NULL`).
NULL = Marker("null")

#: `Dimension(None)` of TensorFlow 1: a free extent, which takes part in arithmetic and is not None.
FREE_EXTENT = Marker("a free extent")


class TensorShape(tuple[Any, ...]):
    """A shape of TensorFlow: extents, None for free ones."""


class NamedResults(tuple[Any, ...]):
    """The results of a function that names them, as `tf.nn.top_k` does `values` and `indices`."""

    names: tuple[str, ...] = ()


@dataclass(eq=False)
class Items:
    """An iterator over known items."""

    items: list[Value]
    place: int = 0

    def rest(self) -> list[Value]:
        """The remaining items."""
        left, self.place = self.items[self.place :], len(self.items)
        return left


MOST_ITEMS = 10_000
MOST_CHARACTERS = 10_000
MOST_BITS = 512
MOST_NUMBERS = 200_000


def bounded(value: Value) -> Value:
    """The value itself. Raises Refused if it is too large."""
    if isinstance(value, (int, np.integer)) and int(value).bit_length() > MOST_BITS:
        raise Refused("a number beyond measure", Reason.OVER_BUDGET)
    if isinstance(value, (str, bytes)) and len(value) > MOST_CHARACTERS:
        raise Refused("a text beyond measure", Reason.OVER_BUDGET)
    if isinstance(value, (list, tuple, dict)) and len(value) > MOST_ITEMS:
        raise Refused("a list beyond measure", Reason.OVER_BUDGET)
    if isinstance(value, np.ndarray) and value.size > MOST_NUMBERS:
        raise Refused("an array of constants that is too large", Reason.OVER_BUDGET)
    return value


def broadcast_size(values: Sequence[Value]) -> int:
    """The number of entries of an element-wise operation's result; 0 if the shapes do not match."""
    try:
        return math.prod(np.broadcast_shapes(*(np.shape(value) for value in values if isinstance(value, np.ndarray))))
    except ValueError:
        return 0


def items_of(value: Value) -> list[Value]:
    """The items of a value. Raises Refused if it cannot be iterated over."""
    match value:
        case Items():
            return value.rest()
        case list() | tuple() | str():
            return list(bounded(value))
        case range():
            if len(value) > MOST_ITEMS:
                raise Refused(f"a loop of {len(value):,} rounds", Reason.OVER_BUDGET)
            return list(value)
        case dict():
            return list(value)
        case np.ndarray() if value.ndim:
            return list(bounded(value))
        case Tensor():
            raise Refused("iterating over a tensor")
    raise Refused(f"iterating over {kind_of(value)}")


def kind_of(value: Value) -> str:
    """A value's kind, for messages."""
    match value:
        case Tensor():
            return "a tensor"
        case Reference():
            return value.written
        case Function():
            return f"the function {value.code.name}"
        case Method():
            return f"the method {value.name}"
        case Marker() | Scope():
            return value.name
        case None:
            return "None"
    return f"a value of type {type(value).__name__}"


def truth(value: Value) -> bool:
    """Whether a value is true. Raises Refused for tensors, whose values are known only at run time."""
    match value:
        case Tensor():
            raise Refused("a branch that depends on the values of a tensor")
        case np.ndarray() if value.size != 1:
            raise Refused("a branch on an array")
        case Marker() | Method() | Scope() | Dtype():
            raise Refused(f"a branch on {kind_of(value)}")
        case Reference():
            raise Refused(f"a branch on {value.written}")
        case Function():
            return True
        case Items():
            return True
    return bool(value)
