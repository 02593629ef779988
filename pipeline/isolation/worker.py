"""The child's side of `pipeline.isolation.process`: sets its limits, then runs the requested functions.

Started by `pipeline.isolation.environment.child_command` with two pipe descriptors for the messages of
`pipeline.isolation.messages`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any, get_type_hints

from pipeline.isolation.messages import (
    Answered,
    Ask,
    Confinement,
    Done,
    Failed,
    Failure,
    FromChild,
    FromParent,
    Ready,
    Refused,
    Task,
    encode,
    read_from_parent,
    read_value,
    value_of,
)
from pipeline.isolation.pipes import receive, send
from transforms.errors import MigrationError, Reason
from transforms.platform.system_calls import give_up_other_processes, hide_memory, is_memory_bounded, limit

_ORPHAN_CHECK_SECONDS = 1.0
_UNWANTED = ("pandas",)
#: Beyond the parent's deadline, so that this limit ends only a child whose parent is gone.
_CPU_GRACE_SECONDS = 60


def named_function(name: str) -> Callable[..., Any]:
    """The function called "module:name"."""
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def confine(confinement: Confinement) -> bool:
    """Applies the limits to this process, irrevocably. Returns whether the system enforces the memory limit."""
    limit(resource.RLIMIT_CORE, 0)
    if confinement.file_bytes:
        limit(resource.RLIMIT_FSIZE, confinement.file_bytes)
    if not confinement.memory_bytes:
        return True
    limit(resource.RLIMIT_AS, confinement.memory_bytes)
    return is_memory_bounded(confinement.memory_bytes)


def preload(modules: Iterable[str]) -> None:
    """Imports modules with garbage collection off, which saves a third of the time: TensorFlow creates many objects.

    tf-keras imports pandas only to accept its tables, of which there are none here.
    """
    gc.disable()
    unwanted = [name for name in _UNWANTED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unwanted))  # type: ignore[arg-type]  # None makes an import of it fail
    try:
        for module in modules:
            importlib.import_module(module)
    finally:
        for name in unwanted:
            del sys.modules[name]  # custom code may import it
        gc.freeze()  # imported objects live until the end: later collections need not traverse them
        gc.enable()


class Questions:
    """Asks the parent, one question at a time, without waiting for its answer.

    Args:
        requests: where answers come from.
        answers: where questions go.
    """

    def __init__(self, requests: io.FileIO, answers: io.FileIO) -> None:
        self._requests = requests
        self._answers = answers
        self._open: PendingAnswer | None = None

    def ask(self, question: Any, kind: Any = Any) -> PendingAnswer:
        """Sends a question.

        Args:
            question: a record or a plain value.
            kind: type of the answer.
        """
        self.settle()
        self._open = PendingAnswer(self, kind)
        send(self._answers, encode(Ask(value_of(question))))
        return self._open

    def settle(self) -> None:
        """Waits for the outstanding answer, if any."""
        if self._open is not None:
            pending, self._open = self._open, None
            pending.reply = _next(self._requests)


class PendingAnswer:
    """An answer that may not have arrived yet.

    Args:
        questions: sender of the question and receiver of the answer.
        kind: its type.
    """

    def __init__(self, questions: Questions, kind: Any) -> None:
        self._questions = questions
        self._kind = kind
        self.reply: FromParent | None = None

    def result(self) -> Any:
        """Waits for the answer. Raises the MigrationError of a refusal."""
        if self.reply is None:
            self._questions.settle()
        match self.reply:
            case Answered(value=value):
                return read_value(value, self._kind)
            case Refused() as refused:
                raise refused.error()
        raise MigrationError(Reason.CRASHED, "The parent process no longer answers")


def answer(task: Task, ask: Callable[..., PendingAnswer]) -> FromChild:
    """Runs a task and returns its result or failure; it can otherwise end only by a crash or the parent's timeout."""
    _limit_cpu(task.seconds)
    try:
        function = named_function(task.function)
        arguments = _arguments(task, function)
        result = function(*arguments, ask) if task.asks else function(*arguments)
        return Done(value_of(result))
    except MigrationError as error:
        return Refused.of(error)
    except RecursionError:
        deep = MigrationError(
            Reason.OVER_BUDGET,
            "The model is too deep: layers follow each other, or objects hold each other, over too many levels",
            advice="Split the model, or report it if it is genuine.",
        )
        return Refused.of(deep)
    except MemoryError as error:
        return Failed.of(Failure.OUT_OF_MEMORY, str(error))
    except OSError as error:
        return Failed.of(Failure.FILE_ERROR, str(error))
    except Exception as error:  # The boundary of the process: any other exception is reported as text.
        traceback.print_exc()
        return Failed.of(Failure.UNEXPECTED, "".join(traceback.format_exception_only(error)).strip())


def serve(requests: io.FileIO, answers: io.FileIO) -> None:
    """Answers requests until the parent closes the pipe."""
    confinement = _next(requests)
    if not isinstance(confinement, Confinement):
        return
    memory_bounded = confine(confinement)
    preload(confinement.preload)
    send(answers, encode(Ready(memory_bounded)))

    questions = Questions(requests, answers)
    while isinstance(task := _next(requests), Task):
        answered = answer(task, questions.ask)
        questions.settle()
        send(answers, encode(answered))


def _next(requests: io.FileIO) -> FromParent | None:
    """The parent's next message; None if it closed the pipe."""
    frame = receive(requests)
    return None if frame is None else read_from_parent(frame)


def _arguments(task: Task, function: Callable[..., Any]) -> list[Any]:
    """Decodes a task's arguments as the types that the function declares; as plain values if it declares none."""
    hints = get_type_hints(function)
    names = signature(function).parameters if task.arguments else ()
    return [read_value(value, hints.get(name, Any)) for value, name in zip(task.arguments, names, strict=False)]


def _limit_cpu(seconds: float) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    allowed = int(time.process_time() + seconds * (os.cpu_count() or 1)) + _CPU_GRACE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (allowed if hard == resource.RLIM_INFINITY else min(allowed, hard), hard))


def _leave_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_ORPHAN_CHECK_SECONDS)
    os._exit(1)


def main() -> None:
    """Serves requests over the two descriptors given on the command line.

    Code in the converting process reaches the memory of neither the verifying nor the launching process.
    """
    hide_memory()
    give_up_other_processes()
    threading.Thread(target=_leave_when_orphaned, args=(os.getppid(),), daemon=True).start()
    with (
        io.FileIO(int(sys.argv[1]), "r") as requests,
        io.FileIO(int(sys.argv[2]), "w") as answers,
        contextlib.suppress(BrokenPipeError),
    ):
        serve(requests, answers)


if __name__ == "__main__":
    main()
