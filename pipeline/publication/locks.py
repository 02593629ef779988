"""The lock of a local output, for one run at a time; it names its holder.

The lock is the kernel's (`flock`), so that a killed run holds none; the file `_h5ferry/lock` names the holder for
people and is removed with the lock. Publishing is safe without the lock: two concurrent runs end with the same
artefacts. But they would do the work twice, and their reports would mention each other's outputs.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.publication.layout import LOCK, RESERVED
from pipeline.publication.locked_folders import is_at
from pipeline.storage.regular_file import open_folder, open_regular, read_regular
from transforms.platform.system_calls import lock

_POLL_SECONDS = 0.1
#: A process that only queries the holder takes the lock briefly; a run waits this long before it is refused.
_GRACE_SECONDS = 0.3
_TEXT_BYTES = 4096


class OutputInUseError(Exception):
    """Another run holds the output."""


@dataclass(frozen=True)
class Holder:
    """The holder of a lock: process, machine, run, and start (UTC, ISO 8601)."""

    pid: int
    host: str
    run_id: str
    since: str

    def __str__(self) -> str:
        return f"run {self.run_id} (process {self.pid} on {self.host}, since {self.since})"


@contextlib.contextmanager
def output_lock(
    output: Path, run_id: str, wait: float, warn: Callable[[str], None], tell: Callable[[str], None]
) -> Iterator[None]:
    """Locks the output while the context lasts.

    Args:
        output: folder, made if needed.
        run_id: of the run that takes the lock.
        wait: seconds to wait for another run to end.
        warn: called if a file system has no locks; the run continues without.
        tell: called with the holder that the run waits for.

    Raises:
        OutputInUseError: another run holds it; the message names it.
    """
    path = output / RESERVED / LOCK
    try:
        with open_folder(path.parent, output, make=True):
            descriptor = _locked_file(path, wait, tell)
    except OSError as error:
        warn(f"{path} cannot be locked ({error.strerror}): nothing keeps a second run from this output.")
        descriptor = None
    if descriptor is None:
        yield
        return
    try:
        holder = Holder(os.getpid(), socket.gethostname(), run_id, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode() + b"\n", 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def holder_of(output: Path) -> Holder | None:
    """The run that holds a local output now, None if none does. Keeps no lock and writes nothing."""
    path = output / RESERVED / LOCK
    try:
        descriptor = open_regular(path, output)
    except OSError:
        return None
    try:
        lock(descriptor, shared=True)
    except BlockingIOError:
        return _read_holder(path)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _locked_file(path: Path, wait: float, tell: Callable[[str], None]) -> int:
    """Opens and locks the file. Retries if the previous holder removed it between the two steps."""
    start, told = time.monotonic(), wait <= _GRACE_SECONDS
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                raise OSError(errno.EINVAL, "is no plain file", str(path))
            lock(descriptor)
            if is_at(path, descriptor):
                return descriptor
            os.close(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            waited = time.monotonic() - start
            if not told and waited > _GRACE_SECONDS:
                tell(f"Waiting up to {wait:g} seconds for {_read_holder(path) or 'another run'}.")
                told = True
            if waited >= max(wait, _GRACE_SECONDS):
                raise OutputInUseError(
                    f"{path.parents[1]} is in use by {_read_holder(path) or 'another run'}."
                    " Wait for its end (--wait SECONDS), or run beside it with --no-lock."
                ) from None
            time.sleep(_POLL_SECONDS)
        except OSError:
            os.close(descriptor)
            raise


def _read_holder(path: Path) -> Holder | None:
    """The holder that the file names; None while it is being written, or if it names none."""
    try:
        holder = Holder(**json.loads(read_regular(path, _TEXT_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (holder.host, holder.run_id, holder.since)
    return holder if type(holder.pid) is int and all(isinstance(text, str) for text in texts) else None
