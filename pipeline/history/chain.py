"""The run records of an output, stored beside the published models.

```
OUTPUT/_h5ferry/lock                   while a run is active
OUTPUT/_h5ferry/latest.json            the newest run, replaced atomically, written last
OUTPUT/_h5ferry/runs/<run-id>/         run.json, its signature, and the report unless that lies elsewhere
OUTPUT/_h5ferry/runs/<run-id>.<n>/     files of an earlier run of the same id
```
Each record names the digest of the one before, and latest.json that of the newest: one changed byte breaks the chain.
Where public keys are given, only records that one of them signed count; latest.json is then but a hint, for nobody
signs it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count, repeat
from pathlib import Path

from pipeline.history.record import RecordError, RunRecord, RunReference, parse_latest, parse_record
from pipeline.history.signing import Signer, signing_key
from pipeline.publication.layout import (
    LATEST,
    LATEST_BYTES,
    RECORD,
    RECORD_BYTES,
    RESERVED,
    RUNS,
    SHARDS,
    SIGNATURE,
    SIGNATURE_BYTES,
    run_folder,
)
from pipeline.publication.locked_folders import LockState, lock_state, make_locked_folder
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.durable_file import PART, read_file, write_file
from pipeline.storage.paths import is_remote
from pipeline.storage.regular_file import open_folder
from transforms.platform.system_calls import lock

Keys = tuple[str, ...]
#: What the clocks of a machine and of its disks may differ by.
_CLOCK_SECONDS = 3600.0


@contextlib.contextmanager
def open_run_folder(output: str, run_id: str) -> Iterator[None]:
    """Makes and locks the folder of a run; the lock shows other processes that the run is active.

    The folder of an earlier run of the same id is renamed. Unreadable leftovers of killed runs are removed. If the
    output is not local, nothing is locked or removed.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = run_folder(output, run_id)
    _set_aside(output, run_id)
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
        with open_folder(folder, output) as opened:
            for name in os.listdir(opened):
                if name.startswith(SHARDS):
                    with contextlib.suppress(OSError):
                        shutil.rmtree(name, dir_fd=opened)
                elif name.startswith(".") and name.endswith(PART):
                    with contextlib.suppress(OSError):
                        os.unlink(name, dir_fd=opened)
        with contextlib.suppress(OSError):
            folder.rmdir()


def newest_run(output: str, keys: Keys = ()) -> RunRecord | None:
    """The newest run of an output (folder or URL), None for none.

    That is the one which latest.json names or, when a run was killed before it could say so there, the last that
    follows on it. Where latest.json is lost, damaged or names a run that does not count, it is the last of those that
    no other one follows.

    Args:
        output: folder or URL.
        keys: public keys (hex), one of which must have signed the record; none takes every record.

    Raises:
        OSError: a store cannot be asked.
    """
    named = _named_by_latest(output, keys)
    if is_remote(output):
        return named
    since = _instant(named.finished_at) - _CLOCK_SECONDS if named else 0.0
    return last_of(list(_records_since(Path(output, RESERVED, RUNS), since, keys)), named)


def _named_by_latest(output: str, keys: Keys) -> RunRecord | None:
    try:
        data = read_file(f"{output}/{RESERVED}/{LATEST}", LATEST_BYTES, _root(output))
        return None if data is None else read_record(output, parse_latest(data), keys)
    except RecordError:
        return None
    except OSError:  # A link or a FIFO in its place is as good as none; a store that does not answer is not.
        if is_remote(output):
            raise
        return None


def last_of(records: Sequence[RunRecord], named: RunRecord | None) -> RunRecord | None:
    """The end of the chain among records: from `named` on, where it is given; else the latest that none follows."""
    following = {record.previous: record for record in sorted(records, key=_by_time)}
    if named is None:
        ends = [record for record in records if record.reference not in following]
        return max(ends, key=_by_time, default=None)
    while (after := following.pop(named.reference, None)) is not None:
        named = after
    return named


def previous_run(output: str) -> RunReference | None:
    """The newest run of an output as the next record names it, None for none. Raises OSError as `newest_run`."""
    newest = newest_run(output)
    return None if newest is None else newest.reference


def chain(output: str, newest: RunRecord | None, keys: Keys = ()) -> Iterator[RunRecord]:
    """The records of an output (folder or URL) from the newest back, as far as they are there, unaltered and count.

    Raises:
        OSError: one cannot be read.
    """
    record = newest
    while record is not None:
        yield record
        record = None if record.previous is None else read_record(output, record.previous, keys)


