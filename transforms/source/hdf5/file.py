"""Opens an HDF5 source so that the parsed bytes are the hashed bytes.

Only regular files with the HDF5 signature are opened, read-only, and HDF5 may load no plug-in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # read by HDF5 when it starts: no filter plug-in is ever loaded

import h5py

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.file_identity import FileIdentity
from transforms.source.file import (
    SourceDigest,
    hash_file,
    open_regular,
    refuse_change,
    refuse_other_digest,
    refuse_size,
)
from transforms.source.lookalikes import looks_like

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def open_hdf5(
    path: Path, limits: Limits = DEFAULT_LIMITS, sha256: str = "", hashed: FileIdentity | None = None
) -> Iterator[tuple[h5py.File, SourceDigest]]:
    """Opens an HDF5 file read-only, after hashing it.

    Args:
        path: of the file.
        limits: the budget.
        sha256: expected digest (hex), "" for none.
        hashed: identity of the file already known to have this digest; if it is this file, it is not hashed again.

    Raises:
        MigrationError: `source_missing`, `unsafe_storage` (not a regular file), `over_budget`, `not_hdf5`,
            `digest_mismatch`, `corrupt_h5`; `source_missing` also if the file changed while it was read.
    """
    descriptor = open_regular(path)
    try:
        before = os.fstat(descriptor)
        identity = FileIdentity.of(before)
        refuse_size(before.st_size, limits)
        if _signature_offset(descriptor, before.st_size) is None:
            raise _not_hdf5(descriptor, before.st_size)
        known = sha256.lower() if sha256 and identity == hashed else ""
        digest = SourceDigest(known or hash_file(descriptor), before.st_size)
        refuse_other_digest(digest, sha256)
        with _parse(descriptor) as file:
            yield file, digest
        refuse_change(before, os.fstat(descriptor))
    finally:
        os.close(descriptor)


@contextmanager
def open_unhashed(path: Path) -> Iterator[h5py.File]:
    """Opens an HDF5 file read-only and without hashing, for reading names.

    Raises:
        MigrationError: `source_missing`, `unsafe_storage` (not a regular file), `corrupt_h5`.
    """
    descriptor = open_regular(path)
    try:
        with _parse(descriptor) as file:
            yield file
    finally:
        os.close(descriptor)


def _signature_offset(descriptor: int, size: int) -> int | None:
    offset = 0
    while offset + len(SIGNATURE) <= size:
        if os.pread(descriptor, len(SIGNATURE), offset) == SIGNATURE:
            return offset
        offset = offset * 2 if offset else 512
    return None


def _not_hdf5(descriptor: int, size: int) -> MigrationError:
    looks = looks_like(descriptor, size)
    detail = f"; it looks like {looks}" if looks else ""
    return MigrationError(
        Reason.NOT_HDF5, f"The file has no HDF5 signature{detail}", advice="Point the row at the .h5 file."
    )


def _parse(descriptor: int) -> h5py.File:
    """Parses the open descriptor itself, so that a file exchanged under the same name is never read."""
    with hdf5_errors():
        return h5py.File(f"/dev/fd/{descriptor}", "r", locking=False)


@contextmanager
def hdf5_errors() -> Iterator[None]:
    """Converts exceptions of HDF5 to `corrupt_h5`."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _corrupt(error) from error


def _corrupt(error: Exception) -> MigrationError:
    """The typed error for one that HDF5 raised while it parsed the file."""
    return MigrationError(
        Reason.CORRUPT_H5,
        f"HDF5 cannot read the file: {' '.join(str(error).split())[:200]}",
        advice="The file is damaged or cut short: restore it from its origin.",
    )
