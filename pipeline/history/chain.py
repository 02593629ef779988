"""The run records of an output, stored beside the published models.

```
OUTPUT/_h5ferry/lock                   while a run is active
OUTPUT/_h5ferry/latest.json            the newest run, replaced atomically, written last
OUTPUT/_h5ferry/runs/<run-id>/         run.json, its signature, and the report unless that lies elsewhere
OUTPUT/_h5ferry/runs/<run-id>.<n>/     files of an earlier run of the same id
```
Each record names the digest of the one before, and latest.json that of the newest: one changed byte breaks the chain.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path

from pipeline.history.record import RecordError, RunRecord, RunReference, parse_latest, parse_record
from pipeline.history.signing import Signer
from pipeline.publication.layout import (
    LATEST,
    LATEST_BYTES,
    RECORD,
    RECORD_BYTES,
    RESERVED,
    RUNS,
    SHARDS,
    SIGNATURE,
    run_folder,
)
from pipeline.publication.locked_folders import LockState, lock_state, make_locked_folder
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.durable_file import PART, read_file, remove_file, write_file
from pipeline.storage.paths import is_remote
from pipeline.storage.regular_file import open_folder, read_regular
from transforms.platform.system_calls import lock


@contextlib.contextmanager
def open_run_folder(output: str, run_id: str) -> Iterator[None]:
    """Makes and locks the folder of a run; the lock shows other processes that the run is active.

    The folder of an earlier run of the same id is renamed. Unreadable leftovers of killed runs are removed. If the
    output is not local, nothing is locked or removed.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = run_folder(output, run_id)
    _set_aside(folder)
    if is_remote(output):
        yield
        return
    _, descriptor = make_locked_folder(repeat(Path(folder)), Path(output))
    try:
        sweep_runs(Path(output))
        yield
    finally:
        os.close(descriptor)
        with contextlib.suppress(OSError):  # Only a run that wrote nothing leaves it empty.
            os.rmdir(folder)


def sweep_runs(output: Path) -> None:
    """Removes the shards and partly written files of killed runs, and their folders if then empty."""
    for folder in sorted((output / RESERVED / RUNS).iterdir()):
        if folder.is_symlink() or not folder.is_dir() or os.path.lexists(folder / RECORD):
            continue
        if lock_state(folder) is not LockState.FREE:
            continue
        for entry in folder.iterdir():
            if entry.name.startswith(SHARDS):
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name.startswith(".") and entry.name.endswith(PART):
                entry.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()


def previous_run(output: str) -> RunReference | None:
    """The newest run of an output (folder or URL), None if there is none.

    It is the run that latest.json names or, if a run was killed before it updated that file, the last of its
    successors. If latest.json is missing or damaged, the chain is followed forward from its first run.

    Raises:
        OSError: latest.json cannot be read.
    """
    path = f"{output}/{RESERVED}/{LATEST}"
    data = read_file(path, LATEST_BYTES, _root(output))
    newest = None
    if data is not None:
        with contextlib.suppress(RecordError):
            newest = parse_latest(data)
    if is_remote(output):
        return newest
    following = dict(_records_since(Path(output, RESERVED, RUNS), os.stat(path).st_mtime_ns if newest else 0))
    while newest in following:
        newest = following.pop(newest)
    return newest


def _root(output: str) -> Path | None:
    """The folder that paths of a local output's history must stay in."""
    return None if is_remote(output) else Path(output)


def chain(output: str, newest: RunReference | None) -> Iterator[RunRecord]:
    """The records of an output (folder or URL) from the newest back, as far as they exist and are unaltered.

    Raises:
        OSError: one cannot be read.
    """
    reference = newest
    while reference is not None:
        record = _record_of(output, reference)
        if record is None:
            return
        yield record
        reference = record.previous


def _record_of(output: str, reference: RunReference) -> RunRecord | None:
    """The record that a reference names, also where a later run of the same id set it aside."""
    folder = run_folder(output, reference.run_id)
    for number in count():
        place = f"{folder}.{number}" if number else folder
        data = read_file(f"{place}/{RECORD}", RECORD_BYTES, _root(output))
        if data is not None and sha256_of(data) == reference.sha256:
            with contextlib.suppress(RecordError):
                return parse_record(data)
        if data is None and number:
            break
    return None


def _records_since(runs: Path, instant: int) -> Iterator[tuple[RunReference | None, RunReference]]:
    """The (previous run, run) of each record that was written at an instant (ns) or later."""
    for path in runs.glob(f"*/{RECORD}"):
        with contextlib.suppress(OSError, RecordError):
            if path.stat().st_mtime_ns >= instant:
                record = parse_record(read_regular(path, RECORD_BYTES, runs.parents[1]))
                yield record.previous, record.reference


@contextlib.contextmanager
def appending(output: str) -> Iterator[None]:
    """Locks the chain of a local output while a record is appended, so that no two records have the same
    predecessor.
    """
    if is_remote(output):
        yield
        return
    with open_folder(Path(output, RESERVED, RUNS), Path(output), make=True) as descriptor:
        with contextlib.suppress(OSError):
            lock(descriptor, wait=True)
        yield


def write_record(folder: str, record: RunRecord, signer: Signer | None) -> None:
    """Writes a record into a folder (or URL) after its signature, so that an existing record is complete.

    Raises:
        OSError: it cannot be written.
    """
    remove_record(folder)
    data = record.to_bytes()
    if signer is not None:
        write_file(f"{folder}/{SIGNATURE}", signer.sign(data))
    write_file(f"{folder}/{RECORD}", data)


def remove_record(folder: str) -> None:
    """Removes an earlier run's record from a folder whose report is about to be replaced."""
    for name in (RECORD, SIGNATURE):
        remove_file(f"{folder}/{name}")


def write_latest(output: str, record: RunRecord) -> None:
    """Makes `record` the newest run. Raises OSError if it cannot be written; the previous one then remains the
    newest.
    """
    write_file(f"{output}/{RESERVED}/{LATEST}", record.latest())


def _set_aside(folder: str) -> None:
    """Renames the folder of an ended run, so that another run can use the same id."""
    if not is_remote(folder):
        if Path(folder, RECORD).exists():
            os.rename(folder, next(name for n in count(1) if not Path(name := f"{folder}.{n}").exists()))
        return
    from apache_beam.io.filesystems import FileSystems

    if not FileSystems.exists(f"{folder}/{RECORD}"):
        return
    number = next(n for n in count(1) if not FileSystems.exists(f"{folder}.{n}/{RECORD}"))
    paths = [entry.path for entry in FileSystems.match([f"{folder}/**"])[0].metadata_list]
    FileSystems.rename(paths, [f"{folder}.{number}{path.removeprefix(folder)}" for path in paths])
