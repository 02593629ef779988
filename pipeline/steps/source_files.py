"""Makes the files of one row local: remote ones are fetched, and each is hashed while it is read."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.manifest.row import ManifestRow
from pipeline.storage.digest import LocalFile, check_size, digest_file
from pipeline.storage.paths import is_remote
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.checkpoint.files import (
    INDEX,
    checkpoint_prefix,
    combined_digest,
    local_checkpoint,
    local_shards,
    shards_among,
)

_BLOCK = 1 << 20
_MISSING = {
    "source": Reason.SOURCE_MISSING,
    "architecture": Reason.MISSING_ARCHITECTURE,
    "samples": Reason.INVALID_SAMPLES,
    "custom_objects": Reason.CUSTOM_OBJECTS_NEEDED,
}
#: The field of `Limits` that bounds the file of a column.
_BOUND = {
    "source": "file_bytes",
    "architecture": "json_bytes",
    "samples": "file_bytes",
    "custom_objects": "json_bytes",
}


@dataclass(frozen=True)
class RowFiles:
    """The files that a row names; None for a column without one."""

    source: LocalFile
    architecture: LocalFile | None = None
    samples: LocalFile | None = None
    custom_objects: LocalFile | None = None

    @property
    def hashed(self) -> dict[str, LocalFile]:
        """The files with known digests, by column; not hashed again while unchanged."""
        columns = {column: getattr(self, column) for column in _MISSING}
        return {column: file for column, file in columns.items() if file is not None and file.identity is not None}


@contextlib.contextmanager
def local_files(row: ManifestRow, limits: Limits, hashed: Mapping[str, LocalFile] | None = None) -> Iterator[RowFiles]:
    """Makes the row's files local while the context lasts.

    Args:
        row: the manifest row.
        limits: the budget in force.
        hashed: files hashed before, by column; not read again if unchanged.

    Raises:
        MigrationError: `source_missing` (or the like, by column), `over_budget`, `unsafe_storage`.
    """
    with contextlib.ExitStack() as stack:
        scratch: Path | None = None
        found: dict[str, LocalFile] = {}
        for column in _MISSING:
            path = getattr(row, column)
            if not path:
                continue
            if is_remote(path) and scratch is None:
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="h5ferry-")))
            try:
                checkpoint = local_checkpoint_of(path, scratch, limits) if column == "source" else None
                found[column] = checkpoint or (
                    fetch(path, scratch / f"{column}{PurePosixPath(path).suffix}", limits, _BOUND[column])
                    if scratch and is_remote(path)
                    else digest_file(Path(path), limits, _BOUND[column], (hashed or {}).get(column))
                )
            except (OSError, ValueError) as error:
                raise MigrationError(
                    _MISSING[column],
                    f"The {column} {path} cannot be read: {_short(error)}",
                    advice=f"Correct column {column} of manifest line {row.line}, or restore the file.",
                ) from error
        yield RowFiles(**found)


def fetch(url: str, target: Path, limits: Limits, limit: str) -> LocalFile:
    """Downloads a remote file to `target`, hashing as it streams.

    Raises:
        OSError: it is missing or unreadable.
        MigrationError: `over_budget`.
    """
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    digest, size = hashlib.sha256(), 0
    with (
        FileSystems.open(url, compression_type=CompressionTypes.UNCOMPRESSED) as stream,
        target.open("wb") as copy,
    ):
        while block := stream.read(_BLOCK):
            size += len(block)
            check_size(url, size, limits, limit)
            digest.update(block)
            copy.write(block)
    return LocalFile(target, digest.hexdigest(), size)


def local_checkpoint_of(path: str, scratch: Path | None, limits: Limits) -> LocalFile | None:
    """The checkpoint that `path` names, fetched into `scratch` if it is remote; None if it names a regular file.

    Raises:
        OSError: a file of it is missing or unreadable.
        MigrationError: `corrupt_checkpoint` if its shards are not one complete set; `over_budget`.
    """
    if scratch is None or not is_remote(path):
        found = local_checkpoint(Path(path))
        if found is None:
            return None
        prefix = found
        files = (Path(f"{prefix}{INDEX}"), *local_shards(prefix))
        parts = [digest_file(each, limits, _BOUND["source"]) for each in files]
    else:
        url = remote_checkpoint(path)
        if url is None:
            return None
        folder, _, name = url.rpartition("/")
        prefix = scratch / "source"
        suffixes = [INDEX, *(shard[len(name) :] for shard in shards_among(name, _names_like(f"{url}.data-*")))]
        parts = [
            fetch(f"{folder}/{name}{suffix}", Path(f"{prefix}{suffix}"), limits, _BOUND["source"])
            for suffix in suffixes
        ]
    size = sum(part.size for part in parts)
    check_size(path, size, limits, _BOUND["source"])
    return LocalFile(prefix, combined_digest([part.sha256 for part in parts]), size)


def remote_checkpoint(url: str) -> str | None:
    """The prefix of the checkpoint that a URL names, None if it names none. Raises OSError."""
    from apache_beam.io.filesystems import FileSystems

    prefix = checkpoint_prefix(url, is_file=not url.endswith(INDEX) and FileSystems.exists(url))
    return prefix if prefix is not None and FileSystems.exists(f"{prefix}{INDEX}") else None


def _names_like(pattern: str) -> list[str]:
    from apache_beam.io.filesystems import FileSystems

    return [found.path.rpartition("/")[2] for match in FileSystems.match([pattern]) for found in match.metadata_list]


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
