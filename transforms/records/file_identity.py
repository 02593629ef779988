"""Detects whether a file changed since it was hashed."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class FileIdentity:
    """What changes when a file is replaced or written to, on one machine.

    The time of the last change of the inode (nanoseconds) is the kernel's: no program sets it back.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        """The identity that `os.stat` or `os.fstat` found."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
