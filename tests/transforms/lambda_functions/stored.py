"""Functions of the tests as a file stores them, and what they are translated to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.transforms.hostile_models import dumped
from transforms.lambda_functions.layer_call import Inputs
from transforms.lambda_functions.stored_function import stored_function
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.translate import Translated, translate
from transforms.records.inspection import Shape
from transforms.records.runtime import runtime_of

ERA = Era(runtime_of("2.2.4", "tensorflow"), 1)
TENSORFLOW_2 = Era(runtime_of("2.15.0", "tensorflow"), 2)
KERAS_3 = Era(runtime_of("3.1.0", "tensorflow"), 2)


def translated(
    function: Callable[..., Any],
    *shapes: Shape | None,
    era: Era = ERA,
    constants: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Translated:
    """A function stored with its closure and its defaults, called on inputs of these shapes, else on one."""
    closure = [cell.cell_contents for cell in function.__closure__ or ()]
    stored = [dumped(function)[0], list(function.__defaults__ or ()) or None, closure or None]
    given = shapes or ((None, 4, 6),)
    inputs = Inputs(tuple(given), (False,) * len(given), len(given) > 1, arguments)
    return translate(stored_function(stored, "lambda"), inputs, era, constants)
