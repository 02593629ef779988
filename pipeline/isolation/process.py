"""Confined child processes: a crash, a hang or exhausted memory in one affects a single model.

Hostile files are parsed, and TensorFlow is run, only there. The child is a new interpreter (not a fork, which
TensorFlow and Beam's threads do not survive), serves many models because importing TensorFlow takes seconds, and
answers with plain records of declared types.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from pipeline.isolation.environment import child_command, child_environment, refuse_foreign_packages
from pipeline.isolation.failures import ChildErrors
from pipeline.isolation.machine import address_space_of
from pipeline.isolation.messages import (
    Answered,
    Ask,
    Confinement,
    Done,
    Failed,
    Failure,
    FromChild,
    FromParent,
    MessageError,
    Ready,
    Refused,
    Task,
    Value,
    encode,
    read_from_child,
    read_value,
    value_of,
)
from pipeline.isolation.pipes import FrameError, open_pipe, receive_until, send_until
from pipeline.isolation.policy import Isolation
from pipeline.isolation.strays import end_strays
from transforms.errors import MigrationError
from transforms.platform.system_calls import resident_memory

#: Importing TensorFlow from a cold disk on a busy machine takes most of this.
_START_SECONDS = 180.0
#: Grace period after a child closed its pipe, to learn its exit status.
_DEATH_SECONDS = 5.0
_ERROR_TEXT_BYTES = 8192
#: Children of this process that were started here.
_started_here: set[int] = set()


@dataclass
class _Running:
    """A running child.

    Attributes:
        process: it.
        requests, answers: the parent's ends of the pipes.
        log: what the child prints, on both streams.
        started: when, by the monotonic clock.
        memory_bytes: its limit.
        memory_bounded: whether the system enforces it.
        ready: whether it has reported `Ready`.
        served: number of models sent to it.
    """

    process: subprocess.Popen[bytes]
    requests: io.FileIO
    answers: io.FileIO
    log: IO[bytes]
    started: float
    memory_bytes: int
    memory_bounded: bool = True
    ready: bool = False
    served: int = 0

    def printed(self) -> int:
        """Number of bytes in the log so far."""
        return os.fstat(self.log.fileno()).st_size

    def last_words(self, start: int) -> str:
        """The last line printed after `start` bytes of its log."""
        end = self.printed()
        start = max(start, end - _ERROR_TEXT_BYTES)
        lines = os.pread(self.log.fileno(), end - start, start).decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class ConfinedProcess:
    """One child process at a time, started when first needed and restarted after each failure."""

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self._errors = ChildErrors(isolation)
        self._running: _Running | None = None

    def start(self) -> None:
        """Starts the process without waiting for it, so that its imports overlap with other work.

        Raises:
            MigrationError: it cannot be started.
        """
        self._started()

    def call(
        self,
        function: str,
        *arguments: object,
        returns: Any = Any,
        answering: Callable[[Any], Any] | None = None,
        question: Any = Any,
        same_model: bool = False,
    ) -> Any:
        """Runs "module:name" in the child.

        Args:
            function: resolved by name in the child.
            arguments: plain values or records, of the types that the function declares.
            returns: type of the result: of plain values, one record or a union of several.
            answering: answers the function's questions. The function then receives, as its last argument, a function
                that asks them (`pipeline.isolation.worker.Questions.ask`).
            question: type of the questions.
            same_model: the call concerns the model of the previous one, which the child keeps open.

        Raises:
            MigrationError: a refusal by the function or by `answering`; or `timeout`, `crashed`,
                `out_of_memory`, `internal_error`.
        """
        if not same_model and self._running is not None and self._running.served >= self._isolation.models_per_child:
            self.close()
        task = Task(function, tuple(map(value_of, arguments)), self._isolation.timeout, answering is not None)
        child = self._started()
        self._await_ready(child)
        errors_from = child.printed()
        child.served += not same_model
        deadline = time.monotonic() + task.seconds
        answer = self._exchange(child, task, deadline, errors_from)
        while isinstance(answer, Ask) and answering is not None:
            reply = _reply(answering, self._accepted(answer.question, question))
            answer = self._exchange(child, reply, deadline, errors_from)
        match answer:
            case Done(value=value):
                return self._accepted(value, returns)
            case Refused() as refused:
                raise refused.error()
            case Failed(failure=failure, text=text):
                if failure is Failure.OUT_OF_MEMORY:
                    self.close()
                raise self._errors.failed(failure, text)
        raise self._unacceptable(f"{type(answer).__name__} is none")

    @property
    def memory_bounded(self) -> bool:
        """Whether the system limits the memory of the child that was called; otherwise its parent watches it."""
        return self._running is None or self._running.memory_bounded

    def kill(self) -> None:
        """Kills the process, from any thread or a signal handler; a caller waiting for its answer gets an error."""
        running = self._running
        if running is not None and running.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kills the child immediately; it has no state to save."""
        running = self._running
        if running is None:
            return
        self.kill()
        running.process.wait()
        _started_here.discard(running.process.pid)
        for stream in (running.requests, running.answers, running.log):
            stream.close()
        self._running = None

    def close_with_strays(self) -> int:
        """Ends the child, and what it left behind, where this process adopts orphans; how many that were."""
        bound = self._isolation.memory_bytes or address_space_of(self._isolation.workers)
        self.close()
        return end_strays(bound, _started_here)

    def _started(self) -> _Running:
        if self._running is None or self._running.process.poll() is not None:
            self.close()
            self._running = _launch(self._isolation)
        return self._running

    def _await_ready(self, child: _Running) -> None:
        if child.ready:
            return
        try:
            if not isinstance(answer := self._answer(child, child.started + _START_SECONDS, 0), Ready):
                raise self._unacceptable(f"{type(answer).__name__} comes too early")
        except MigrationError as error:
            raise self._errors.not_started(error) from error
        child.ready, child.memory_bounded = True, answer.memory_bounded

    def _exchange(self, child: _Running, request: FromParent, deadline: float, errors_from: int) -> FromChild:
        """Sends a request and waits for its answer; kills the child if none comes."""
        try:
            send_until(child.requests, encode(request), deadline)
        except TimeoutError:
            raise self._timeout() from None
        except BrokenPipeError:
            raise self._death(child, errors_from) from None
        return self._answer(child, deadline, errors_from)

    def _answer(self, child: _Running, deadline: float, errors_from: int) -> FromChild:
        try:
            watch = None if child.memory_bounded else partial(self._refuse_excess, child)
            return read_from_child(receive_until(child.answers, deadline, watch))
        except TimeoutError:
            raise self._timeout() from None
        except EOFError:
            raise self._death(child, errors_from) from None
        except (FrameError, MessageError) as error:
            raise self._unacceptable(error) from error

    def _refuse_excess(self, child: _Running) -> None:
        """Kills a child that exceeds its memory limit, if the system does not enforce it."""
        held = resident_memory(child.process.pid)
        if held is not None and held > child.memory_bytes:
            self.close()
            raise self._errors.held_too_much(held)

    def _accepted(self, value: Value, kind: Any) -> Any:
        """Decodes a value that the child sent; kills the child if it is of another type."""
        try:
            return read_value(value, kind)
        except MessageError as error:
            raise self._unacceptable(error) from error

    def _unacceptable(self, why: object) -> MigrationError:
        self.close()
        return self._errors.unacceptable(why)

    def _timeout(self) -> MigrationError:
        self.close()
        return self._errors.timed_out()

    def _death(self, child: _Running, errors_from: int) -> MigrationError:
        """The error for a child that died by itself, or closed its pipe without exiting."""
        try:
            code = child.process.wait(_DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            self.close()
            return self._errors.went_silent()
        last_words = child.last_words(errors_from)
        self.close()
        return self._errors.died(code, last_words)


def _launch(isolation: Isolation) -> _Running:
    """Starts a child and sends it its limits. Raises MigrationError if it would import other packages than these."""
    refuse_foreign_packages(isolation.role)
    request_end, requests = open_pipe(child_reads=True)
    answer_end, answers = open_pipe(child_reads=False)
    log = tempfile.TemporaryFile()  # noqa: SIM115, closed with the child
    try:
        process = subprocess.Popen(
            child_command(request_end, answer_end),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=child_environment(isolation.workers),
            pass_fds=(request_end, answer_end),
            start_new_session=True,
            cwd="/",
        )
        _started_here.add(process.pid)
    finally:
        os.close(request_end)
        os.close(answer_end)
    memory = isolation.memory_bytes or address_space_of(isolation.workers)
    child = _Running(process, requests, answers, log, time.monotonic(), memory)
    confinement = Confinement(memory, isolation.file_bytes, isolation.preload)
    with contextlib.suppress(BrokenPipeError, TimeoutError):  # The caller waiting for the child gets the error.
        send_until(requests, encode(confinement), child.started + _START_SECONDS)
    return child


def _reply(answering: Callable[[Any], Any], question: Any) -> Answered | Refused:
    """The answer to a child's question, or a refusal."""
    try:
        return Answered(value_of(answering(question)))
    except MigrationError as error:
        return Refused.of(error)
