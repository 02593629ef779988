"""Interprets a function from shapes to a shape: `output_shape` of a Lambda."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transforms.errors import Reason
from transforms.lambda_functions.calls import call_value
from transforms.lambda_functions.interpreter import Interpreter
from transforms.lambda_functions.readings import readings
from transforms.lambda_functions.stored_function import StoredFunction
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.translate import NotTranslated, Setting
from transforms.lambda_functions.values import Malformed, Refused, Value, items_of
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.inspection import Shape


def translated_shape(
    stored: StoredFunction,
    inputs: Sequence[Shape | None],
    as_list: bool,
    era: Era,
    globals_given: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Shape | None:
    """The result of the function; None if the shapes of the inputs are unknown. Raises NotTranslated."""
    if any(shape is None for shape in inputs):
        return None
    given: Value = [tuple(shape) for shape in inputs if shape is not None]
    setting = Setting(era, globals_given or {}, limits)
    failed: NotTranslated | None = None
    try:
        for reading in readings(stored):
            machine = Interpreter(reading.version, setting.trace())
            try:
                result = call_value(machine, reading.with_values(), [given if as_list else given[0]], {})
                return tuple(_extent(extent) for extent in items_of(result))
            except Malformed:
                continue
            except (Refused, RecursionError) as error:
                what = f"{error} ({reading.place(machine.line)})"
                failed = NotTranslated(f"its output_shape has {what}", Reason.UNSAFE_LAMBDA)
    except Refused as error:
        raise NotTranslated(error.what, error.reason) from error
    raise failed or NotTranslated("its output_shape fits no version of Python", Reason.UNSAFE_LAMBDA)


def _extent(value: Value) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise Refused("a shape of other values than numbers")
