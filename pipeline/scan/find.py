"""Finds HDF5 files by signature, whatever their names, and checkpoints; distinguishes models from other data."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.scan.checkpoints import checkpoint_architecture
from transforms.errors import MigrationError
from transforms.records.file_kind import FileKind
from transforms.source.checkpoint.files import INDEX
from transforms.source.lookalikes import looks_like

if TYPE_CHECKING:
    from pipeline.isolation.process import ConfinedProcess

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: A user block before the signature has a size of 0, 512, 1024, 2048, … bytes; real ones are not larger than this.
_LARGEST_USER_BLOCK = 1 << 20
#: One read covers the usual offsets of the signature.
_FIRST_READ = 2048 + len(_SIGNATURE)
_FILES_PER_CALL = 250
_SECONDS_PER_CALL = 20.0
_MODEL_SUFFIXES = (".h5", ".hdf5", ".hdf", ".h5py", ".keras")
_KINDS = "transforms.source.hdf5.file_kind:kinds_of"


class ScanError(Exception):
    """A given path does not exist, or a pattern matches nothing."""


@dataclass(frozen=True)
class FoundFile:
    """A source below one of the scanned paths.

    Attributes:
        path: the HDF5 file, or the prefix of a checkpoint; absolute.
        root: the folder that names are relative to, absolute.
        kind: None if not yet determined.
        architecture: file beside a checkpoint.
    """

    path: Path
    root: Path
    kind: FileKind | None = None
    architecture: Path | None = None


@dataclass
class Oddities:
    """What a scan skipped.

    Attributes:
        unreadable, hidden: folders.
        foreign: files named like a model that are not HDF5, and what each looks like.
        versions: of a registry's models, and why each has no row.
    """

    unreadable: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str]] = field(default_factory=list)
    versions: list[tuple[str, str]] = field(default_factory=list)


def is_hdf5(path: Path | str) -> bool:
    """True for a regular file with the HDF5 signature at one of the offsets that the format admits."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        head = os.pread(descriptor, _FIRST_READ, 0)
        if any(head.startswith(_SIGNATURE, offset) for offset in (0, 512, 1024, 2048)):
            return True
        offset = 4096
        while offset + len(_SIGNATURE) <= min(status.st_size, _LARGEST_USER_BLOCK + len(_SIGNATURE)):
            if os.pread(descriptor, len(_SIGNATURE), offset) == _SIGNATURE:
                return True
            offset *= 2
        return False
    except OSError:
        return False
    finally:
        os.close(descriptor)


def as_scanned(argument: str) -> str | None:
    """The argument in the form that `find_files` accepts, if it denotes models; else None.

    Models are denoted by a folder, an HDF5 file, a checkpoint (prefix or index), and a pattern with matches.
    """
    path = Path(argument)
    for place in (path, Path(f"{argument}{INDEX}")):
        if place.is_dir() or is_hdf5(place) or (place.suffix == INDEX and checkpoint_architecture(place) is not None):
            return str(place)
    return argument if not os.path.lexists(argument) and glob.has_magic(argument) and "://" not in argument else None


def find_files(paths: Iterable[str], oddities: Oddities) -> Iterator[FoundFile]:
    """The HDF5 files and complete checkpoints among and below `paths`, each once, sorted below each path.

    Args:
        paths: files, folders, and patterns as Python's glob reads them. Links to folders are not followed.
        oddities: receives what was skipped.

    Raises:
        ScanError: a path does not exist, or a pattern matches nothing.
    """
    seen: set[str] = set()
    for given in paths:
        root, matches = _expanded(given)
        for match in matches:
            for name in _names_below(match, oddities):
                file = os.path.abspath(name)
                if file in seen:
                    continue
                if name.endswith(INDEX) and (architecture := checkpoint_architecture(Path(file))) is not None:
                    seen.add(file)
                    yield FoundFile(Path(file.removesuffix(INDEX)), root, FileKind.CHECKPOINT, architecture)
                elif is_hdf5(name):
                    seen.add(file)
                    yield FoundFile(Path(file), root)
                elif name.lower().endswith(_MODEL_SUFFIXES) and not os.path.isdir(name):
                    seen.add(file)
                    oddities.foreign.append((file, _appearance(file)))


