"""The layout of an output folder: published models, run records, foreign files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.audit.findings import Finding, Kind, relative_path
from pipeline.publication.layout import GRAPHS, RECEIPT, RECORD, RESERVED, RETIRED, STAGING
from pipeline.publication.locked_folders import LockState, lock_state

#: Prefix of a run's temporary files, which it removes before it ends.
_OURS = ".h5ferry-"


@dataclass
class OutputTree:
    """The contents of an output folder by kind. Links are never followed.

    Attributes:
        root: absolute.
        outputs: folders with a receipt.
        runs: folders with a run record, outside the history.
        findings: files and folders that no run writes there.
        notes: what active runs are writing.
    """

    root: Path
    outputs: list[Path] = field(default_factory=list)
    runs: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, kind: Kind, path: Path, message: str) -> None:
        """Adds a finding about a path."""
        self.findings.append(Finding(kind, relative_path(path, self.root), message))


def read_tree(root: Path) -> OutputTree:
    """Walks a folder. Opens nothing but folders."""
    tree = OutputTree(root)
    left = [root]
    while left:
        folder = left.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            tree.find(Kind.UNREADABLE, folder, f"cannot be read: {error.strerror}")
            continue
        left += reversed(_sort(tree, folder, entries))
    return tree


def _sort(tree: OutputTree, folder: Path, entries: list[os.DirEntry[str]]) -> list[Path]:
    """Classifies one folder's entries; returns the subfolders to walk."""
    if os.path.lexists(folder / RECEIPT):
        tree.outputs.append(folder)
        return []
    names = {entry.name for entry in entries}
    if names & set(GRAPHS):
        tree.find(Kind.UNRECEIPTED, folder, "holds a SavedModel without a receipt: no run vouches for it")
        return []
    if RECORD in names:
        tree.runs.append(folder)
    if not entries and folder != tree.root:
        tree.find(Kind.EXTRA, folder, "is an empty folder: TensorFlow Serving takes a numeric one for a version")
    inner = []
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink():
            tree.find(Kind.LINK, path, "is a symbolic link, which no run makes")
        elif entry.name.startswith(_OURS) and not entry.is_dir(follow_symlinks=False):
            tree.find(Kind.LEFTOVER, path, "was left by a run that was killed; remove it")
        elif not entry.is_dir(follow_symlinks=False):
            if RECORD not in names:
                tree.find(Kind.EXTRA, path, "belongs to no published model")
        elif entry.name.startswith((STAGING, RETIRED)):
            _leftover(tree, path)
        elif folder != tree.root or entry.name != RESERVED:
            inner.append(path)
    return inner


def _leftover(tree: OutputTree, path: Path) -> None:
    if lock_state(path) is LockState.HELD:
        tree.notes.append(f"{relative_path(path, tree.root)} is being written by a run.")
    else:
        tree.find(Kind.LEFTOVER, path, "was left by a run that was killed; the next run removes it")
