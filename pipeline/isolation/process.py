"""A child process that may crash, hang or run out of memory at the cost of one model.

Hostile files are parsed and TensorFlow is run only there. The child is a fresh interpreter (not a fork: TensorFlow
and Beam's threads do not survive one), lives for many models because importing TensorFlow takes seconds, and
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
from transforms.errors import MigrationError
from transforms.platform import resident_memory

#: Importing TensorFlow from a cold disk on a busy machine takes most of this.
_START_SECONDS = 180.0
#: Grace period after a child closed its pipe, to learn its exit status.
_DEATH_SECONDS = 5.0
_ERROR_TEXT_BYTES = 8192


@dataclass
class _Running:
    """A child that was started.

    Attributes:
        process: it.
        requests, answers: the parent's ends of the pipes.
        log: what the child prints, on both streams.
        started: when, by the monotonic clock.
        memory_bytes: what it may hold.
        memory_bounded: whether the system sees to that.
        ready: whether it has said that it is.
        served: models that it was given.
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
        """Bytes in the log so far."""
        return os.fstat(self.log.fileno()).st_size

    def last_words(self, start: int) -> str:
        """The last line that it printed after `start` bytes of its log."""
        end = self.printed()
        start = max(start, end - _ERROR_TEXT_BYTES)
        lines = os.pread(self.log.fileno(), end - start, start).decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class ConfinedProcess:
    """One child process at a time, started when first needed and again after each death."""

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
            answering: answers what the function asks back; the function then gets, as its last argument, what asks
                (`pipeline.isolation.worker.Questions.ask`).
            question: type of what it asks.
            same_model: the call goes on with the model of the last one, which the child keeps open.

        Raises:
            MigrationError: the function's own refusal or that of `answering`; or `timeout`, `crashed`,
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
        """Whether the system bounds the memory of the child that was called; else its parent watches it."""
        return self._running is None or self._running.memory_bounded

    def kill(self) -> None:
        """Ends the process, from any thread or a signal handler; a caller that waits for its answer gets an error."""
        running = self._running
        if running is not None and running.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the child at once; there is nothing in it to save."""
        running = self._running
        if running is None:
            return
        self.kill()
        running.process.wait()
        for stream in (running.requests, running.answers, running.log):
            stream.close()
        self._running = None

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
        """Sends a request and waits for its answer; the child does not outlive a missing one."""
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
        """Ends a child that holds more memory than it may, where the system does not bound it."""
        held = resident_memory(child.process.pid)
        if held is not None and held > child.memory_bytes:
            self.close()
            raise self._errors.held_too_much(held)

    def _accepted(self, value: Value, kind: Any) -> Any:
        """A value that the child sent; the child does not outlive one of another type."""
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
        """What to say of a child that died by itself, or closed its pipe without dying."""
        try:
            code = child.process.wait(_DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            self.close()
            return self._errors.went_silent()
        last_words = child.last_words(errors_from)
        self.close()
        return self._errors.died(code, last_words)


def _launch(isolation: Isolation) -> _Running:
    """Starts a child and tells it its limits. Raises MigrationError when it would import other packages than these."""
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
    finally:
        os.close(request_end)
        os.close(answer_end)
    memory = isolation.memory_bytes or address_space_of(isolation.workers)
    child = _Running(process, requests, answers, log, time.monotonic(), memory)
    confinement = Confinement(memory, isolation.file_bytes, isolation.preload)
    with contextlib.suppress(BrokenPipeError, TimeoutError):  # Whoever waits for the child is told.
        send_until(requests, encode(confinement), child.started + _START_SECONDS)
    return child


def _reply(answering: Callable[[Any], Any], question: Any) -> Answered | Refused:
    """The answer to a child's question, or the refusal that takes its place."""
    try:
        return Answered(value_of(answering(question)))
    except MigrationError as error:
        return Refused.of(error)
