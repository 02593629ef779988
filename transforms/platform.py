"""What an operating system offers, and what is done where it does not: nothing else here tells Linux from macOS.

| asked for | Linux | elsewhere |
|---|---|---|
| CPUs of this process | its affinity mask | all CPUs |
| a bound on a process's memory | RLIMIT_AS | none that binds: the parent looks at what is resident |
| a bound on one call's memory | RLIMIT_AS above `/proc/self/statm` | none: the bound of the process has to do |
| two folders swapped in one step | `renameat2` | `renameatx_np` (macOS), else two renames |
| a lock that dies with its process | `flock` | none: as on file systems without locks |
| room kept on a disk | `posix_fallocate` | zeros are written |
| data on the disk | `fsync` | `F_FULLFSYNC` (macOS), for `fsync` reaches the drive's memory only |
| a hint to read ahead | `posix_fadvise` | none |
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import resource
from pathlib import Path

try:
    import fcntl as _fcntl
except ImportError:
    _fcntl = None  # type: ignore[assignment]

#: `RENAME_EXCHANGE` of Linux and `RENAME_SWAP` of macOS.
_SWAP = 2
_BLOCK = bytes(1 << 20)


def usable_cpus() -> tuple[int, str]:
    """How many CPUs this process may run on, and from where that is known."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)), "affinity mask"
    return os.cpu_count() or 1, "CPUs of the machine"


def physical_memory() -> int:
    """Bytes of the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def address_space() -> int | None:
    """Bytes that this process has mapped, None where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            return int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def resident_memory(process: int) -> int | None:
    """Bytes of memory that a process holds; None where it is gone or the system does not tell."""
    import psutil

    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return None


def limit(kind: int, size: int) -> None:
    """Sets one of `resource.RLIMIT_*` for good, or the limit in force where that is lower.

    A system that does not take it leaves this process unbounded: see `is_memory_bounded`.
    """
    _, hard = resource.getrlimit(kind)
    ceiling = size if hard == resource.RLIM_INFINITY else min(size, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (ceiling, ceiling))


def is_memory_bounded(size: int) -> bool:
    """Whether this process is refused `size` bytes of memory. They are asked for and not touched."""
    try:
        mmap.mmap(-1, size).close()
    except (OSError, ValueError, OverflowError):
        return True
    return False


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
    """Locks an open file or folder until it is closed, by this process or by its death.

    Raises:
        BlockingIOError: another process holds it, and `wait` is False.
        OSError: there are no locks here.
    """
    if _fcntl is None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    kind = _fcntl.LOCK_SH if shared else _fcntl.LOCK_EX
    _fcntl.flock(descriptor, kind if wait else kind | _fcntl.LOCK_NB)


def exchange(first_folder: int, first: str, second_folder: int, second: str) -> bool:
    """Swaps two names, each in an open folder, in one step: a reader finds one or the other at each, never neither.

    False where the system or the file system cannot: nothing was done then. Raises FileNotFoundError when one is not
    there.
    """
    library = ctypes.CDLL(None, use_errno=True)
    rename = getattr(library, "renameat2", None) or getattr(library, "renameatx_np", None)
    if rename is None:
        return False
    done = bool(rename(first_folder, os.fsencode(first), second_folder, os.fsencode(second), _SWAP) == 0)
    if not done and ctypes.get_errno() == errno.ENOENT:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), second)
    return done


def folds_case(path: Path) -> bool:
    """Whether names that differ in case alone mean one file where a path is, or where it will be made.

    Nothing is written for it: the nearest folder that is there, and has letters in its name, is looked for under the
    name with their case changed.
    """
    for each in (path, *path.parents):
        other = each.with_name(each.name.swapcase()) if each.name else each
        if other != each and each.exists():
            return other.exists() and other.samefile(each)
    return False


def reserve(descriptor: int, size: int) -> None:
    """Makes an empty file `size` bytes long, with room for them on the disk. Raises OSError when there is none."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    while size > 0:
        size -= os.write(descriptor, _BLOCK[:size])


def flush(descriptor: int) -> None:
    """Waits until a file or folder is on the disk. Raises OSError when the disk refuses."""
    whole = getattr(_fcntl, "F_FULLFSYNC", None)
    if whole is not None and _fcntl is not None:
        with contextlib.suppress(OSError):  # file systems of other machines do not know it
            _fcntl.fcntl(descriptor, whole)
            return
    os.fsync(descriptor)


def read_ahead(descriptor: int, offset: int, size: int) -> None:
    """Says that these bytes are wanted soon."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_WILLNEED)
