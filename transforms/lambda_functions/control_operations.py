"""Operations that direct where a function goes on: loops, jumps, blocks, `with`, `yield`; and those that refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.lambda_functions.frame import Frame, Operation
from transforms.lambda_functions.values import (
    Items,
    Malformed,
    Refused,
    Scope,
    bounded,
    items_of,
    kind_of,
    truth,
)


def _iterate(frame: Frame, argument: Any) -> None:
    value = frame.pop()
    frame.push(value if isinstance(value, Items) else Items(items_of(value)))


def _next_or_jump(frame: Frame, target: int) -> int | None:
    iterator = frame.peek(1)
    if not isinstance(iterator, Items):
        raise Malformed("an iterator that is none")
    if iterator.place >= len(iterator.items):
        frame.pop()
        return target
    iterator.place += 1
    frame.push(iterator.items[iterator.place - 1])
    return None


def _jump(frame: Frame, target: int) -> int:
    return target


def _jump_if(wanted: bool, keep: bool = False) -> Operation:
    """Jumps if the value on top is true or false; the value may stay."""

    def operation(frame: Frame, target: int) -> int | None:
        if truth(frame.peek(1)) is not wanted:
            frame.pop()
            return None
        if not keep:
            frame.pop()
        return target

    return operation


def _jump_if_none(wanted: bool) -> Operation:
    return lambda frame, target: target if (frame.pop() is None) is wanted else None


def _push_block(frame: Frame, target: int) -> None:
    frame.blocks.append((target, len(frame.stack)))


def _pop_block(frame: Frame, argument: Any) -> None:
    if frame.blocks:
        frame.blocks.pop()


def _break(frame: Frame, argument: Any) -> int:
    """Python up to 3.7 leaves its loop, whose iterator is just below the block's height or above it."""
    if not frame.blocks:
        raise Malformed("a break outside a loop")
    target, height = frame.blocks.pop()
    del frame.stack[height:]
    return target


def _enter_with(frame: Frame, argument: Any) -> None:
    manager = frame.pop()
    if not isinstance(manager, Scope):
        raise Refused(f"with {kind_of(manager)}")
    frame.push(manager)
    frame.push(manager.name)


def _leave_with(frame: Frame, argument: Any) -> None:
    """The value on top states how the block ended; the manager below it is removed."""
    ended = frame.pop()
    frame.pop()
    frame.push(ended)


def _yield(frame: Frame, argument: Any) -> None:
    value = frame.pop()
    if frame.yielded is None:
        raise Malformed("a yield outside a generator")
    frame.yielded.append(value)
    bounded(frame.yielded)
    frame.push(None)


def _raise(frame: Frame, argument: Any) -> None:
    raise Refused("an exception that the function raises")


def _unknown(frame: Frame, name: str) -> None:
    raise Refused(f"the operation {name} of Python's bytecode")


#: Operations by name.
CONTROL: Mapping[str, Operation] = {
    "iterate": _iterate,
    "next_or_jump": _next_or_jump,
    "jump": _jump,
    "jump_if_true": _jump_if(True),
    "jump_if_false": _jump_if(False),
    "jump_if_true_or_pop": _jump_if(True, keep=True),
    "jump_if_false_or_pop": _jump_if(False, keep=True),
    "jump_if_none": _jump_if_none(True),
    "jump_if_not_none": _jump_if_none(False),
    "push_block": _push_block,
    "pop_block": _pop_block,
    "break": _break,
    "call_finally": lambda frame, target: _unknown(frame, "CALL_FINALLY"),
    "enter_with": _enter_with,
    "leave_with": _leave_with,
    "yield": _yield,
    "raise": _raise,
    "unknown": _unknown,
    "build_set": lambda frame, count: _unknown(frame, "BUILD_SET"),
}
