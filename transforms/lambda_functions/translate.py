"""Translates one stored function, for given inputs, to an expression or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.errors import Reason
from transforms.lambda_functions.calls import call_value
from transforms.lambda_functions.function_text import text_of, text_until
from transforms.lambda_functions.interpreter import Interpreter
from transforms.lambda_functions.layer_call import Call, Inputs, call_of_function, call_of_mask
from transforms.lambda_functions.readings import Reading, readings
from transforms.lambda_functions.stored_function import StoredFunction
from transforms.lambda_functions.trace import Era, Trace
from transforms.lambda_functions.values import Function, Malformed, Reference, Refused, Tensor, Value
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.expression import Expression, Ref, needed_steps, refs_in
from transforms.records.inspection import Shape


@dataclass(frozen=True)
class Translated:
    """A function that was translated.

    Attributes:
        expression: its steps; of a mask that is None, one without outputs.
        shapes: of the results, None if unknown.
        text: the function as readable Python.
        assumed: the assumptions made.
        depends_on_shapes: whether the expression is valid only for inputs of these shapes.
    """

    expression: Expression
    shapes: tuple[Shape | None, ...]
    text: str
    assumed: tuple[str, ...]
    depends_on_shapes: bool


class NotTranslated(Exception):
    """A function that is refused.

    Attributes:
        what: why, in one clause.
        reason: for the report.
        text: the function as far as it was translated, line by line.
    """

    def __init__(self, what: str, reason: Reason, text: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.reason = reason
        self.text = text


@dataclass(frozen=True)
class Setting:
    """The context of an interpretation.

    Attributes:
        era: determines the meaning of names.
        globals_given: values that the operator gives to global names.
        limits: the budget of the model.
    """

    era: Era
    globals_given: Mapping[str, Any]
    limits: Limits

    def trace(self) -> Trace:
        """A new record of an interpretation."""
        return Trace(self.era, self.globals_given, self.limits)


def translate(
    stored: StoredFunction,
    inputs: Inputs,
    era: Era,
    globals_given: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Translated:
    """Interprets the function of a layer.

    Args:
        stored: as in the file.
        inputs: of the layer.
        era: determines the meaning of names.
        globals_given: values that the operator gives to global names.
        limits: the budget of the model.

    Raises NotTranslated.
    """
    setting = Setting(era, globals_given or {}, limits)

    def followed(reading: Reading) -> Translated:
        return _followed(reading, inputs, setting, lambda function: call_of_function(function, inputs, era), _results)

    return one_meaning(stored, followed)


def translate_mask(
    stored: StoredFunction,
    inputs: Inputs,
    era: Era,
    globals_given: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Translated:
    """The same for the function that computes the mask of a layer's output, which may be None."""
    setting = Setting(era, globals_given or {}, limits)

    def followed(reading: Reading) -> Translated:
        return _followed(reading, inputs, setting, lambda function: call_of_mask(inputs, era), _mask)

    return one_meaning(stored, followed)


def one_meaning(stored: StoredFunction, followed: Callable[[Reading], Translated]) -> Translated:
    """The meaning in which all possible versions of Python agree. Raises NotTranslated if they do not agree."""
    found: list[Translated] = []
    failed: list[NotTranslated] = []
    try:
        for reading in readings(stored):
            try:
                translated = followed(reading)
            except Malformed:
                continue
            except NotTranslated as error:
                if error.reason is Reason.OVER_BUDGET:
                    raise
                failed.append(error)
                continue
            if all(translated.expression != other.expression for other in found):
                found.append(translated)
    except Refused as error:
        raise NotTranslated(error.what, error.reason) from error
    if len(found) == 1 and not failed:
        return found[0]
    if failed and not found:
        raise failed[0]
    if not found:
        raise NotTranslated("its code fits no version of Python", Reason.UNSAFE_LAMBDA)
    raise NotTranslated("its code has different meanings in different versions of Python", Reason.UNSAFE_LAMBDA)


def _followed(
    reading: Reading,
    inputs: Inputs,
    setting: Setting,
    call: Callable[[Function | Reference], Call],
    results: Callable[[Trace, Value], list[Tensor]],
) -> Translated:
    """Interprets one reading. Raises NotTranslated, or Malformed if the code is not of this version."""
    trace = setting.trace()
    machine = Interpreter(reading.version, trace)
    try:
        function = reading.with_values()
        args, kwargs = call(function)
        returned = call_value(machine, function, args, kwargs)
        tensors = results(trace, returned)
    except (Refused, RecursionError, MemoryError) as error:
        refused = error if isinstance(error, Refused) else Refused("too large a computation", Reason.OVER_BUDGET)
        text = text_until(trace, reading, inputs, machine.line, refused.what)
        raise NotTranslated(f"{refused.what} ({reading.place(machine.line)})", refused.reason, text) from error
    outputs = tuple(tensor.ref for tensor in tensors)
    return Translated(
        needed_steps(tuple(trace.steps), outputs),
        tuple(tensor.shape for tensor in tensors),
        text_of(trace, reading, inputs, outputs, as_list=isinstance(returned, list)),
        tuple(trace.assumed),
        trace.shapes_asked,
    )


def _results(trace: Trace, result: Value) -> list[Tensor]:
    """The outputs of a layer. Raises Refused for a value that is not a tensor or does not depend on an input."""
    tensors = list(result) if isinstance(result, (list, tuple)) else [result]
    if not tensors or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise Refused("a result that is not a tensor")
    if not all(_depends_on_input(trace, tensor.ref) for tensor in tensors):
        raise Refused("a result that does not depend on the input")
    return tensors


def _mask(trace: Trace, result: Value) -> list[Tensor]:
    """The mask of a layer's output: one or none. Raises Refused for other values."""
    found = list(result) if isinstance(result, (list, tuple)) else [result]
    tensors = [tensor for tensor in found if tensor is not None]
    if not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise Refused("a mask that is not a tensor")
    if tensors and len(found) > 1:
        raise Refused("several masks")
    if not all(_depends_on_input(trace, tensor.ref) for tensor in tensors):
        raise Refused("a mask that does not depend on the input")
    return tensors


def _depends_on_input(trace: Trace, ref: Ref) -> bool:
    if "result" not in ref:
        return True
    expression = needed_steps(tuple(trace.steps), (ref,))
    return any("result" not in each for step in expression.steps for each in refs_in(list(step.arguments.values())))
