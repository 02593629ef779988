"""A child process that may crash, hang or run out of memory at the cost of one model.

Hostile files are parsed and TensorFlow is run only there. The child is a fresh interpreter (not a fork: TensorFlow
and Beam's threads do not survive one), lives for many models because importing TensorFlow takes seconds, and
answers with plain records of declared types.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from pipeline.isolation.environment import child_command, child_environment
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
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, GIB
from transforms.platform import resident_memory

#: Importing TensorFlow from a cold disk on a busy machine takes most of this.
_START_SECONDS = 180.0
_START_ADVICE = "Check the installation, and that --memory-limit leaves room for TensorFlow."
#: For a child that hung up to end by itself, so that its status can be told.
_DEATH_SECONDS = 5.0
_ERROR_TEXT_BYTES = 8192


@dataclass(frozen=True)
class Isolation:
    """How children are kept.

    Attributes:
        timeout: wall-clock seconds for one model.
        memory_bytes: address space of a child; 0 for its share of four fifths of the machine.
        file_bytes: size of one file it may write.
        models_per_child: a child is replaced after so many.
        workers: children that share the machine, for the default memory and the thread counts.
        preload: modules imported before the first model's clock starts.
    """

    timeout: float = 600.0
    memory_bytes: int = 0
    file_bytes: int = DEFAULT_LIMITS.weight_bytes + GIB
    models_per_child: int = 1000
    workers: int = 1
    preload: tuple[str, ...] = ()


class ConfinedProcess:
    """One child process at a time, started when first needed and again after each death."""

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self._process: subprocess.Popen[bytes] | None = None
        self._served = 0
        self._ready = False
        self._started = 0.0

    def start(self) -> None:
        """Starts the process without waiting for it, so that its imports overlap with other work.

        Raises:
            MigrationError: it cannot be started.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()

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
        if not same_model and self._served >= self._isolation.models_per_child:
            self.close()
        task = Task(function, tuple(map(value_of, arguments)), self._isolation.timeout, answering is not None)
        self.start()
        self._await_ready()
        errors_from = os.fstat(self._log.fileno()).st_size
        self._served += not same_model
        deadline = time.monotonic() + task.seconds
        answer = self._exchange(task, deadline, errors_from)
        while isinstance(answer, Ask) and answering is not None:
            reply = _reply(answering, self._accepted(answer.question, question))
            answer = self._exchange(reply, deadline, errors_from)
        match answer:
            case Done(value=value):
                return self._accepted(value, returns)
            case Refused() as refused:
                raise refused.error()
            case Failed(failure=failure, text=text):
                if failure is Failure.OUT_OF_MEMORY:
                    self.close()
                raise _failure(failure, text)
        raise self._unacceptable(f"{type(answer).__name__} is none")

    def kill(self) -> None:
        """Ends the process, from any thread or a signal handler; whoever waits for its answer is told of its death."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the child at once; there is nothing in it to save."""
        if self._process is None:
            return
        self.kill()
        self._process.wait()
        for stream in (self._requests, self._answers, self._log):
            stream.close()
        self._process = None

    def _start(self) -> None:
        self.close()
        request_end, self._requests = open_pipe(child_reads=True)
        answer_end, self._answers = open_pipe(child_reads=False)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed with the child
        try:
            self._process = subprocess.Popen(
                child_command(request_end, answer_end),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=child_environment(self._isolation.workers),
                pass_fds=(request_end, answer_end),
                start_new_session=True,
                cwd="/",
            )
        finally:
            os.close(request_end)
            os.close(answer_end)
        self._served = 0
        self._ready = False
        self._memory_bounded = True
        self._memory_bytes = self._isolation.memory_bytes or address_space_of(self._isolation.workers)
        confinement = Confinement(self._memory_bytes, self._isolation.file_bytes, self._isolation.preload)
        self._started = time.monotonic()
        with contextlib.suppress(BrokenPipeError, TimeoutError):  # Whoever waits for the child is told.
            send_until(self._requests, encode(confinement), self._started + _START_SECONDS)

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            if not isinstance(answer := self._answer(self._started + _START_SECONDS, 0), Ready):
                raise self._unacceptable(f"{type(answer).__name__} comes too early")
        except MigrationError as error:
            raise MigrationError(
                error.reason, f"The converting process did not start: {error.message}", advice=_START_ADVICE
            ) from error
        self._ready, self._memory_bounded = True, answer.memory_bounded

    def _exchange(self, request: FromParent, deadline: float, errors_from: int) -> FromChild:
        """Sends a request and waits for its answer; the child does not outlive a missing one."""
        try:
            send_until(self._requests, encode(request), deadline)
        except TimeoutError:
            raise self._timeout() from None
        except BrokenPipeError:
            raise self._death(errors_from) from None
        return self._answer(deadline, errors_from)

    def _answer(self, deadline: float, errors_from: int) -> FromChild:
        try:
            watch = None if self._memory_bounded else self._refuse_excess
            return read_from_child(receive_until(self._answers, deadline, watch))
        except TimeoutError:
            raise self._timeout() from None
        except EOFError:
            raise self._death(errors_from) from None
        except (FrameError, MessageError) as error:
            raise self._unacceptable(error) from error

    def _refuse_excess(self) -> None:
        """Ends a child that holds more memory than it may, where the system does not bound it."""
        assert self._process is not None
        held = resident_memory(self._process.pid)
        if held is not None and held > self._memory_bytes:
            self.close()
            raise _out_of_memory(f"The child held {held / GIB:.1f} GiB of memory, more than it may")

    def _accepted(self, value: Value, kind: Any) -> Any:
        """A value that the child sent; the child does not outlive one of another type."""
        try:
            return read_value(value, kind)
        except MessageError as error:
            raise self._unacceptable(error) from error

    def _unacceptable(self, why: object) -> MigrationError:
        self.close()
        return MigrationError(
            Reason.INTERNAL_ERROR, f"The child's answer was not accepted: {why}", advice="Please report it."
        )

    def _timeout(self) -> MigrationError:
        self.close()
        return MigrationError(
            Reason.TIMEOUT,
            f"The model took more than {self._isolation.timeout:g} seconds and was stopped",
            advice="Give it more with --timeout, or leave it out.",
        )

    def _death(self, errors_from: int) -> MigrationError:
        """What to say of a child that died by itself, or hung up without dying."""
        assert self._process is not None
        try:
            code = self._process.wait(_DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            self.close()
            return MigrationError(
                Reason.CRASHED, "The converting process hung up, and was ended", advice="Please report it."
            )
        last_words = _tail(self._log, errors_from)
        self.close()
        if code == -signal.SIGKILL:
            return _out_of_memory("The converting process was killed, as the system does when memory runs out")
        if "bad_alloc" in last_words or "MemoryError" in last_words:
            return _out_of_memory("The converting process could not get the memory it needed")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        said = f", saying: {last_words[-200:]}" if last_words else ""
        return MigrationError(
            Reason.CRASHED,
            f"The converting process died ({how}){said}",
            advice="The file may be damaged: fetch it again, or run h5ferry inspect on it.",
        )


def _reply(answering: Callable[[Any], Any], question: Any) -> Answered | Refused:
    """The answer to a child's question, or the refusal that takes its place."""
    try:
        return Answered(value_of(answering(question)))
    except MigrationError as error:
        return Refused.of(error)


def _tail(log: IO[bytes], start: int) -> str:
    end = os.fstat(log.fileno()).st_size
    start = max(start, end - _ERROR_TEXT_BYTES)
    lines = os.pread(log.fileno(), end - start, start).decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _failure(failure: Failure, text: str) -> MigrationError:
    """What to raise where the function itself raised something unforeseen."""
    if failure is Failure.OUT_OF_MEMORY:
        return _out_of_memory(f"The model needs more memory than the child may use ({text or 'MemoryError'})")
    if failure is Failure.FILE_ERROR:
        return MigrationError(
            Reason.OUTPUT_ERROR,
            f"A file could not be read or written: {text}",
            advice="Check the disk, then run again.",
        )
    return MigrationError(
        Reason.INTERNAL_ERROR, f"The child met an unexpected error: {text}", advice="Please report it."
    )


def _out_of_memory(message: str) -> MigrationError:
    return MigrationError(
        Reason.OUT_OF_MEMORY, message, advice="Raise --memory-limit, use fewer workers, or a machine with more memory."
    )