def _appearance(path: str) -> str:
    """What a file looks like that is not HDF5; for a missing file, what stands for it."""
    if os.path.islink(path) and not os.path.exists(path):
        annexed = "/annex/objects/" in os.readlink(path)
        return "a git-annex pointer: fetch the real file with `git annex get`" if annexed else "a link to nothing"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return f"unreadable: {error.strerror}"
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return "not a regular file"
        return looks_like(descriptor, status.st_size) or "not HDF5"
    except OSError as error:
        return f"unreadable: {error.strerror}"
    finally:
        os.close(descriptor)


def with_kinds(files: Iterable[FoundFile]) -> list[FoundFile]:
    """The files with their kinds, in order; a file that crashes its child is `damaged`.

    The kinds are determined in a few child processes, while the files are still being found.

    Raises:
        MigrationError: a child cannot be started.
    """
    from pipeline.isolation.parallel_map import map_in_children
    from pipeline.isolation.policy import Isolation, Role

    isolation = Isolation(timeout=_SECONDS_PER_CALL, models_per_child=1 << 30, role=Role.SCANNING)
    return [file for batch in map_in_children(_known, _batches(files), isolation) for file in batch]


def _known(child: ConfinedProcess, batch: Sequence[FoundFile]) -> list[FoundFile]:
    child.call(_KINDS, [])  # A child that does not start is not the files' fault.
    kinds = iter(_kinds(child, [file.path for file in batch if file.kind is None]))
    return [file if file.kind is not None else replace(file, kind=next(kinds)) for file in batch]


def _batches(files: Iterable[FoundFile]) -> Iterator[list[FoundFile]]:
    remaining = iter(files)
    while batch := list(islice(remaining, _FILES_PER_CALL)):
        yield batch


def _kinds(child: ConfinedProcess, paths: Sequence[Path]) -> list[FileKind]:
    """Calls the child once for all files; if that fails, once per file, to isolate the one that caused it."""
    try:
        return [FileKind(kind) for kind in child.call(_KINDS, list(paths), returns=list[str])]
    except MigrationError:
        return [FileKind.DAMAGED] if len(paths) == 1 else [_kinds(child, [path])[0] for path in paths]


def _expanded(given: str) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the files and folders that `given` denotes."""
    if os.path.lexists(given):
        path = Path(os.path.abspath(given))
        return path if path.is_dir() else path.parent, [Path(given)]
    parts = Path(given).parts
    fixed = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    root = Path(os.path.abspath(Path(*parts[:fixed])))
    found = [path for path in map(Path, sorted(glob.glob(given, recursive=True))) if not _through_link(path, root)]
    if not found:
        local = " scan reads local paths; remote files go into a manifest by hand." if "://" in given else ""
        raise ScanError(f"{given!r} neither exists nor is a pattern that matches a file.{local}")
    return root, found


def _through_link(path: Path, root: Path) -> bool:
    """True if `path` goes through a link to a folder below `root`, as the pattern "**" may."""
    below = Path(os.path.abspath(path)).relative_to(root)
    return any((root / folder).is_symlink() for folder in below.parents)


def _names_below(path: Path, oddities: Oddities) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return

    def unreadable(error: OSError) -> None:
        oddities.unreadable.append(str(error.filename))

    names: list[str] = []
    for parent, folders, files in os.walk(path, onerror=unreadable):
        oddities.hidden += [os.path.join(parent, folder) for folder in folders if folder.startswith(".")]
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        names += [os.path.join(parent, file) for file in files]
    yield from sorted(names, key=lambda name: name.split(os.sep))
