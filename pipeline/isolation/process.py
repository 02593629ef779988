"""A child process that may crash, hang or run out of memory at the cost of one model.

Hostile files are parsed and TensorFlow is run only there. The child is a fresh interpreter (not a fork: TensorFlow
and Beam's threads do not survive one), lives for many models because importing TensorFlow takes seconds, and
answers with plain records, which are unpickled through an allowlist.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from pipeline.isolation.messages import open_pipe, receive_until, send_until
from pipeline.isolation.record_types import check_fields
from pipeline.isolation.worker import Confinement, Task
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, GIB

#: Importing TensorFlow from a cold disk on a busy machine takes most of this.
_START_SECONDS = 180.0
_START_ADVICE = "Check the installation, and that --memory-limit leaves room for TensorFlow."
#: For a child that hung up to end by itself, so that its status can be told.
_DEATH_SECONDS = 5.0
_ERROR_TEXT_BYTES = 8192
_PARENT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")


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
        answering: Callable[[Any], Any] | None = None,
        same_model: bool = False,
    ) -> Any:
        """Runs "module:name" in the child.

        Args:
            function: resolved by name in the child.
            arguments: plain records.
            same_model: the call goes on with the model of the last one, which the child keeps open.
            answering: answers what the function asks back; the function then gets, as its last argument, what asks
                (`pipeline.isolation.worker.Questions.ask`).

        Raises:
            MigrationError: the function's own refusal or that of `answering`; or `timeout`, `crashed`,
                `out_of_memory`, `internal_error`.
        """
        if not same_model and self._served >= self._isolation.models_per_child:
            self.close()
        self.start()
        self._await_ready()
        errors_from = os.fstat(self._log.fileno()).st_size
        self._served += not same_model
        task = Task(function, arguments, self._isolation.timeout, asks=answering is not None)
        deadline = time.monotonic() + task.seconds
        word, value = self._exchange(task, deadline, errors_from)
        while word == "ask" and answering is not None:
            word, value = self._exchange(_reply(answering, value), deadline, errors_from)
        if word == "memory":
            self.close()
        if word == "done":
            return value
        raise _failure(word, value)

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
                [sys.executable, "-P", "-m", "pipeline.isolation.worker", str(request_end), str(answer_end)],
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
        memory = self._isolation.memory_bytes or _share_of_memory(self._isolation.workers)
        confinement = Confinement(memory, self._isolation.file_bytes, self._isolation.preload)
        self._started = time.monotonic()
        with contextlib.suppress(BrokenPipeError, TimeoutError):  # Whoever waits for the child is told.
            send_until(self._requests, confinement, self._started + _START_SECONDS)

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            self._answer(self._started + _START_SECONDS, 0)
        except MigrationError as error:
            raise MigrationError(
                error.reason, f"The converting process did not start: {error.message}", advice=_START_ADVICE
            ) from error
        self._ready = True

    def _exchange(self, request: object, deadline: float, errors_from: int) -> tuple[str, Any]:
        """Sends a request and waits for its answer; the child does not outlive a missing one."""
        try:
            send_until(self._requests, request, deadline)
        except TimeoutError:
            raise self._timeout() from None
        except BrokenPipeError:
            raise self._death(errors_from) from None
        return self._answer(deadline, errors_from)

    def _answer(self, deadline: float, errors_from: int) -> tuple[str, Any]:
        try:
            word, value = receive_until(self._answers, deadline)
            check_fields(value)
        except TimeoutError:
            raise self._timeout() from None
        except EOFError:
            raise self._death(errors_from) from None
        except (pickle.UnpicklingError, TypeError, ValueError) as error:
            self.close()
            raise MigrationError(
                Reason.INTERNAL_ERROR, f"The child's answer was not accepted: {error}", advice="Please report it."
            ) from error
        return word, value

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


def child_environment(workers: int) -> dict[str, str]:
    """The child's whole environment: no credentials, no GPU, no HDF5 plug-ins, and its share of the cores."""
    threads = str(max(1, len(os.sched_getaffinity(0)) // max(1, workers)))
    kept = {name: os.environ[name] for name in _PARENT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "HDF5_PLUGIN_PRELOAD": "::",
        "HDF5_PLUGIN_PATH": os.devnull,
        "HDF5_USE_FILE_LOCKING": "FALSE",
    }


def _reply(answering: Callable[[Any], Any], question: Any) -> tuple[str, Any]:
    """The answer to a child's question, or the refusal that takes its place."""
    try:
        return "told", answering(question)
    except MigrationError as error:
        return "refused", error


def _share_of_memory(workers: int) -> int:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(4 * GIB, machine * 4 // 5 // max(1, workers))


def _tail(log: IO[bytes], start: int) -> str:
    end = os.fstat(log.fileno()).st_size
    start = max(start, end - _ERROR_TEXT_BYTES)
    lines = os.pread(log.fileno(), end - start, start).decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _failure(word: str, value: Any) -> MigrationError:
    """What to raise for an answer other than `done`."""
    if word == "refused" and isinstance(value, MigrationError):
        return value
    if word == "memory":
        return _out_of_memory(f"The model needs more memory than the child may use ({value or 'MemoryError'})")
    if word == "io":
        return MigrationError(
            Reason.OUTPUT_ERROR,
            f"A file could not be read or written: {value}",
            advice="Check the disk, then run again.",
        )
    return MigrationError(
        Reason.INTERNAL_ERROR, f"The child met an unexpected error: {value}", advice="Please report it."
    )


def _out_of_memory(message: str) -> MigrationError:
    return MigrationError(
        Reason.OUT_OF_MEMORY, message, advice="Raise --memory-limit, use fewer workers, or a machine with more memory."
    )
