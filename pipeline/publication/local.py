"""Atomic publishing to a local output: a SavedModel is staged beside its place, made durable, then renamed into it.

```
OUTPUT/<model>/.h5ferry-staging-<version>-<random>/    locked by the process that writes it, closed to other users
                                  .../staged/          being written
                                  .../replaced/        the previous version, being removed
OUTPUT/<model>/<version>/                              complete whenever it exists
OUTPUT/<model>/.h5ferry-retired-<version>-<random>/    the previous version, if two folders cannot be exchanged
```
TensorFlow Serving serves any numeric folder, hence the names. The existing version is checked before the exchange, and
again when no other process can reach it: only what this program published for the same model and version is removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pipeline.publication.destination import check_destination, occupant, remove_published
from pipeline.publication.layout import RECEIPT, RETIRED, STAGING
from pipeline.publication.locked_folders import ATTEMPTS, LockState, lock_state, make_locked_folder
from pipeline.publication.receipt import Receipt, is_complete, parse_receipt, receipt_bytes
from pipeline.storage.durable_file import NEW_FILE, write_through
from pipeline.storage.regular_file import open_folder, refuse_long
from transforms.errors import MigrationError
from transforms.platform.system_calls import exchange, flush

_STAGED, _REPLACED = "staged", "replaced"
_LEFTOVER = re.compile(rf"(?:{re.escape(STAGING)}|{re.escape(RETIRED)})([0-9]+)-[0-9a-f]+")


@dataclass(frozen=True)
class StagingArea:
    """The folder in which one version is written before it is published.

    Attributes:
        root: the output.
        destination: the version's final place.
        folder: to write into.
        descriptor: of its private parent folder; unlike a path, it cannot be redirected by renaming folders.
    """

    root: Path
    destination: Path
    folder: Path
    descriptor: int


@contextlib.contextmanager
def staging_area(root: Path, destination: Path) -> Iterator[StagingArea]:
    """An empty folder beside `destination`, on the same file system; removed at the end unless published.

    Missing folders between `root` and `destination` are made, and removed again if they stay empty.

    Raises:
        OSError: it cannot be made.
    """
    refuse_long(destination.with_name(f"{STAGING}{destination.name}-00000000") / _REPLACED / RECEIPT)
    names = (destination.with_name(f"{STAGING}{destination.name}-{secrets.token_hex(4)}") for _ in count())
    private, lock = make_locked_folder(names, root, private=True)
    try:
        os.mkdir(_STAGED, dir_fd=lock)
        yield StagingArea(root, destination, private / _STAGED, lock)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(_STAGED, dir_fd=lock)
        os.close(lock)
        with contextlib.suppress(OSError):
            os.rmdir(private)
        _remove_empty(destination.parent, root)


def publish(area: StagingArea, receipt: Receipt) -> None:
    """Writes the receipt and moves the staged folder to its place, replacing the existing version atomically.

    Raises:
        MigrationError: `output_occupied`, the place holds files that must not be replaced.
        OSError: it cannot be published. In both cases nothing was published or removed.
    """
    write_receipt(area, receipt)
    _make_durable(area.folder)
    name = area.destination.name
    with open_folder(area.destination.parent, area.root, make=True) as beside:
        for _ in range(ATTEMPTS):
            check_destination(area.root, receipt.model, receipt.version)
            if _rename_new(area, name, beside) or _replace(area, name, beside, receipt):
                break
        else:
            raise OSError(errno.EBUSY, "is replaced by another process again and again", str(area.destination))
        flush(beside)


def write_receipt(area: StagingArea, receipt: Receipt) -> None:
    """Writes the receipt into the staged folder."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(f"{_STAGED}/{os.path.dirname(RECEIPT)}", dir_fd=area.descriptor)
    descriptor = os.open(f"{_STAGED}/{RECEIPT}", NEW_FILE, 0o666, dir_fd=area.descriptor)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(receipt.to_json().encode())


def sweep_leftovers(root: Path, models: Iterable[str]) -> None:
    """Removes leftovers of killed runs beside the models, and restores a version that was retired but not replaced.

    Folders of running processes, which are locked, and files that no run writes are not touched.
    """
    for model in sorted(set(models)):
        folder = root / model
        try:
            with open_folder(folder, root) as opened:
                left = [name for name in os.listdir(opened) if _LEFTOVER.fullmatch(name)]
        except OSError:
            continue
        for name in left:
            if not (folder / name).is_symlink() and (folder / name).is_dir():
                _sweep(folder / name, model)
        _remove_empty(folder, root)


def _sweep(left: Path, model: str) -> None:
    match = _LEFTOVER.fullmatch(left.name)
    assert match is not None
    if left.name.startswith(RETIRED):
        _sweep_retired(left, model, int(match[1]))
    elif lock_state(left) is LockState.FREE:
        for part in (left / _STAGED, left / _REPLACED):
            if (data := receipt_bytes(part, left)) is not None:
                remove_published(part, data)
            elif part.name == _STAGED:
                shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir(left)


def _sweep_retired(left: Path, model: str, version: int) -> None:
    """Restores a retired version if its place is free, else removes it; one with foreign files stays."""
    try:
        data = occupant(left, model, version, left)
    except (MigrationError, OSError):
        return
    if data is None or lock_state(left) is not LockState.FREE:
        return
    if os.path.lexists(left.with_name(str(version))):
        remove_published(left, data)
    elif (receipt := parse_receipt(data)) is not None and is_complete(receipt, left):
        os.rename(left, left.with_name(str(version)))


def _rename_new(area: StagingArea, name: str, beside: int) -> bool:
    """Renames to a free name (or an empty folder). False if the name is taken."""
    try:
        os.rename(_STAGED, name, src_dir_fd=area.descriptor, dst_dir_fd=beside)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _replace(area: StagingArea, name: str, beside: int, receipt: Receipt) -> bool:
    """Exchanges the staged folder with the existing one. False if that has disappeared meanwhile."""
    try:
        exchanged = exchange(area.descriptor, _STAGED, beside, name)
    except FileNotFoundError:
        return False
    return _remove_exchanged(area, name, beside, receipt) if exchanged else _retire(area, name, beside, receipt)


def _remove_exchanged(area: StagingArea, name: str, beside: int, receipt: Receipt) -> bool:
    try:
        data = occupant(area.folder, receipt.model, receipt.version)
    except (MigrationError, OSError):
        exchange(area.descriptor, _STAGED, beside, name)
        raise
    os.rename(_STAGED, _REPLACED, src_dir_fd=area.descriptor, dst_dir_fd=area.descriptor)
    remove_published(area.folder.with_name(_REPLACED), data)
    return True


def _retire(area: StagingArea, name: str, beside: int, receipt: Receipt) -> bool:
    """Replaces by two renames; a reader may find no version in between."""
    retired = area.destination.with_name(f"{RETIRED}{name}-{secrets.token_hex(4)}")
    with contextlib.suppress(FileNotFoundError):
        os.rename(name, retired.name, src_dir_fd=beside, dst_dir_fd=beside)
    try:
        data = occupant(retired, receipt.model, receipt.version) if os.path.lexists(retired) else None
        published = _rename_new(area, name, beside)
    except (MigrationError, OSError):
        with contextlib.suppress(FileNotFoundError):
            os.rename(retired.name, name, src_dir_fd=beside, dst_dir_fd=beside)
        raise
    remove_published(retired, data)
    return published


def _make_durable(folder: Path) -> None:
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent, name)
            if stat.S_ISREG(path.lstat().st_mode):
                write_through(path)
        write_through(Path(parent), os.O_DIRECTORY)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
