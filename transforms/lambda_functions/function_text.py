"""A translated function as readable Python, with closure and default values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transforms.lambda_functions.code_object import Code
from transforms.lambda_functions.layer_call import Inputs
from transforms.lambda_functions.readings import Reading
from transforms.lambda_functions.text import Writer, shortened
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import Function, Reference
from transforms.records.expression import Ref


def text_of(trace: Trace, reading: Reading, inputs: Inputs, outputs: Sequence[Ref], as_list: bool) -> str:
    """The function in one line, or in several if results have names.

    Args:
        trace: what was recorded.
        reading: the function.
        inputs: of the function.
        outputs: its results.
        as_list: whether it returns a list.
    """
    writer = Writer(trace, input_names(reading, inputs), outputs)
    statements = writer.statements()
    values = [writer.value(ref) for ref in outputs]
    returned = values[0] if len(values) == 1 and not as_list else f"[{', '.join(values)}]" if values else "None"
    if isinstance(reading.callee, Reference):
        return shortened(returned)
    code = reading.callee.code
    parameters = ", ".join(_parameters(code, reading, inputs.arguments))
    notes = [f"{name} = {_shown(value)}" for name, value in zip(code.frees, reading.closure, strict=False)]
    notes += [f"{name} = {_shown(trace.globals_given[name])}" for name in trace.globals_used]
    where = [f"# where {', '.join(notes)}"] if notes else []
    if not statements:
        return "\n".join([shortened(f"lambda {parameters}: {returned}"), *where])
    name = code.name if code.name.isidentifier() else "function"
    body = [f"    {line}" for line in (*statements, f"return {returned}")]
    return "\n".join([f"def {name}({parameters}):", *map(shortened, body), *where])


def text_until(trace: Trace, reading: Reading, inputs: Inputs, line: int, what: str) -> tuple[str, ...]:
    """The function as far as it was translated, and the reason why it was refused."""
    writer = Writer(trace, input_names(reading, inputs), None)
    return tuple(map(shortened, (*writer.statements(), f"# stopped in line {line}: {what}")))


def input_names(reading: Reading, inputs: Inputs) -> list[str]:
    """The names of the inputs in the function."""
    first = reading.callee.code.variables[:1] if isinstance(reading.callee, Function) else ()
    name = next(iter(first), "x")
    name = name if name.isidentifier() else "x"
    return [f"{name}[{index}]" for index in range(len(inputs.shapes))] if inputs.as_list else [name]


def _parameters(code: Code, reading: Reading, arguments: Mapping[str, Any]) -> Iterator[str]:
    positional = code.variables[: code.argument_count]
    defaults = dict(zip(reversed(positional), reversed(reading.defaults), strict=False))
    stated = {**defaults, **arguments}
    for name in positional:
        yield f"{name}={_shown(stated[name])}" if name in stated else name


def _shown(value: Any) -> str:
    return shortened(repr(value))[:60]
