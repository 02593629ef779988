"""Small files, written whole or not at all: to a local path by an atomic rename, to an object store in one write."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pipeline.storage.paths import is_remote
from pipeline.storage.regular_file import open_folder, read_regular
from transforms.platform import flush

PART = ".part"
#: Flags of `os.open` for a file that nobody else has put there.
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_file(path: str, data: bytes, root: Path | None = None) -> None:
    """Writes `data` to a local path, whose folder is made, or to a URL of a Beam file system.

    A local file lasts through a loss of power once this returns, and a reader finds the old or the new content. A
    link in its place is replaced, never followed.

    Args:
        path: local path or URL.
        data: the whole content.
        root: no folder between it and a local file may be a link; None trusts the path.

    Raises:
        OSError: it cannot be written; what was there is there still.
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
        with contextlib.suppress(FileNotFoundError):  # A killed run left it, or somebody put a link there.
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
    """Removes a local file or an object, if it is there. Raises OSError when it cannot be removed."""
    if not is_remote(path):
        Path(path).unlink(missing_ok=True)
        return
    from apache_beam.io.filesystems import FileSystems

    if FileSystems.exists(path):
        FileSystems.delete([path])


def write_through(path: Path, flags: int = 0) -> None:
    """Waits until a file or folder is on the disk. Raises OSError when the disk refuses, or for a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | flags)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: str, most_bytes: int, root: Path | None = None) -> bytes | None:
    """The content of a local file or an object, None when there is none.

    Args:
        path: local path or URL.
        most_bytes: of what is admitted.
        root: no folder between it and a local file may be a link; None trusts the path.

    Raises:
        OSError: it cannot be read, is no regular file or is larger.
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
