"""Hashes a local file, once for as long as it stays the same."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from transforms.errors import MigrationError, Reason
from transforms.records.file_identity import FileIdentity
from transforms.source.file import hash_file


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, or a checkpoint, which is several.

    Attributes:
        path: absolute; of a checkpoint its prefix.
        sha256: hex digest, "" for something that is not a regular file (whoever opens it refuses it); of a checkpoint
            the combined digest of all its files (`combined_digest`).
        size: bytes, of all files.
        identity: of the file that was hashed where it lies; None for a fetched copy, and for a checkpoint.
    """

    path: Path
    sha256: str
    size: int
    identity: FileIdentity | None = None


def digest_file(path: Path, max_bytes: int, hashed: LocalFile | None = None) -> LocalFile:
    """Hashes a local file, unless it is still the one that was hashed before.

    FIFOs and devices are left unread, so that nothing can block here.

    Raises:
        OSError: it is missing or unreadable.
        MigrationError: `over_budget`.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return LocalFile(path, "", 0)
        _check_size(str(path), status.st_size, max_bytes)
        identity = FileIdentity.of(status)
        if hashed is not None and hashed.identity == identity:
            return hashed
        digest = hash_file(descriptor)
        still = FileIdentity.of(os.fstat(descriptor)) == identity
        return LocalFile(path, digest, status.st_size, identity if still else None)
    finally:
        os.close(descriptor)


def _check_size(path: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise MigrationError(
            Reason.OVER_BUDGET,
            f"{path} has more than {max_bytes} bytes",
            advice="Raise --max-file-size if it is to be trusted.",
        )
