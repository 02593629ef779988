"""Folders that a living process holds: made and locked in one go, so that others can tell them from leftovers."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from pipeline.storage.regular_file import open_folder
from transforms.platform.system_calls import lock

#: How often a folder that another process sweeps is made again.
ATTEMPTS = 5
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LockState(Enum):
    """Whether a living process holds a folder."""

    HELD = "held"
    FREE = "free"
    UNKNOWN = "unknown"


def make_locked_folder(names: Iterator[Path], root: Path, *, private: bool = False) -> tuple[Path, int]:
    """Makes a folder and locks it. Another process may sweep it between these two steps, so it is tried again.

    Args:
        names: the path of each attempt; parents are made.
        root: the folder that no path may lead out of.
        private: other users cannot look into the folder, and one that exists already is not taken.

    Returns:
        The folder and its descriptor, which holds the lock until it is closed.

    Raises:
        OSError: the folder cannot be made, or is removed at each attempt.
    """
    folder = root
    for _, folder in zip(range(ATTEMPTS), names, strict=False):
        with contextlib.suppress(FileNotFoundError), open_folder(folder.parent, root, make=True) as beside:
            with contextlib.suppress(*(() if private else (FileExistsError,))):
                os.mkdir(folder.name, 0o700 if private else 0o777, dir_fd=beside)
            held = os.open(folder.name, _FOLDER, dir_fd=beside)
            with contextlib.suppress(OSError):  # A file system without locks: its leftovers cannot be distinguished.
                lock(held)
            if is_at(folder, held):
                return folder, held
            os.close(held)
    raise OSError(errno.EBUSY, "is removed by another process again and again", str(folder))


def is_at(path: Path, descriptor: int) -> bool:
    """Whether `path` still leads to the opened file or folder."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def lock_state(folder: Path) -> LockState:
    """Whether a living process holds a folder."""
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError:
        return LockState.UNKNOWN
    try:
        lock(descriptor)
    except BlockingIOError:
        return LockState.HELD
    except OSError:
        return LockState.UNKNOWN
    finally:
        os.close(descriptor)
    return LockState.FREE
