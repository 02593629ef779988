"""Early end of a run: the operator stops it, or the output's disk is full.

The first process to notice writes a stop request into the run's folder, which every local worker reads before each
row. Rows that were not reached are reported as such.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from pipeline.coordination.run_folder import RunFolder, Stop
from pipeline.storage.durable_file import NEW_FILE
from pipeline.storage.paths import is_remote
from transforms.errors import MigrationError, Reason
from transforms.platform.system_calls import reserve

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_PROBE = ".h5ferry-probe"
_PROBE_BYTES = 1 << 20
_RESERVE = ".h5ferry-reserve.part"
_RESERVED_BYTES = 1 << 20
_RESERVED_BYTES_PER_ROW = 1 << 12
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def not_reached(why: Stop) -> MigrationError:
    """The error of a row that a stopped run did not finish."""
    if why is Stop.INTERRUPTED:
        return MigrationError(
            Reason.INTERRUPTED, "The run was stopped before this model was published", advice="Run it again."
        )
    return MigrationError(
        Reason.OUTPUT_ERROR,
        "The disk of the output was full before this model was reached",
        advice="Make room, then run again: what was published stays.",
    )


def output_is_full(output: str) -> bool:
    """Whether a local output has less than a megabyte free, tested by writing one."""
    if is_remote(output):
        return False
    probe = Path(output, _PROBE)
    try:
        probe.unlink(missing_ok=True)
        with os.fdopen(os.open(probe, NEW_FILE, 0o600), "wb", buffering=0) as stream:
            written = stream.write(bytes(_PROBE_BYTES))
        return written < _PROBE_BYTES
    except OSError as error:
        return error.errno in _FULL
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


@contextlib.contextmanager
def reserved_space(folder: Path, rows: int) -> Iterator[None]:
    """Reserves disk space for the report of so many rows in its local folder, and frees it before the report is
    written.

    Raises:
        OSError: there is not enough space.
    """
    if is_remote(str(folder)):
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    held = folder / _RESERVE
    try:
        held.unlink(missing_ok=True)
        with os.fdopen(os.open(held, NEW_FILE, 0o600), "wb") as stream:
            reserve(stream.fileno(), _RESERVED_BYTES + rows * _RESERVED_BYTES_PER_ROW)
        yield
    finally:
        held.unlink(missing_ok=True)


@contextlib.contextmanager
def stopped_by_signals(folder: RunFolder, drop: Callable[[], None]) -> Iterator[list[int]]:
    """While the context lasts, SIGINT and SIGTERM stop the run instead of the program; a second one stops the program.

    Args:
        folder: of the run.
        drop: ends the work in progress; called from the signal handler.

    Yields:
        The signals received.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {number: signal.getsignal(number) for number in _STOPPING}
    folder.enter_launcher()

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)
        folder.request_stop(Stop.INTERRUPTED)
        drop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_signals_to_launcher(folder: RunFolder) -> None:
    """Makes a worker process ignore the signals that stop a run; the launcher handles them.

    Terminals and service managers signal all processes of a program, but a worker must finish and report its rows.
    """
    launcher = folder.launcher()
    if launcher is None:
        return
    if launcher != os.getpid():
        set_handler = ctypes.CDLL(None).signal  # Python's own works only in the main thread, which is Beam's.
        set_handler.argtypes, set_handler.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
        for number in _STOPPING:
            set_handler(number, int(signal.SIG_IGN))
