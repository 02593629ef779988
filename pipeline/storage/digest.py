"""Hashes local files; an unchanged file is hashed only once."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from transforms.limits import DEFAULT_LIMITS, Limits, over_budget
from transforms.records.file_identity import FileIdentity
from transforms.source.file import hash_file, not_regular

#: As for arrays that are compressed in a source (`Limits.inflated_bytes`).
_INFLATION = 100


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, or a checkpoint, which is several.

    Attributes:
        path: absolute; of a checkpoint its prefix.
        sha256: hex digest; of a checkpoint the combined digest of all its files (`combined_digest`).
        size: bytes, of all files.
        identity: of a file that was hashed in place; None for a fetched copy and for a checkpoint.
    """

    path: Path
    sha256: str
    size: int
    identity: FileIdentity | None = None


def digest_file(path: Path, limits: Limits, limit: str, hashed: LocalFile | None = None) -> LocalFile:
    """Hashes a local file, unless it is unchanged since it was hashed.

    Args:
        path: the file, or a link to it.
        limits: the budget in force.
        limit: the field of `limits` that bounds this file.
        hashed: the earlier result.

    Raises:
        OSError: it is missing or unreadable.
        MigrationError: `over_budget`; `unsafe_storage` for a FIFO, a device or a folder, which is not read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise not_regular(f"file {path}")
        check_size(str(path), status.st_size, limits, limit)
        if is_sparse(status, limits):
            raise over_budget(f"{path} is sparse and says {status.st_size:,} bytes", "inflated_bytes", limits)
        identity = FileIdentity.of(status)
        if hashed is not None and hashed.identity == identity:
            return hashed
        digest = hash_file(descriptor)
        still = FileIdentity.of(os.fstat(descriptor)) == identity
        return LocalFile(path, digest, status.st_size, identity if still else None)
    finally:
        os.close(descriptor)


def is_sparse(status: os.stat_result, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether a file's size exceeds its blocks on disk by so much that it must not be read.

    A few bytes on disk can represent a terabyte of zeros; the bound is that of compressed arrays.
    """
    return status.st_size > limits.inflated_bytes and status.st_blocks * 512 * _INFLATION < status.st_size


def check_size(path: str, size: int, limits: Limits, limit: str) -> None:
    """Raises MigrationError `over_budget` if a file is larger than the field `limit` of `limits`."""
    if size > getattr(limits, limit):
        raise over_budget(f"{path} holds {size:,} bytes", limit, limits)
