"""Opens source files for all readers: regular files, hashed, unchanged while they are read."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits, over_budget
from transforms.platform.system_calls import read_ahead
from transforms.records.file_identity import FileIdentity

_BLOCK = 1 << 20
#: Read-ahead in bytes, a multiple of the block.
_AHEAD = 8 << 20


@dataclass(frozen=True)
class SourceDigest:
    """SHA-256 (hex) and size in bytes of an opened file."""

    sha256: str
    size: int


def open_regular(path: Path, what: str = "source") -> int:
    """Opens a read-only descriptor of a regular file. Raises MigrationError `source_missing`, `unsafe_storage`.

    Args:
        path: the file, or a link to it.
        what: its name in messages.
    """
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
    except OSError as error:
        raise MigrationError(
            Reason.SOURCE_MISSING,
            f"The {what} cannot be opened: {error.strerror}",
            advice="Check the path in the manifest and the file's permissions.",
        ) from error
    raise not_regular(what)


def not_regular(what: str) -> MigrationError:
    """The error for a FIFO, a device or a folder in place of a file."""
    return MigrationError(Reason.UNSAFE_STORAGE, f"The {what} is not a regular file", advice="Point the row at a file.")


def read_regular(path: Path, what: str, limits: Limits, limit: str) -> bytes:
    """Reads a file that belongs to a source.

    Args:
        path: the file, or a link to it.
        what: its name in messages.
        limits: the budget in force.
        limit: the field of `limits` that bounds this file.

    Raises:
        MigrationError: as `open_regular`; `over_budget`.
    """
    most = getattr(limits, limit)
    with open(open_regular(path, what), "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        data = b"" if size > most else stream.read(most + 1)
    if size > most or len(data) > most:
        raise over_budget(f"The {what} holds {max(size, len(data)):,} bytes", limit, limits)
    return data


def hash_file(descriptor: int) -> str:
    """SHA-256 (hex) of the whole open file. The disk reads ahead while blocks are hashed."""
    digest, offset = hashlib.sha256(), 0
    size = os.fstat(descriptor).st_size
    block = memoryview(bytearray(max(1, min(size, _BLOCK))))
    while read := os.preadv(descriptor, [block], offset):
        digest.update(block[:read])
        offset += read
        if offset % _AHEAD == 0:
            read_ahead(descriptor, offset + _AHEAD, _AHEAD)
    return digest.hexdigest()


def refuse_size(size: int, limits: Limits) -> None:
    """Raises MigrationError `over_budget` if a source is larger than the limit `file_bytes`."""
    if size > limits.file_bytes:
        raise over_budget(f"The file holds {size:,} bytes", "file_bytes", limits)


def refuse_other_digest(digest: SourceDigest, expected: str) -> None:
    """Raises MigrationError `digest_mismatch` if a digest is expected (not "") and this one differs."""
    if expected and digest.sha256 != expected.lower():
        raise MigrationError(
            Reason.DIGEST_MISMATCH,
            f"The source has SHA-256 {digest.sha256}, the manifest expects {expected.lower()}",
            advice="The file was altered or damaged: restore it, or correct the manifest.",
        )


def refuse_change(before: os.stat_result, after: os.stat_result) -> None:
    """Raises MigrationError `source_missing` if an open file has changed since it was opened."""
    if FileIdentity.of(before) != FileIdentity.of(after):
        raise MigrationError(
            Reason.SOURCE_MISSING, "The source changed while it was read", advice="Run again when it no longer changes."
        )
