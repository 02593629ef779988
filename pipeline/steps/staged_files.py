"""Hashes a staged output while it is being verified, and checks afterwards that it has not changed.

It is also written through to the disk meanwhile, so that publishing need not wait for that.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pipeline.publication.receipt import PublishedFile, list_files
from pipeline.storage.durable_file import write_through
from transforms.errors import MigrationError, Reason
from transforms.records.file_identity import FileIdentity

#: What the verifying process adds, once it has looked at the rest.
_ADDED = frozenset({"assets.extra/samples.npz", "assets.extra/tf_serving_warmup_requests"})
#: What the converting process writes: nothing else is published, for nobody looked at it.
_WRITTEN = re.compile(
    r"(saved_model|fingerprint|keras_metadata)\.pb|variables/variables\.(index|data-[0-9]{5}-of-[0-9]{5})"
)


class StagedFiles:
    """The files of a staged output: hashed once, and checked for changes later."""

    def __init__(self, folder: Path, io_threads: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._before = _identities(folder)
        self._hashed: Future[tuple[PublishedFile, ...]] = io_threads.submit(list_files, folder)
        self._written = io_threads.submit(_write_through, [folder / path for path in self._before])

    def verified_files(self) -> tuple[PublishedFile, ...]:
        """All files, sorted by path: those hashed before, which must be unchanged, and those added since.

        Raises:
            MigrationError: `internal_error` if a file was changed or removed meanwhile, or is none that this program
                writes at that time; `output_error` for links.
            OSError: a file could not be written to the disk.
        """
        known = {file.path: file for file in self._hashed.result()}
        now = _identities(self._folder)
        changed = [path for path, identity in self._before.items() if now.get(path) != identity]
        if changed:
            raise MigrationError(
                Reason.INTERNAL_ERROR,
                f"The staged {min(changed)!a} changed while it was verified",
                advice="Run again; if it happens again, report it.",
            )
        strange = [path for path in self._before if not _WRITTEN.fullmatch(path)]
        strange += now.keys() - self._before.keys() - _ADDED
        if strange:
            raise MigrationError(
                Reason.INTERNAL_ERROR,
                f"The staged output holds {min(strange)!a}, which this program does not write",
                advice="Look at the source and its custom code; if they are harmless, report it.",
            )
        self._written.result()
        added = now.keys() - known.keys()
        files = {**known, **{file.path: file for file in list_files(self._folder, only=added)}}
        return tuple(sorted(files.values(), key=lambda file: file.path))


def _write_through(paths: Iterable[Path]) -> None:
    for path in paths:
        write_through(path)


def _identities(folder: Path) -> Mapping[str, FileIdentity]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(parent, name))
            if stat.S_ISREG(status.st_mode):
                found[Path(parent, name).relative_to(folder).as_posix()] = FileIdentity.of(status)
    return found
