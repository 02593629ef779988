"""The pool of process pairs for this process's threads: started early, and only as many as the work repays.

Importing TensorFlow takes seconds. So the first pair starts when the first candidate is found, while others are still
being inspected, and a further one when the known work would occupy it for longer than its start takes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.coordination.run_folder import Stop
from pipeline.coordination.stop import leave_signals_to_launcher
from pipeline.isolation.process import ConfinedProcess
from pipeline.settings import MigrateSettings
from transforms.errors import MigrationError

#: Approximate seconds on one core (measured by scripts/benchmark.py): starting a pair, tracing an architecture, a model
#: of a traced one, a gigabyte.
_START, _ARCHITECTURE, _MODEL, _GIGABYTE = 6.0, 1.0, 0.035, 5.0
_STOP_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class ProcessPair:
    """The processes with which one thread converts.

    Attributes:
        converter: parses sources and writes artefacts.
        verifier: loads artefacts; it never parses a source.
        io_threads: hash and fsync artefacts while they are verified.
    """

    converter: ConfinedProcess
    verifier: ConfinedProcess
    io_threads: ThreadPoolExecutor

    @classmethod
    def started(cls, settings: MigrateSettings) -> ProcessPair:
        """A pair whose processes are starting: their imports overlap."""
        pair = cls(ConfinedProcess(settings.converting), ConfinedProcess(settings.verifying), ThreadPoolExecutor(2))
        with contextlib.suppress(MigrationError):  # The next call starts them again and gets the error.
            pair.converter.start()
            pair.verifier.start()
        return pair

    def close(self) -> None:
        """Ends the processes."""
        self.converter.close()
        self.verifier.close()
        self.io_threads.shutdown()


class ConverterPool:
    """The process pairs of one run in one process.

    Args:
        settings: of the run; `isolation.workers` is the maximum number of pairs.
    """

    def __init__(self, settings: MigrateSettings) -> None:
        self._settings = settings
        self._most = max(1, settings.threads)
        self.threads = ThreadPoolExecutor(self._most, "h5ferry-row")
        self._idle: list[ProcessPair] = []
        self._all: list[ProcessPair] = []
        self._readers: list[ConfinedProcess] = []
        self._idle_readers: list[ConfinedProcess] = []
        self._architectures: set[str] = set()
        self._seconds = 0.0
        self._changed = threading.Condition()
        self._closed = threading.Event()
        if settings.folder:
            leave_signals_to_launcher(settings.folder)
            threading.Thread(target=self._drop_when_stopped, daemon=True).start()

    def start(self) -> None:
        """Starts the first pair before there is work for it."""
        with self._changed:
            if not self._all:
                self._add()

    def expect(self, architecture: str, source_bytes: int) -> None:
        """Announces that a model is going to be converted."""
        with self._changed:
            known = bool(architecture) and architecture in self._architectures
            self._architectures.add(architecture)
            self._seconds += _MODEL + (0 if known else _ARCHITECTURE) + source_bytes / (1 << 30) * _GIGABYTE
            if len(self._all) < min(self._most, 1 + self._seconds // _START):
                self._add()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[ProcessPair]:
        """Lends a pair to this thread; waits while all pairs that the work repays are in use."""
        with self._changed:
            if not self._all:
                self._add()
            self._changed.wait_for(lambda: self._idle)
            pair = self._idle.pop()
        try:
            yield pair
        finally:
            with self._changed:
                self._idle.append(pair)
                self._changed.notify()

    @contextlib.contextmanager
    def reader(self) -> Iterator[ConfinedProcess]:
        """A process for this thread that inspects sources."""
        with self._changed:
            child = self._idle_readers.pop() if self._idle_readers else self._new_reader()
        try:
            yield child
        finally:
            with self._changed:
                self._idle_readers.append(child)

    def drop(self) -> None:
        """Kills all processes with their work; called from a signal handler, so it waits for none."""
        for pair in tuple(self._all):
            pair.converter.kill()
            pair.verifier.kill()
        for reader in tuple(self._readers):
            reader.kill()

    def close(self) -> None:
        """Ends all processes."""
        self._closed.set()
        self.threads.shutdown(cancel_futures=True)
        with self._changed:
            while self._all:
                self._all.pop().close()
            while self._readers:
                self._readers.pop().close()
            self._idle.clear()
            self._idle_readers.clear()

    def _drop_when_stopped(self) -> None:
        """Drops the work after a stop request: the signal may have gone to another process, or come during a start."""
        while not self._closed.wait(_STOP_POLL_SECONDS):
            if self._settings.folder.stop_requested() is Stop.INTERRUPTED:
                self.drop()

    def _new_reader(self) -> ConfinedProcess:
        child = ConfinedProcess(self._settings.inspecting)
        self._readers.append(child)
        return child

    def _add(self) -> None:
        pair = ProcessPair.started(self._settings)
        self._all.append(pair)
        self._idle.append(pair)
        self._changed.notify()


_pools: dict[str, tuple[ConverterPool, int]] = {}
_pools_lock = threading.Lock()


@contextlib.contextmanager
def joined_pool(settings: MigrateSettings) -> Iterator[ConverterPool]:
    """The pool of this run in this process, while the context lasts."""
    try:
        yield join_pool(settings)
    finally:
        leave_pool(settings)


def join_pool(settings: MigrateSettings) -> ConverterPool:
    """The pool of this run in this process; every call needs a `leave_pool`."""
    with _pools_lock:
        pool, users = _pools.get(settings.attempt) or (ConverterPool(settings), 0)
        _pools[settings.attempt] = (pool, users + 1)
        return pool


def drop_work(settings: MigrateSettings) -> None:
    """Drops the work of this process's pool of the run, if there is one."""
    joined = _pools.get(settings.attempt)
    if joined is not None:
        joined[0].drop()


def leave_pool(settings: MigrateSettings) -> None:
    """Leaves the pool; the last call ends the processes."""
    with _pools_lock:
        pool, users = _pools.pop(settings.attempt)
        if users > 1:
            _pools[settings.attempt] = (pool, users - 1)
            return
    pool.close()
