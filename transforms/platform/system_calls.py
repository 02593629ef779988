"""Facilities of the operating system and their substitutes; the only module that distinguishes Linux from macOS.

| facility | Linux | elsewhere |
|---|---|---|
| CPUs of this process | its affinity mask | all CPUs |
| a limit on a process's memory | RLIMIT_AS | none enforced: the parent watches resident memory |
| a limit on one call's memory | RLIMIT_AS above `/proc/self/statm` | none: only that of the process |
| atomic exchange of two folders | `renameat2` | `renameatx_np` (macOS), else two renames |
| a lock released when its process dies | `flock` | none: as on file systems without locks |
| reserved disk space | `posix_fallocate` | zeros are written |
| durable data | `fsync` | `F_FULLFSYNC` (macOS), since `fsync` reaches only the drive's cache |
| a hint to read ahead | `posix_fadvise` | none |
| memory that other processes of one's user cannot read | `PR_SET_DUMPABLE` | none |
| orphans that become children of one's own | `PR_SET_CHILD_SUBREAPER` | none |
| no power over other processes, even as root | capabilities | none |
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
#: Of Linux's prctl(2), capabilities(7) and capset(2).
_SET_DUMPABLE, _DROP_FROM_BOUNDING_SET, _SET_CHILD_SUBREAPER = 4, 24, 36
#: What reads the memory of others (since Linux 5.8 CAP_PERFMON and CAP_SYS_ADMIN as well as CAP_SYS_PTRACE), and what
#: raises limits (CAP_SYS_RESOURCE).
_OVER_OTHERS = (19, 21, 24, 38)
_CAPABILITY_VERSION_3 = 0x20080522


def usable_cpus() -> tuple[int, str]:
    """The number of CPUs that this process may use, and the source of the figure."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)), "affinity mask"
    return os.cpu_count() or 1, "CPUs of the machine"


def physical_memory() -> int:
    """Bytes of the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def address_space() -> int | None:
    """Bytes that this process has mapped, None if the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            return int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def resident_memory(process: int) -> int | None:
    """Bytes of resident memory of a process; None if it has ended or the system does not report it."""
    import psutil

    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return None


def limit(kind: int, size: int) -> None:
    """Sets one of `resource.RLIMIT_*` irrevocably, or to the current hard limit if that is lower.

    If the system does not accept it, the process is not limited: see `is_memory_bounded`.
    """
    _, hard = resource.getrlimit(kind)
    ceiling = size if hard == resource.RLIM_INFINITY else min(size, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (ceiling, ceiling))


def is_memory_bounded(size: int) -> bool:
    """Whether this process is refused `size` bytes of memory. They are allocated and not touched."""
    try:
        mmap.mmap(-1, size).close()
    except (OSError, ValueError, OverflowError):
        return True
    return False


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
    """Locks an open file or folder until this process closes it or ends.

    Raises:
        BlockingIOError: another process holds it, and `wait` is False.
        OSError: the file system has no locks.
    """
    if _fcntl is None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    kind = _fcntl.LOCK_SH if shared else _fcntl.LOCK_EX
    _fcntl.flock(descriptor, kind if wait else kind | _fcntl.LOCK_NB)


def exchange(first_folder: int, first: str, second_folder: int, second: str) -> bool:
    """Exchanges two names, each in an open folder, atomically: a reader always finds one of them at each name.

    False if the system or the file system cannot; then nothing was changed. Raises FileNotFoundError if one does not
    exist.
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
    """Whether the file system of an existing or future path ignores case in names.

    Nothing is written: the nearest existing folder with letters in its name is looked up under the name with changed
    case.
    """
    for each in (path, *path.parents):
        other = each.with_name(each.name.swapcase()) if each.name else each
        if other != each and each.exists():
            return other.exists() and other.samefile(each)
    return False


def reserve(descriptor: int, size: int) -> None:
    """Makes a file of `size` zero bytes with reserved disk space. Raises OSError if there is not enough."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    while size > 0:
        size -= os.write(descriptor, _BLOCK[:size])


def flush(descriptor: int) -> None:
    """Writes a file or folder through to the disk. Raises OSError if that fails."""
    whole = getattr(_fcntl, "F_FULLFSYNC", None)
    if whole is not None and _fcntl is not None:
        with contextlib.suppress(OSError):  # network file systems do not support it
            _fcntl.fcntl(descriptor, whole)
            return
    os.fsync(descriptor)


def read_ahead(descriptor: int, offset: int, size: int) -> None:
    """Advises the system that these bytes are read soon."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_WILLNEED)


def hide_memory() -> bool:
    """Makes memory, environment and open files of this process unreadable to others of its user, for good.

    Returns:
        Whether the system did so.
    """
    return _process_control(_SET_DUMPABLE, 0)


def adopt_orphans() -> bool:
    """Makes this process the parent of all descendants whose own parent ended. Returns whether the system did so."""
    return _process_control(_SET_CHILD_SUBREAPER, 1)


def give_up_other_processes() -> None:
    """Takes from this thread, and from all threads and processes that it starts, what root alone may do to others.

    That is to read and change their memory, and to raise its own limits. Who is not root has neither.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "capset"):
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: of capabilities 0 to 31, then of 32 to 63
    if library.capget(header, held) != 0:
        return
    for capability in _OVER_OTHERS:
        _process_control(_DROP_FROM_BOUNDING_SET, capability)  # or the next program that root starts has it again
        for index in range(3):
            held[capability // 32 * 3 + index] &= ~(1 << capability % 32)
    library.capset(header, held)


def _process_control(option: int, value: int) -> bool:
    """Linux's prctl; False where there is none."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    return call is not None and call(option, ctypes.c_ulong(value), *map(ctypes.c_ulong, (0, 0, 0))) == 0