def read_record(output: str, reference: RunReference, keys: Keys = ()) -> RunRecord | None:
    """The record that a reference names, also where a later run of the same id set it aside.

    None where it is not there, was altered, or was signed by none of the keys.

    Raises:
        OSError: it cannot be read.
    """
    folder = run_folder(output, reference.run_id)
    for number in count():
        place = f"{folder}.{number}" if number else folder
        data = read_file(f"{place}/{RECORD}", RECORD_BYTES, _root(output))
        if data is not None and sha256_of(data) == reference.sha256:
            return _counted(output, place, data, keys)
        if data is None and number:
            return None
    return None


def _counted(output: str, folder: str, data: bytes, keys: Keys) -> RunRecord | None:
    """The record in a file, if it is one and, where keys are given, was signed by one of them.

    The signature is looked at first: what nobody signed is not even parsed then.
    """
    key = ""
    if keys:
        with contextlib.suppress(OSError):
            signature = read_file(f"{folder}/{SIGNATURE}", SIGNATURE_BYTES, _root(output))
            key = signing_key(keys, signature or b"", data)
        if not key:
            return None
    try:
        record = parse_record(data)
    except RecordError:
        return None
    return record if record.signer == key or not keys else None


def _by_time(record: RunRecord) -> tuple[str, str]:
    return record.finished_at, record.run_id


def _instant(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 text, 0 for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _root(output: str) -> Path | None:
    """The folder that paths of a local output's history must stay in."""
    return None if is_remote(output) else Path(output)


def _records_since(runs: Path, instant: float, keys: Keys) -> Iterator[RunRecord]:
    """The records that count and were written at an instant (seconds since 1970) or later."""
    output = str(runs.parents[1])
    for path in runs.glob(f"*/{RECORD}"):
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime >= instant:
                data = read_file(str(path), RECORD_BYTES, runs.parents[1])
                record = None if data is None else _counted(output, str(path.parent), data, keys)
                if record is not None:
                    yield record


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


def write_record(folder: str, record: RunRecord, signer: Signer | None, root: Path | None = None) -> None:
    """Writes a record into a folder (or URL), after its signature, so that a record that is there is complete.

    Args:
        folder: local, or a URL.
        record: to write.
        signer: signs it, if any.
        root: no folder between it and a local `folder` may be a link; None trusts the path.

    Raises:
        OSError: it cannot be written.
    """
    remove_record(folder, root)
    data = record.to_bytes()
    if signer is not None:
        write_file(f"{folder}/{SIGNATURE}", signer.sign(data), root)
    write_file(f"{folder}/{RECORD}", data, root)


def remove_record(folder: str, root: Path | None = None) -> None:
    """Removes an earlier run's record from a folder whose report is about to be replaced."""
    if is_remote(folder):
        from apache_beam.io.filesystems import FileSystems

        for name in (RECORD, SIGNATURE):
            if FileSystems.exists(f"{folder}/{name}"):
                FileSystems.delete([f"{folder}/{name}"])
        return
    with contextlib.suppress(FileNotFoundError), open_folder(Path(folder), root) as opened:
        for name in (RECORD, SIGNATURE):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=opened)


def write_latest(output: str, record: RunRecord) -> None:
    """Makes `record` the newest run. Raises OSError when it cannot be written: the one before remains the newest."""
    write_file(f"{output}/{RESERVED}/{LATEST}", record.latest(), _root(output))


def _set_aside(output: str, run_id: str) -> None:
    """Renames the folder of an ended run, so that another run of the same id can have its name."""
    folder = run_folder(output, run_id)
    if not is_remote(output):
        with contextlib.suppress(FileNotFoundError), open_folder(Path(folder).parent, Path(output)) as runs:
            os.stat(f"{run_id}/{RECORD}", dir_fd=runs, follow_symlinks=False)
            there = set(os.listdir(runs))
            free = next(name for number in count(1) if (name := f"{run_id}.{number}") not in there)
            os.rename(run_id, free, src_dir_fd=runs, dst_dir_fd=runs)
        return
    from apache_beam.io.filesystems import FileSystems

    if not FileSystems.exists(f"{folder}/{RECORD}"):
        return
    number = next(n for n in count(1) if not FileSystems.exists(f"{folder}.{n}/{RECORD}"))
    paths = [entry.path for entry in FileSystems.match([f"{folder}/**"])[0].metadata_list]
    FileSystems.rename(paths, [f"{folder}.{number}{path.removeprefix(folder)}" for path in paths])
