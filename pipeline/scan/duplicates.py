"""Files of a scan that hold the same bytes."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path

from transforms.source.file import hash_file

#: Models of one architecture have one size; their last arrays differ.
_END_BYTES = 1 << 16


def duplicates(paths: Sequence[Path]) -> Mapping[Path, Path]:
    """Each file that repeats an earlier one -> the first of its content.

    Only files of one size and with the same end are read whole.
    """
    groups = [list(paths)]
    for key in (_size, _end, hash_file):
        groups = [alike for group in groups for alike in _grouped(group, key)]
    return {path: group[0] for group in groups for path in group[1:]}


def _grouped(paths: Sequence[Path], key: Callable[[int], Hashable]) -> Iterator[list[Path]]:
    """The files with equal keys, in order, where there are two or more. Unreadable ones are left out."""
    found: dict[Hashable, list[Path]] = defaultdict(list)
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            found[key(descriptor)].append(path)
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return (group for group in found.values() if len(group) > 1)


def _size(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def _end(descriptor: int) -> bytes:
    return os.pread(descriptor, _END_BYTES, max(0, _size(descriptor) - _END_BYTES))
