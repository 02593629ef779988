"""Selects TensorFlow checkpoints for a manifest: of the many that training writes, those with an architecture
beside.
"""

from __future__ import annotations

import os
from pathlib import Path

from transforms.errors import MigrationError
from transforms.source.checkpoint.files import INDEX, INDEX_END, local_shards

_CHECKPOINT = ".ckpt"
_ARCHITECTURES = (".json", ".yaml", ".yml")


def checkpoint_architecture(index: Path) -> Path | None:
    """The architecture file of the checkpoint with this index; None if it is not a complete checkpoint or has no such
    file.

    For `net.ckpt.index` that is `net.ckpt.json` or `net.json` (or `.yaml`, `.yml`) in the same folder.
    """
    if index.suffix != INDEX or not _ends_as_index(index):
        return None
    prefix = index.with_suffix("")
    try:
        local_shards(prefix)
    except (MigrationError, OSError):
        return None
    stems = (prefix.name, prefix.name.removesuffix(_CHECKPOINT))
    found = (prefix.with_name(stem + suffix) for stem in stems for suffix in _ARCHITECTURES)
    return next(filter(Path.is_file, found), None)


def _ends_as_index(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            stream.seek(-len(INDEX_END), os.SEEK_END)
            return stream.read() == INDEX_END
    except OSError:
        return False
