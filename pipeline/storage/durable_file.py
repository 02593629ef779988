"""Atomic writing of small files: to a local path by a rename, to an object store in one write."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pipeline.storage.paths import is_remote
from pipeline.storage.regular_file import open_folder, read_regular
from transforms.platform.system_calls import flush

PART = ".part"
#: Flags of `os.open` for a file that must not exist yet.
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_file(path: str, data: bytes, root: Path | None = None) -> None:
    """Writes `data` to a local path, making its folder, or to a URL of a Beam file system.

    After return a local file survives a loss of power; a reader finds the old or the new content. A link in its place
    is replaced, never followed.

    Args:
        path: local path or URL.
        data: the complete content.
        root: no folder between it and a local file may be a link; None trusts the path.

    Raises:
        OSError: it cannot be written; the old file is unchanged.
    """
    if is_remote(path):
        from apache_beam.io.filesystem import CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as sink:
            sink.write(data)
        return
    target = Path(path)
    part = f".{target.name}{PART}"
    with open_folder(target.parent, root, make=True) as folder:
        with contextlib.suppress(FileNotFoundError):  # A leftover of a killed run, or a link.
            os.unlink(part, dir_fd=folder)
        with os.fdopen(os.open(part, NEW_FILE, 0o666, dir_fd=folder), "wb") as stream:
            stream.write(data)
            stream.flush()
            flush(stream.fileno())
        _replace(part, target.name, folder)
        flush(folder)


def _replace(part: str, name: str, folder: int) -> None:
    os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def remove_file(path: str) -> None:
    """Removes a local file or an object, if it exists. Raises OSError if it cannot be removed."""
    if not is_remote(path):
        Path(path).unlink(missing_ok=True)
        return
    from apache_beam.io.filesystems import FileSystems

    if FileSystems.exists(path):
        FileSystems.delete([path])


def write_through(path: Path, flags: int = 0) -> None:
    """Writes a file or folder through to the disk (fsync). Raises OSError if that fails, or for a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | flags)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: str, most_bytes: int, root: Path | None = None) -> bytes | None:
    """The content of a local file or an object, None if there is none.

    Args:
        path: local path or URL.
        most_bytes: maximum size.
        root: no folder between it and a local file may be a link; None trusts the path.

    Raises:
        OSError: it cannot be read, is not a regular file or is larger.
    """
    if is_remote(path):
        from apache_beam.io.filesystem import CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        if not FileSystems.exists(path):
            return None
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            data = bytes(stream.read(most_bytes + 1))
        if len(data) > most_bytes:
            raise OSError(f"{path} has more than {most_bytes:,} bytes")
        return data
    try:
        return read_regular(Path(path), most_bytes, root)
    except FileNotFoundError:
        return None
