"""Checks whether a row may be published at its place. Only what this program published is ever replaced.

| existing content | published? |
|---|---|
| nothing, an empty folder | yes |
| only what this program published for the same model and version | yes, replaced |
| files without a receipt, or with a receipt of another model or version | no |
| a published version with a file that its receipt does not list | no |
| a link or a file, at the place or on the path to it below the output | no |
| a place within a SavedModel, or one that contains another | no |
| a place where TensorFlow Serving would read one model's folder as another's version | no |
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pipeline.publication.layout import GRAPHS, RECEIPT
from pipeline.publication.receipt import claim_of, receipt_bytes
from pipeline.storage.regular_file import open_folder
from transforms.errors import MigrationError, Reason

#: Folders that a SavedModel may have even if empty.
_OWN_FOLDERS = frozenset({"assets", "assets.extra", "variables"})
#: Maximum depth below a folder to search for a nested model's receipt.
_NESTING = 8


def check_destination(root: Path, model: str, version: int) -> bytes | None:
    """Checks a row's place in a local output.

    Returns:
        The bytes of the receipt of the version published there; None if there is none.

    Raises:
        MigrationError: `output_occupied`.
        OSError: it cannot be read.
    """
    _refuse_place_within_model(root, model)
    folder = root
    for part in (*PurePosixPath(model).parts, str(version)):
        folder = folder / part
        try:
            mode = folder.lstat().st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(mode):
            raise occupied(folder, "is a symbolic link")
        if not stat.S_ISDIR(mode):
            raise occupied(folder, "is no folder")
    return occupant(folder, model, version, root)


def occupant(folder: Path, model: str, version: int, root: Path | None = None) -> bytes | None:
    """The receipt in a folder that is, or was, at a row's place; None if the folder is empty.

    Args:
        folder: local.
        model: the row's model.
        version: the row's version.
        root: no folder between it and the receipt may be a link.

    Raises:
        MigrationError: `output_occupied`, it holds files not published for that row.
        OSError: it cannot be read.
    """
    data = receipt_bytes(folder, root)
    claim = None if data is None else claim_of(data)
    if claim is None:
        first = next(files_below(folder), None)
        if first is None:
            return None
        raise occupied(folder, f"holds {first!a} and no receipt of this program: it did not publish what is there")
    if (claim.model, claim.version) != (model, version):
        raise occupied(folder, f"holds {claim.model}/{claim.version}")
    foreign = foreign_to(claim.paths, files_below(folder))
    if foreign:
        raise occupied(folder, f"holds {foreign!a}, which this program did not publish")
    return data


def foreign_to(listed: Iterable[str], found: Iterable[str]) -> str:
    """The first existing path that is neither listed nor the receipt, "" for none."""
    known = {*listed, RECEIPT}
    return next((path for path in found if path not in known), "")


def files_below(folder: Path) -> Iterator[str]:
    """Relative paths, with "/" between parts, of everything below a folder except folders."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        relative = Path(parent).relative_to(folder)
        for name in sorted(names):
            yield (relative / name).as_posix()
        for name in sorted(folders):
            if os.path.islink(os.path.join(parent, name)):
                yield (relative / name).as_posix()


def remove_published(folder: Path, receipt: bytes | None) -> None:
    """Removes the files that a receipt lists, the receipt, and folders that are then empty; nothing else.

    Args:
        folder: local.
        receipt: its bytes; None: only empty folders are removed.
    """
    claim = None if receipt is None else claim_of(receipt)
    for path in () if claim is None else (*sorted(claim.paths), RECEIPT):
        with contextlib.suppress(OSError), open_folder((folder / path).parent, folder) as parent:
            os.unlink(PurePosixPath(path).name, dir_fd=parent)
    for each, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(each)


def own_folders(paths: Iterable[str]) -> frozenset[str]:
    """Relative paths of the folders that an output with these files may have."""
    return _OWN_FOLDERS | {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}


def is_model(folder: Path) -> bool:
    """Whether a folder is a SavedModel: it has a receipt or a graph."""
    return any(os.path.lexists(folder / name) for name in (RECEIPT, *GRAPHS))


def occupied(place: Path | str, what: str) -> MigrationError:
    """The error that refuses a place."""
    return MigrationError(
        Reason.OUTPUT_OCCUPIED, f"{place} {what}", advice="Move it away, or publish under another name or output."
    )


def _refuse_place_within_model(root: Path, model: str) -> None:
    parts = PurePosixPath(model).parts
    real = Path(os.path.realpath(root))
    inner = [root.joinpath(*parts[: index + 1]) for index in range(len(parts))]
    for folder in (*real.parents, real, *inner):
        if is_model(folder):
            raise occupied(folder, "holds a SavedModel, and nothing is published within one")
    for part, folder in zip(parts[1:], inner, strict=False):
        if part.isdecimal() and any(is_model(each) for each in _numbered(folder)):
            raise occupied(folder, f"holds versions of a model, and {part!a} would be taken for another version")
    for nested in _numbered(inner[-1]):
        if not is_model(nested) and _holds_receipt(nested, _NESTING):
            raise occupied(nested, "holds another model, which would be taken for a version of this one")


def _numbered(folder: Path) -> Iterator[Path]:
    """Subfolders that TensorFlow Serving reads as versions of a model."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.name.isdecimal() and each.is_dir(follow_symlinks=False)]
    except OSError:
        return
    yield from (folder / name for name in sorted(names))


def _holds_receipt(folder: Path, depth: int) -> bool:
    if os.path.lexists(folder / RECEIPT):
        return True
    try:
        with os.scandir(folder) as entries:
            inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)] if depth else []
    except OSError:
        return False
    return any(_holds_receipt(each, depth - 1) for each in inner)


def _raise(error: OSError) -> None:
    raise error
