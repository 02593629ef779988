"""Files of a scan that hold the same bytes."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def duplicates(paths: Sequence[Path]) -> Mapping[Path, Path]:
    """Each file that repeats an earlier one -> the first of its content. Only files of one size are read."""
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        try:
            by_size[path.stat().st_size].append(path)
        except OSError:
            continue
    return {path: first for same in by_size.values() if len(same) > 1 for path, first in _repeated(same)}


def _repeated(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    first: dict[bytes, Path] = {}
    for path in paths:
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").digest()
        except OSError:
            continue
        if (earlier := first.setdefault(digest, path)) is not path:
            yield path, earlier
