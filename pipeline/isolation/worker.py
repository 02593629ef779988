"""The child's side of `pipeline.isolation.process`: limits itself, then runs the functions that it is asked to run.

Started as `python -P -m pipeline.isolation.worker REQUESTS ANSWERS` with two pipe descriptors. The first request is a
`Confinement`, each later one a `Task`; each answer is a pair of a word and a value: `ready`, `done` (the function's
result), `refused` (a MigrationError), or with a text as value `memory`, `io` or `broken`. While a task runs the child
may send `ask` with a question and go on; the next request is then a pair of `told` and the answer, or of `refused` and
a MigrationError.
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
from dataclasses import dataclass
from typing import Any

from pipeline.isolation.messages import receive, send
from transforms.errors import MigrationError, Reason

_ORPHAN_CHECK_SECONDS = 1.0
_UNWANTED = ("pandas",)
#: Beyond the parent's own deadline, so that this limit only ever ends a child that lost its parent.
_CPU_GRACE_SECONDS = 60


@dataclass(frozen=True)
class Confinement:
    """What the child limits itself to before it imports anything heavy.

    Attributes:
        memory_bytes: address space, 0 for no limit.
        file_bytes: size of a file it may write, 0 for no limit.
        preload: modules to import before it reports `ready`.
    """

    memory_bytes: int = 0
    file_bytes: int = 0
    preload: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """One call.

    Attributes:
        function: "module:name" of the function.
        arguments: its positional arguments.
        seconds: the wall clock that the parent allows.
        asks: whether the function takes, as its last argument, a function that asks the parent; what that returns
            waits for the answer.
    """

    function: str
    arguments: tuple[Any, ...]
    seconds: float
    asks: bool = False


def named_function(name: str) -> Callable[..., Any]:
    """The function called "module:name"."""
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def confine(confinement: Confinement) -> None:
    """Applies the limits to this process, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_AS, confinement.memory_bytes)
    _limit(resource.RLIMIT_FSIZE, confinement.file_bytes)


def preload(modules: Iterable[str]) -> None:
    """Imports modules for as long as the process lives, in two thirds of the time: TensorFlow makes many objects.

    tf-keras takes pandas' tables where there are any, and imports it for that alone; here there are none.
    """
    gc.disable()
    unwanted = [name for name in _UNWANTED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unwanted))  # type: ignore[arg-type]  # None makes an import of it fail
    try:
        for module in modules:
            importlib.import_module(module)
    finally:
        for name in unwanted:
            del sys.modules[name]  # custom code may want it
        gc.freeze()  # what was imported stays: no later collection needs to look at it again
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
        self._open: list[tuple[str, Any]] | None = None

    def ask(self, question: Any) -> Callable[[], Any]:
        """Sends a question. What it returns waits for the answer; it raises the MigrationError of a refusal."""
        self.settle()
        reply: list[tuple[str, Any]] = []
        self._open = reply
        send(self._answers, ("ask", question))

        def answer_to_it() -> Any:
            if not reply:
                self.settle()
            word, value = reply[0]
            if word == "refused":
                raise value
            return value

        return answer_to_it

    def settle(self) -> None:
        """Waits for the answer that is still to come, if any."""
        if self._open is not None:
            reply, self._open = self._open, None
            nobody = "refused", MigrationError(Reason.CRASHED, "Nobody answers any more")
            reply.append(receive(self._requests) or nobody)


def answer(task: Task, ask: Callable[[Any], Callable[[], Any]]) -> tuple[str, Any]:
    """Runs a task and says how it went; only death and the parent's patience end it otherwise."""
    _limit_cpu(task.seconds)
    try:
        return "done", named_function(task.function)(*task.arguments, *((ask,) if task.asks else ()))
    except MigrationError as error:
        return "refused", error
    except MemoryError as error:
        return "memory", str(error)
    except OSError as error:
        return "io", str(error)
    except Exception as error:  # The boundary of the process: whatever else went wrong is reported as text.
        traceback.print_exc()
        return "broken", "".join(traceback.format_exception_only(error)).strip()


def serve(requests: io.FileIO, answers: io.FileIO) -> None:
    """Answers requests until the parent hangs up."""
    confinement = receive(requests)
    confine(confinement)
    preload(confinement.preload)
    send(answers, ("ready", os.getpid()))

    questions = Questions(requests, answers)
    while (task := receive(requests)) is not None:
        answered = answer(task, questions.ask)
        questions.settle()
        send(answers, answered)


def _limit(kind: int, size: int) -> None:
    if size:
        _, hard = resource.getrlimit(kind)
        ceiling = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


def _limit_cpu(seconds: float) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    allowed = int(time.process_time() + seconds * (os.cpu_count() or 1)) + _CPU_GRACE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (allowed if hard == resource.RLIM_INFINITY else min(allowed, hard), hard))


def _leave_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_ORPHAN_CHECK_SECONDS)
    os._exit(1)


def main() -> None:
    """Serves the two descriptors given on the command line."""
    threading.Thread(target=_leave_when_orphaned, args=(os.getppid(),), daemon=True).start()
    with (
        io.FileIO(int(sys.argv[1]), "r") as requests,
        io.FileIO(int(sys.argv[2]), "w") as answers,
        contextlib.suppress(BrokenPipeError),
    ):
        serve(requests, answers)


if __name__ == "__main__":
    main()
