"""One call of a function while it is interpreted: its variables and its stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import Cell, Malformed, Value

if TYPE_CHECKING:
    from transforms.lambda_functions.interpreter import Interpreter


@dataclass
class Frame:
    """One call of a function.

    Attributes:
        machine: the interpreter.
        variables: local and free variables by name.
        stack: of values; see the operations.
        blocks: targets of `break` in Python up to 3.7, with the height of the stack there.
        yielded: values that a generator has yielded; None in other functions.
        line: of the current instruction.
    """

    machine: Interpreter
    variables: dict[str, Cell]
    stack: list[Value] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    yielded: list[Value] | None = None
    line: int = 0

    @property
    def trace(self) -> Trace:
        """The record of steps."""
        return self.machine.trace

    def pop(self) -> Value:
        """Removes and returns the value on top, which counts against the budget with all that it contains."""
        if not self.stack:
            raise Malformed("an empty stack")
        self.trace.use(self.stack[-1])
        return self.stack.pop()

    def pop_many(self, count: int) -> list[Value]:
        """Removes and returns so many values from the top, in the order in which they were pushed."""
        if not 0 <= count <= len(self.stack):
            raise Malformed("an empty stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        self.trace.use(taken)
        return taken

    def peek(self, depth: int) -> Value:
        """The value at a depth, 1 on top."""
        if not 1 <= depth <= len(self.stack):
            raise Malformed("an empty stack")
        return self.stack[-depth]

    def push(self, value: Value) -> None:
        """Pushes a value, which counts against the budget."""
        self.trace.spend(value)
        self.stack.append(value)

    def variable(self, name: str) -> Cell:
        """A variable's cell, empty if it is new."""
        return self.variables.setdefault(name, Cell(empty=True))


#: An operation: the frame and the argument, to the next instruction or None.
Operation: TypeAlias = Callable[[Frame, Any], "int | None"]
