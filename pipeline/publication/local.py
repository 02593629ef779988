"""A finished SavedModel, put where readers look: staged beside its place, made durable, then renamed into it.

```
OUTPUT/<model>/.h5ferry-staging-<version>-<random>/    being written; locked by the process that writes it
OUTPUT/<model>/<version>/                              complete, at every moment at which it exists
OUTPUT/<model>/.h5ferry-retired-<version>-<random>/    the version before, for as long as a replacement takes
```
TensorFlow Serving takes any numeric folder as ready, hence the names.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.publication.layout import RECEIPT, RETIRED, STAGING
from pipeline.publication.locks import _ATTEMPTS, _make_locked, is_locked
from pipeline.publication.receipt import Receipt
from pipeline.storage.durable_file import write_through

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def staging_folder(root: Path, destination: Path) -> Iterator[Path]:
    """An empty folder beside `destination`, on its file system, gone at the end unless it was published.

    Folders between `root` and `destination` are made, and taken away again if nothing came to lie in them.

    Raises:
        OSError: it cannot be made.
    """
    folder, lock = _make_locked(destination)
    try:
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)
        _remove_empty(destination.parent, root)


def publish(staged: Path, destination: Path, receipt: Receipt) -> None:
    """Writes the receipt and moves the staged folder to its place, replacing what is there in one step.

    Raises:
        OSError: nothing was published, and what was there is there still.
    """
    write_receipt(staged, receipt)
    _make_durable(staged)
    for _ in range(_ATTEMPTS):
        if _rename_new(staged, destination) or _exchange(staged, destination):
            break
        retired = destination.with_name(f"{RETIRED}{destination.name}-{secrets.token_hex(4)}")
        with contextlib.suppress(FileNotFoundError):
            os.rename(destination, retired)
        try:
            published = _rename_new(staged, destination)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.rename(retired, destination)
            raise
        shutil.rmtree(retired, ignore_errors=True)
        if published:
            break
    else:
        raise OSError(errno.EBUSY, "is replaced by another process again and again", str(destination))
    write_through(destination.parent, os.O_DIRECTORY)


def write_receipt(folder: Path, receipt: Receipt) -> None:
    """Writes the receipt into a local folder."""
    path = folder / RECEIPT
    path.parent.mkdir(exist_ok=True)
    path.write_text(receipt.to_json(), encoding="utf-8")


def sweep_leftovers(root: Path, models: Iterable[str]) -> None:
    """Removes what killed runs left beside the models, and puts back a version that was retired but not replaced.

    Folders of living processes are locked and left alone.
    """
    for folder in {root / model for model in models}:
        try:
            left = [entry for entry in folder.iterdir() if entry.name.startswith((STAGING, RETIRED))]
        except OSError:
            continue
        for entry in left:
            version = entry.name.removeprefix(RETIRED).rpartition("-")[0]
            if entry.name.startswith(RETIRED) and not (folder / version).exists():
                os.rename(entry, folder / version)
            elif not is_locked(entry):
                shutil.rmtree(entry, ignore_errors=True)
        _remove_empty(folder, root)


def _rename_new(staged: Path, destination: Path) -> bool:
    """Renames to a name that is free (or an empty folder). False when something is there."""
    try:
        os.rename(staged, destination)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _exchange(staged: Path, destination: Path) -> bool:
    """Swaps two folders in one step (Linux), so that a reader finds one version or the other, never neither."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(staged), os.fsencode(destination)
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)


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
