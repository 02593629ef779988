"""A source file as every reader opens it: a regular file, hashed, and at rest while it is read."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits, over_budget
from transforms.platform import read_ahead
from transforms.records.file_identity import FileIdentity

_BLOCK = 1 << 20
#: A multiple of the block: so much is asked of the disk, so far ahead.
_AHEAD = 8 << 20


@dataclass(frozen=True)
class SourceDigest:
    """SHA-256 (hex) and size in bytes of what was opened."""

    sha256: str
    size: int


def open_regular(path: Path, what: str = "source") -> int:
    """A read-only descriptor of a regular file. Raises MigrationError `source_missing`, `unsafe_storage`.

    Args:
        path: may be a link to it.
        what: names it in messages.
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
    """The refusal of a FIFO, a device or a folder where a file is meant."""
    return MigrationError(Reason.UNSAFE_STORAGE, f"The {what} is not a regular file", advice="Point the row at a file.")


def read_regular(path: Path, what: str, limits: Limits, limit: str) -> bytes:
    """The content of a file that belongs to a source.

    Args:
        path: may be a link to it.
        what: names it in messages.
        limits: the budget in force.
        limit: the field of it that bounds this file.

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
    """SHA-256 (hex) of the whole open file. The disk is kept at work while blocks are hashed."""
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
    """Raises MigrationError `over_budget` when a source is larger than the limit `file_bytes`."""
    if size > limits.file_bytes:
        raise over_budget(f"The file holds {size:,} bytes", "file_bytes", limits)


def refuse_other_digest(digest: SourceDigest, expected: str) -> None:
    """Raises MigrationError `digest_mismatch` when a digest is expected (not "") and this is another."""
    if expected and digest.sha256 != expected.lower():
        raise MigrationError(
            Reason.DIGEST_MISMATCH,
            f"The source has SHA-256 {digest.sha256}, the manifest expects {expected.lower()}",
            advice="The file was altered or damaged: restore it, or correct the manifest.",
        )


def refuse_change(before: os.stat_result, after: os.stat_result) -> None:
    """Raises MigrationError `source_missing` when an open file changed between two looks at it."""
    if FileIdentity.of(before) != FileIdentity.of(after):
        raise MigrationError(
            Reason.SOURCE_MISSING, "The source changed while it was read", advice="Run again when it is at rest."
        )
