"""Interprets instructions symbolically: Python's stack machine with symbols in place of tensors.

Each operation is a row of one of the tables `VALUES`, `CONTAINERS`, `CONTROL` and `CALLS`: a function of the frame and
the argument, which returns the next instruction if it is not the following one. Python never runs any part of a stored
function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transforms.lambda_functions.call_operations import CALLS
from transforms.lambda_functions.calls import bind_parameters
from transforms.lambda_functions.code_object import Code, Unreadable
from transforms.lambda_functions.container_operations import CONTAINERS
from transforms.lambda_functions.control_operations import CONTROL
from transforms.lambda_functions.frame import Frame, Operation
from transforms.lambda_functions.instructions import Instruction, decode
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.value_operations import VALUES
from transforms.lambda_functions.values import Cell, Function, Items, Malformed, Value

#: Every operation of the interpreter, by the name that instructions have for it.
OPERATIONS: Mapping[str, Operation] = {**VALUES, **CONTAINERS, **CONTROL, **CALLS}

_GENERATOR = 0x20


class Interpreter:
    """Interprets the functions of one file, as one version of Python.

    Args:
        version: of the bytecode.
        trace: records the steps.
    """

    def __init__(self, version: str, trace: Trace) -> None:
        self.version = version
        self.trace = trace
        self.line = 0
        self._decoded: dict[int, tuple[Instruction, ...]] = {}

    def call(self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        """Calls a function; returns its result, or all values that a generator yields.

        Raises Refused for functions that are not translated, Malformed if the code is not of this version.
        """
        self.trace.enter()
        variables = {name: Cell(value) for name, value in bind_parameters(function, args, kwargs).items()}
        frame = Frame(self, {**variables, **function.closure})
        if function.code.flags & _GENERATOR:
            frame.yielded = []
        result = self._run(frame, self._instructions(function.code))
        self.trace.leave()
        return result if frame.yielded is None else Items(frame.yielded)

    def _instructions(self, code: Code) -> tuple[Instruction, ...]:
        if id(code) not in self._decoded:
            try:
                self._decoded[id(code)] = decode(code, self.version)
            except Unreadable as error:
                raise Malformed(str(error)) from error
        return self._decoded[id(code)]

    def _run(self, frame: Frame, instructions: tuple[Instruction, ...]) -> Value:
        place = 0
        while 0 <= place < len(instructions):
            self.trace.tick()
            step = instructions[place]
            self.line = step.line
            if step.operation == "return":
                return frame.pop()
            target = OPERATIONS[step.operation](frame, step.argument)
            place = place + 1 if target is None else target
        raise Malformed("code that ends without a return")
