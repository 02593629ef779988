"""Small files, written whole or not at all: to a local path by an atomic rename, to an object store in one write."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.storage.paths import is_remote

PART = ".part"


def write_file(path: str, data: bytes) -> None:
    """Writes `data` to a local path, whose folder is made, or to a URL of a Beam file system.

    A local file lasts through a loss of power once this returns, and a reader finds the old or the new content.

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
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}{PART}")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(target)
    write_through(target.parent, os.O_DIRECTORY)


def write_through(path: Path, flags: int = 0) -> None:
    """Waits until a file or folder is on the disk. Raises OSError when the disk refuses, or for a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: str) -> bytes | None:
    """The content of a local file or an object, None when there is none.

    Raises:
        OSError: it cannot be read.
    """
    if is_remote(path):
        from apache_beam.io.filesystem import CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        if not FileSystems.exists(path):
            return None
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            return bytes(stream.read())
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None
