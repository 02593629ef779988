"""`h5ferry scan`: finds HDF5 files by signature, whatever they are called, and writes a manifest of them."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: A user block before the signature has a size of 0, 512, 1024, 2048, … bytes; nobody's is larger than this.
_LARGEST_USER_BLOCK = 1 << 20


@dataclass(frozen=True)
class FoundModel:
    """An HDF5 file below one of the scanned paths; `name` is its path from there, without the suffix."""

    path: Path
    name: str


def is_hdf5(path: Path) -> bool:
    """True for a regular file with the HDF5 signature at one of the offsets that the format admits."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        offset = 0
        while offset + len(_SIGNATURE) <= min(status.st_size, _LARGEST_USER_BLOCK + len(_SIGNATURE)):
            if os.pread(descriptor, len(_SIGNATURE), offset) == _SIGNATURE:
                return True
            offset = offset * 2 or 512
        return False
    except OSError:
        return False
    finally:
        os.close(descriptor)


def scan_paths(paths: Iterable[Path]) -> Iterator[FoundModel]:
    """The HDF5 files among and below `paths`, sorted within each; links to folders are not followed."""
    for path in paths:
        if path.is_file():
            if is_hdf5(path):
                yield FoundModel(path.absolute(), path.stem)
            continue
        files = sorted(Path(parent, name) for parent, _, names in os.walk(path) for name in names)
        for file in filter(is_hdf5, files):
            yield FoundModel(file.absolute(), file.relative_to(path).with_suffix("").as_posix())


def manifest_text(found: Iterable[FoundModel], folder: Path) -> str:
    """A CSV manifest that will lie in `folder`, to which its paths are relative. Names are made legal and unique."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "source", "version"])
    taken: set[str] = set()
    for model in found:
        name = _free_name(legal_name(model.name), taken)
        taken.add(name.casefold())
        writer.writerow([name, os.path.relpath(model.path, folder.absolute()), 1])
    return text.getvalue()


def legal_name(name: str) -> str:
    """`name` with everything that a model name may not have replaced by "_"."""
    parts = [re.sub(r"[^A-Za-z0-9._-]", "_", part) for part in name.split("/")]
    return "/".join(part if re.match(r"[A-Za-z0-9_]", part) else f"_{part}" for part in parts)


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free.casefold() in taken:
        free, number = f"{name}-{number}", number + 1
    return free
