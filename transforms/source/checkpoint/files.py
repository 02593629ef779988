"""The files of a checkpoint: a prefix with `.index`, and as many `.data-xxxxx-of-xxxxx` shards as it states."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from transforms.errors import MigrationError, Reason

INDEX = ".index"
#: The last 8 bytes of an index, little-endian (tensorflow/core/lib/io/format.h).
MAGIC = 0xDB4775248B80FB57
INDEX_END = MAGIC.to_bytes(8, "little")
_SHARD = re.compile(r"\.data-([0-9]{5})-of-([0-9]{5})")
_RESTORE = "Restore the checkpoint from its origin: the index, and every shard."


def checkpoint_prefix(path: str, *, is_file: bool) -> str | None:
    """The prefix of the checkpoint that a source path names, None if it names a regular file.

    Args:
        path: path or URL: a prefix, or its `.index` file.
        is_file: whether a file of that name exists; then it is the source, unless it is an index.
    """
    if path.endswith(INDEX):
        return path.removesuffix(INDEX)
    return None if is_file else path


def local_checkpoint(path: Path) -> Path | None:
    """The prefix of the checkpoint that a local path names, None if it names none."""
    prefix = checkpoint_prefix(str(path), is_file=os.path.lexists(path) and not path.is_dir())
    return Path(prefix) if prefix is not None and os.path.isfile(prefix + INDEX) else None


def local_shards(prefix: Path) -> tuple[Path, ...]:
    """The shards beside the index of a local checkpoint, in order. Raises as `shards_among`; OSError."""
    names = shards_among(prefix.name, os.listdir(prefix.parent))
    return tuple(prefix.with_name(name) for name in names)


def shards_among(prefix: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that are the shards of a checkpoint, in order.

    Raises:
        MigrationError: `corrupt_checkpoint` if there are none, one is missing, or shards of two different saves are
            present.
    """
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        match = _SHARD.fullmatch(name[len(prefix) :]) if name.startswith(prefix) else None
        if match:
            found[name] = (match[1], match[2])
    totals = {int(total) for _, total in found.values()}
    numbers = sorted(int(number) for number, _ in found.values())
    if len(totals) != 1 or numbers != list(range(totals.pop())):
        listed = ", ".join(sorted(found)[:3]) or "none"
        raise MigrationError(
            Reason.CORRUPT_CHECKPOINT,
            f"The shards beside the checkpoint's index are not one complete set (found: {listed})",
            advice=_RESTORE,
        )
    return sorted(found)


def combined_digest(digests: Sequence[str]) -> str:
    """One SHA-256 (hex) for a source of several files.

    SHA-256 of the files' own hex digests, each followed by a newline: the index first, then the shards in order. The
    same as printed by `sha256sum PREFIX.index PREFIX.data-* | cut -c1-64 | sha256sum`.
    """
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()
