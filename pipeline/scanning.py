"""`h5ferry scan`: finds models, and writes a manifest of them.

HDF5 files are known by their signature, whatever they are called. Of TensorFlow checkpoints, which training leaves
behind in numbers, only those are taken that have an architecture of the same name beside them.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transforms.checkpoint.files import INDEX, MAGIC, local_shards
from transforms.errors import MigrationError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: A user block before the signature has a size of 0, 512, 1024, 2048, … bytes; nobody's is larger than this.
_LARGEST_USER_BLOCK = 1 << 20
#: Last bytes of a checkpoint's index: the magic number of its table format.
_INDEX_END = MAGIC.to_bytes(8, "little")
_CHECKPOINT = ".ckpt"
_ARCHITECTURES = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class FoundModel:
    """A model below one of the scanned paths.

    Attributes:
        path: the HDF5 file, or the prefix of the checkpoint.
        name: the path from there, without the suffix.
        architecture: of a checkpoint, the file beside it.
    """

    path: Path
    name: str
    architecture: Path | None = None


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
    """The models among and below `paths`, sorted within each; links to folders are not followed."""
    for path in paths:
        below = path if path.is_dir() else path.parent
        files = sorted(Path(parent, name) for parent, _, names in os.walk(path) for name in names)
        for file in files if path.is_dir() else [path]:
            architecture = checkpoint_architecture(file)
            if architecture is not None:
                prefix = file.with_suffix("")
                name = prefix.relative_to(below).as_posix().removesuffix(_CHECKPOINT)
                yield FoundModel(prefix.absolute(), name, architecture.absolute())
            elif is_hdf5(file):
                yield FoundModel(file.absolute(), file.relative_to(below).with_suffix("").as_posix())


def checkpoint_architecture(index: Path) -> Path | None:
    """The architecture of the checkpoint whose index this is; None where it is none, is not whole, or has no such file.

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
            stream.seek(-len(_INDEX_END), os.SEEK_END)
            return stream.read() == _INDEX_END
    except OSError:
        return False


def manifest_text(found: Iterable[FoundModel], folder: Path) -> str:
    """A CSV manifest that will lie in `folder`, to which its paths are relative. Names are made legal and unique."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "source", "version", "architecture"])
    taken: set[str] = set()
    for model in found:
        name = _free_name(legal_name(model.name), taken)
        taken.add(name.casefold())
        paths = [os.path.relpath(path, folder.absolute()) if path else "" for path in (model.path, model.architecture)]
        writer.writerow([name, paths[0], 1, paths[1]])
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
