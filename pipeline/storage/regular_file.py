"""Opens untrusted paths: only regular files, only below their root, only up to a size.

A link, a FIFO or a device in the place of a file is refused without being opened for reading, so that nothing can
block, and no byte from elsewhere is read or overwritten. Below a root every folder of the path is opened without
following links, one part after the other, so that the checked file is the opened one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from transforms.source.file import hash_file

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BLOCK = 1 << 20


@contextlib.contextmanager
def open_folder(folder: Path, root: Path | None = None, *, make: bool = False) -> Iterator[int]:
    """Opens a descriptor of a folder, for calls that take `dir_fd`.

    Args:
        folder: absolute or relative to the working directory.
        root: no folder below it may be a link; None trusts the whole path.
        make: whether missing folders are made.

    Raises:
        OSError: it is missing, unreadable, or a part below the root is a link or not a folder.
    """
    base = folder if root is None else root
    parts = () if root is None else folder.relative_to(root).parts
    if make:
        refuse_long(folder)
        base.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(base, _FOLDER)
    try:
        walked = base
        for part in parts:
            walked = walked / part
            if part == os.pardir:
                raise OSError(errno.EINVAL, "leads out of its folder", str(folder))
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            inner = _open_part(part, descriptor, walked)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def refuse_long(path: Path) -> None:
    """Raises OSError for a path that is too long for the system, which opening part by part would not notice."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(path)


def open_regular(path: Path, root: Path | None = None) -> int:
    """Opens a regular file for reading; the caller closes the descriptor.

    Raises:
        OSError: it is missing, unreadable, a link or not a regular file, or behind a link below `root`.
    """
    with open_folder(path.parent, root) as folder:
        try:
            descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise _named(error, path) from None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "is no regular file", str(path))


def read_regular(path: Path, most_bytes: int, root: Path | None = None) -> bytes:
    """Reads a regular file.

    Raises:
        OSError: as `open_regular`; EFBIG, it has more than `most_bytes`.
    """
    descriptor = open_regular(path, root)
    try:
        if os.fstat(descriptor).st_size > most_bytes:
            raise OSError(errno.EFBIG, f"has more than {most_bytes:,} bytes", str(path))
        data = bytearray()
        while block := os.read(descriptor, min(_BLOCK, most_bytes + 1 - len(data))):
            data += block
            if len(data) > most_bytes:
                raise OSError(errno.EFBIG, f"has more than {most_bytes:,} bytes", str(path))
        return bytes(data)
    finally:
        os.close(descriptor)


def digest_regular(path: Path, root: Path | None = None) -> tuple[int, str]:
    """Size and SHA-256 (hex) of a regular file. Raises OSError as `open_regular`."""
    descriptor = open_regular(path, root)
    try:
        return os.fstat(descriptor).st_size, hash_file(descriptor)
    finally:
        os.close(descriptor)


def _open_part(part: str, folder: int, path: Path) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        raise _named(error, path) from None


def _named(error: OSError, path: Path) -> OSError:
    """The error with the complete path, and a clearer message than the system's where needed."""
    if error.errno == errno.ELOOP or (error.errno == errno.ENOTDIR and path.is_symlink()):
        return OSError(errno.ELOOP, "is a symbolic link", str(path))
    return OSError(error.errno, error.strerror, str(path))
