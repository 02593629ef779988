"""The record of an interpretation: steps, assumptions, and consumption of the budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.values import (
    FREE_EXTENT,
    Dtype,
    Refused,
    Tensor,
    TensorShape,
    Value,
    bounded,
    kind_of,
)
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.expression import Ref, Step
from transforms.records.inspection import Shape
from transforms.records.runtime import Family, Runtime

_MOST_INSTRUCTIONS = 100_000
_MOST_STEPS = 5_000
_MOST_ARGUMENTS = 150_000

#: Units of work: items of sequences, and groups of so many numbers of arrays. An item takes up to 1 us.
_MOST_WORK = 600_000
_NUMBERS_PER_UNIT = 8

_MOST_CALLS_WITHIN = 24

#: The extent assumed for a free axis; no drawn batch is longer.
_FREE = 16


@dataclass(frozen=True)
class Era:
    """The libraries that the function's names belong to, as far as the file records them.

    Attributes:
        runtime: the Keras that wrote it.
        tensorflow: 1 or 2, the major version of TensorFlow; None if it may be either.
    """

    runtime: Runtime
    tensorflow: int | None

    @property
    def is_keras_3(self) -> bool:
        """True for Keras 3."""
        return self.runtime.family is Family.KERAS_3

    @property
    def on_tensorflow(self) -> bool:
        """True if tensors are TensorFlow's."""
        return self.runtime.backend in ("", "tensorflow") or self.runtime.family is not Family.KERAS


class Trace:
    """One interpretation.

    Args:
        era: determines the meaning of names.
        globals_given: values of global names that the operator gives, as in JSON.
        limits: the budget of the model.
    """

    def __init__(self, era: Era, globals_given: Mapping[str, Value] | None = None, limits: Limits = DEFAULT_LIMITS):
        self.era = era
        self.globals_given = globals_given or {}
        self.limits = limits
        self.steps: list[Step] = []
        self.written: list[str] = []
        self.variables: dict[int, str] = {}
        self.assumed: dict[str, None] = {}
        self.globals_used: dict[str, None] = {}
        self.shapes_asked = False
        self._instructions = 0
        self._arguments = 0
        self._work = 0
        self._depth = 0

    def tick(self) -> None:
        """Counts an instruction. Raises Refused beyond the budget."""
        self._instructions += 1
        if self._instructions > _MOST_INSTRUCTIONS:
            raise Refused("a computation that does not end within the budget", Reason.OVER_BUDGET)

    def spend(self, value: Value) -> None:
        """Counts the contents of a new value. Raises Refused beyond the budget."""
        self._work += _units(value)
        if self._work > _MOST_WORK:
            raise Refused("values beyond measure", Reason.OVER_BUDGET)

    def use(self, value: Value) -> None:
        """Counts all that an operand contains, for an operation may visit it all. Raises Refused beyond the budget.

        What occurs several times counts several times: lists within lists may have billions of items in little memory.
        """
        pending = [value]
        while pending:
            each = pending.pop()
            self.spend(each)
            if isinstance(each, (list, tuple)):
                pending.extend(each)
            elif isinstance(each, dict):
                pending.extend(each.values())

    def name(self, value: Value, variable: str) -> None:
        """Records the variable name of a result, for display."""
        if isinstance(value, Tensor) and "result" in value.ref and "output" not in value.ref:
            self.variables.setdefault(value.ref["result"], variable)

    def enter(self) -> None:
        """Counts a nested call. Raises Refused beyond the budget."""
        self._depth += 1
        if self._depth > _MOST_CALLS_WITHIN:
            raise Refused("functions that call each other too deep", Reason.OVER_BUDGET)

    def leave(self) -> None:
        """Ends a nested call."""
        self._depth -= 1

    def step(self, function: str, arguments: Mapping[str, Value], written: str, shape: Shape | None = None) -> Tensor:
        """Records a call of a listed function; returns its result.

        Raises Refused for arguments that are not data, and for a result beyond the budget.
        """
        if len(self.steps) >= _MOST_STEPS:
            raise Refused("an expression of too many steps", Reason.OVER_BUDGET)
        self.refuse_size(shape, written)
        self.steps.append(Step(function, {name: self.plain(value) for name, value in arguments.items()}))
        self.written.append(written)
        return Tensor({"result": len(self.steps) - 1}, shape)

    def refuse_size(self, shape: Shape | None, what: str) -> None:
        """Raises Refused for a tensor beyond the budget."""
        if shape is None:
            return
        size = math.prod(_FREE if extent is None else extent for extent in shape)
        if size > self.limits.tensor_values or any((extent or 0) > self.limits.tensor_values for extent in shape):
            raise Refused(f"{what}, of about {size:,} values in one tensor", Reason.OVER_BUDGET)

    def plain(self, value: Value) -> Any:
        """A value as an argument of a step. Raises Refused for one that is not data."""
        self._arguments += 1
        if self._arguments > _MOST_ARGUMENTS:
            raise Refused("arguments beyond measure", Reason.OVER_BUDGET)
        match value:
            case Tensor():
                return value.ref
            case None | bool() | str():
                return bounded(value)
            case np.generic():
                return _number(value.item())
            case int() | float() | complex():
                return _number(bounded(value))
            case np.ndarray():
                self._arguments += value.size
                return bounded(value).tolist()
            case Dtype():
                return {"dtype_of": value.of} if value.of is not None else value.name
            case list() | tuple():
                return [self.plain(item) for item in bounded(value)]
            case range():
                return [self.plain(item) for item in bounded(list(value[: len(value)]))]
            case slice():
                return {name: self.plain(getattr(value, name)) for name in ("start", "stop", "step")}
            case _ if value is ...:
                return {"class_name": "__ellipsis__"}
            case _ if value is FREE_EXTENT:
                raise Refused("a free extent where a number is needed")
        raise Refused(f"{kind_of(value)} as an argument")

    def shape_of(self, tensor: Tensor, what: str) -> TensorShape:
        """A tensor's shape, on which the expression then depends. Raises Refused if it is unknown."""
        self.shapes_asked = True
        if tensor.shape is None:
            raise Refused(f"{what}, for a tensor whose shape is unknown", Reason.UNSUPPORTED_LAYER)
        return TensorShape(tensor.shape)


def _units(value: Value) -> int:
    if isinstance(value, np.ndarray):
        return value.size // _NUMBERS_PER_UNIT
    return len(value) if isinstance(value, (list, tuple, dict, str, bytes, range)) else 0


def _number(value: Any) -> Any:
    if isinstance(value, complex):
        raise Refused("a complex number")
    return value


def is_tensor(ref: Ref | Any) -> bool:
    """True for the representation of a tensor in arguments."""
    return isinstance(ref, Mapping) and bool(ref.keys() & {"input", "mask", "result"})
