"""Translates one stored function, for given inputs, to an expression or a refusal with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.errors import Reason
from transforms.lambda_functions.calls import call_value, takes
from transforms.lambda_functions.instructions import Instruction, decode
from transforms.lambda_functions.interpreter import Interpreter
from transforms.lambda_functions.marshal_reader import Code, Unreadable
from transforms.lambda_functions.names import member, normalised
from transforms.lambda_functions.stored_function import StoredFunction, plain_value
from transforms.lambda_functions.text import Writer, shortened
from transforms.lambda_functions.trace import Era, Trace
from transforms.lambda_functions.values import Cell, Function, Malformed, Reference, Refused, Tensor, Value, items_of
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.expression import Expression, Ref, needed_steps, refs_in
from transforms.records.inspection import Shape


@dataclass(frozen=True)
class Inputs:
    """The inputs of a function.

    Attributes:
        shapes: of the tensors, None if unknown.
        masked: which of them have a mask.
        as_list: whether they are passed as a list, as several are.
        arguments: further arguments by name, from the layer's config.
    """

    shapes: tuple[Shape | None, ...]
    masked: tuple[bool, ...]
    as_list: bool
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Translated:
    """A function that was translated.

    Attributes:
        expression: its steps.
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


def translate(
    stored: StoredFunction,
    inputs: Inputs,
    era: Era,
    globals_given: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Translated:
    """Interprets a stored function.

    Args:
        stored: as in the file.
        inputs: of the layer.
        era: what names mean.
        globals_given: values that the operator gives to global names.
        limits: the budget of the model.

    Raises NotTranslated.
    """
    if not stored.codes:
        return _translated(_named(stored.name, era), inputs, era, globals_given, limits)
    found: list[Translated] = []
    failed: list[NotTranslated] = []
    for reading in _readings(stored):
        try:
            translated = _translated(reading, inputs, era, globals_given, limits)
        except Malformed:
            continue
        except NotTranslated as error:
            failed.append(error)
            continue
        if all(translated.expression != other.expression for other in found):
            found.append(translated)
    if len(found) == 1 and not failed:
        return found[0]
    if failed and not found:
        raise failed[0]
    if not found:
        raise NotTranslated("its code fits no version of Python", Reason.UNSAFE_LAMBDA)
    raise NotTranslated("its code has different meanings in different versions of Python", Reason.UNSAFE_LAMBDA)


@dataclass(frozen=True)
class _Reading:
    """A function as read by one version of Python: the value to call, and the source place that its code records."""

    version: str
    callee: Function | Reference
    defaults: tuple[Any, ...] = ()
    closure: tuple[Any, ...] = ()


def translated_shape(
    stored: StoredFunction,
    inputs: Sequence[Shape | None],
    as_list: bool,
    era: Era,
    globals_given: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Shape | None:
    """The result of a function from shapes to a shape; None if the shapes are unknown. Raises NotTranslated."""
    if any(shape is None for shape in inputs):
        return None
    failed: NotTranslated | None = None
    for reading in _readings(stored):
        trace = Trace(era, globals_given, limits)
        machine = Interpreter(reading.version, trace)
        try:
            given: Value = [tuple(shape) for shape in inputs if shape is not None]
            result = call_value(machine, _with_values(reading), [given if as_list else given[0]], {})
            return tuple(_extent(extent) for extent in items_of(result))
        except Malformed:
            continue
        except (Refused, RecursionError) as error:
            what = f"{error} ({_place(reading.callee, machine.line)})"
            failed = NotTranslated(f"its output_shape has {what}", Reason.UNSAFE_LAMBDA)
    raise failed or NotTranslated("its output_shape fits no version of Python", Reason.UNSAFE_LAMBDA)


def _extent(value: Value) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise Refused("a shape of other values than numbers")


def _readings(stored: StoredFunction) -> Iterator[_Reading]:
    """The possible versions of the code, one of each group that read it alike."""
    seen: list[tuple[Instruction, ...]] = []
    for code in stored.codes:
        for version in code.layout.versions:
            try:
                instructions = decode(code, version)
            except Unreadable:
                continue
            if instructions not in seen:
                seen.append(instructions)
                yield _Reading(version, Function(code), stored.defaults, stored.closure)


def _named(name: str, era: Era) -> _Reading:
    """A function stored by name: one of Keras's own, if its module says so."""
    module, _, last = name.rpartition(".")
    root = normalised(module).split(".")[0]
    if not module or root not in ("keras", "tensorflow"):
        raise NotTranslated(f"{name}, of which the file stores only the name", Reason.CUSTOM_OBJECTS_NEEDED)
    found = member(Reference(normalised(module), module), last)
    if not isinstance(found, Reference):
        raise NotTranslated(f"{name}, which is not a function", Reason.UNSAFE_LAMBDA)
    return _Reading("3.11", Reference(found.name, last))


def _translated(
    reading: _Reading,
    inputs: Inputs,
    era: Era,
    globals_given: Mapping[str, Any] | None,
    limits: Limits,
) -> Translated:
    trace = Trace(era, {}, limits)
    machine = Interpreter(reading.version, trace)
    names = _input_names(reading.callee, inputs)
    try:
        trace.globals_given = {name: plain_value(value) for name, value in (globals_given or {}).items()}
        function = _with_values(reading)
        args, kwargs = _arguments(function, inputs)
        result = call_value(machine, function, args, kwargs)
        outputs, tensors = _outputs(trace, result)
    except (Refused, RecursionError, MemoryError) as error:
        refused = error if isinstance(error, Refused) else Refused("too large a computation", Reason.OVER_BUDGET)
        writer = Writer(trace, names, None)
        lines = (*writer.statements(), f"# stopped in line {machine.line}: {refused.what}")
        raise NotTranslated(
            f"{refused.what} ({_place(reading.callee, machine.line)})", refused.reason, tuple(map(shortened, lines))
        ) from error
    return Translated(
        needed_steps(tuple(trace.steps), outputs),
        tuple(tensor.shape for tensor in tensors),
        _text(trace, reading, inputs, names, outputs, as_list=isinstance(result, list)),
        tuple(trace.assumed),
        trace.shapes_asked,
    )


def _with_values(reading: _Reading) -> Function | Reference:
    """The function with its defaults and closure."""
    if isinstance(reading.callee, Reference):
        return reading.callee
    code = reading.callee.code
    closure = {name: Cell(empty=True) for name in code.frees}
    for name, value in zip(code.frees, reading.closure, strict=False):
        closure[name] = Cell(plain_value(value))
    return Function(code, tuple(map(plain_value, reading.defaults)), {}, closure)


def _arguments(function: Function | Reference, inputs: Inputs) -> tuple[list[Value], dict[str, Value]]:
    """The tensors, then the layer's arguments, the masks if the function takes them, and no `training`."""
    tensors = [Tensor({"input": index}, shape) for index, shape in enumerate(inputs.shapes)]
    masks: list[Value] = [
        Tensor({"mask": index}, None if shape is None else shape[:2]) if masked else None
        for index, (shape, masked) in enumerate(zip(inputs.shapes, inputs.masked, strict=True))
    ]
    kwargs = {name: plain_value(value) for name, value in inputs.arguments.items()}
    if isinstance(function, Function):
        if takes(function, "mask"):
            kwargs.setdefault("mask", masks if inputs.as_list else masks[0])
        if takes(function, "training"):
            kwargs.setdefault("training", False)
    return [tensors if inputs.as_list else tensors[0]], kwargs


def _outputs(trace: Trace, result: Value) -> tuple[tuple[Ref, ...], tuple[Tensor, ...]]:
    tensors = tuple(result) if isinstance(result, (list, tuple)) else (result,)
    if not tensors or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise Refused("a result that is not a tensor")
    outputs = tuple(tensor.ref for tensor in tensors)
    if not all(_depends_on_input(trace, ref) for ref in outputs):
        raise Refused("a result that does not depend on the input")
    return outputs, tensors


def _depends_on_input(trace: Trace, ref: Ref) -> bool:
    if "result" not in ref:
        return True
    expression = needed_steps(tuple(trace.steps), (ref,))
    return any("result" not in each for step in expression.steps for each in refs_in(list(step.arguments.values())))


def _input_names(callee: Function | Reference, inputs: Inputs) -> list[str]:
    first = callee.code.variables[:1] if isinstance(callee, Function) else ()
    name = next(iter(first), "x")
    name = name if name.isidentifier() else "x"
    return [f"{name}[{index}]" for index in range(len(inputs.shapes))] if inputs.as_list else [name]


def _place(callee: Function | Reference, line: int) -> str:
    if isinstance(callee, Reference):
        return callee.written
    file = re.split(r"[/\\]", callee.code.filename)[-1][:60]
    return f"line {line} of {file}"


def _text(
    trace: Trace, reading: _Reading, inputs: Inputs, names: Sequence[str], outputs: tuple[Ref, ...], as_list: bool
) -> str:
    """The function as readable Python, with closure and default values."""
    writer = Writer(trace, names, outputs)
    statements = writer.statements()
    values = [writer.value(ref) for ref in outputs]
    returned = values[0] if len(values) == 1 and not as_list else f"[{', '.join(values)}]"
    if isinstance(reading.callee, Reference):
        return shortened(returned)
    code = reading.callee.code
    parameters = ", ".join(_parameters(code, reading, inputs))
    notes = [f"{name} = {_shown(value)}" for name, value in zip(code.frees, reading.closure, strict=False)]
    notes += [f"{name} = {_shown(trace.globals_given[name])}" for name in trace.globals_used]
    closure = [f"# where {', '.join(notes)}"] if notes else []
    if not statements:
        return "\n".join([shortened(f"lambda {parameters}: {returned}"), *closure])
    name = code.name if code.name.isidentifier() else "function"
    body = [f"    {line}" for line in (*statements, f"return {returned}")]
    return "\n".join([f"def {name}({parameters}):", *map(shortened, body), *closure])


def _parameters(code: Code, reading: _Reading, inputs: Inputs) -> Iterator[str]:
    positional = code.variables[: code.argument_count]
    defaults = dict(zip(reversed(positional), reversed(reading.defaults), strict=False))
    stated = {**defaults, **inputs.arguments}
    for name in positional:
        yield f"{name}={_shown(stated[name])}" if name in stated else name


def _shown(value: Any) -> str:
    return shortened(repr(value))[:60]
