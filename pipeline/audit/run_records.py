"""Verification of an output's runs: records against their chain, report files and signatures against their record."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.audit.findings import Finding, Kind, relative_path
from pipeline.history.record import (
    FINISHED,
    FileDigest,
    RecordError,
    RunRecord,
    RunReference,
    parse_latest,
    parse_record,
)
from pipeline.history.signing import is_signature
from pipeline.publication.layout import (
    LATEST,
    LATEST_BYTES,
    LOCK,
    RECORD,
    RECORD_BYTES,
    RESERVED,
    RUNS,
    SIGNATURE,
    SIGNATURE_BYTES,
)
from pipeline.publication.locked_folders import LockState, lock_state
from pipeline.publication.locks import holder_of
from pipeline.storage.regular_file import digest_regular, read_regular

_NAMES_TOLD = 5
_RECORDLESS = (
    f"has no {RECORD}: its run was killed, or the record was removed. Remove the folder once you have looked at it"
)


@dataclass(frozen=True)
class History:
    """The run records of an output.

    Attributes:
        records: from the newest to the oldest, as far as the chain is intact.
        complete: whether the chain reaches a first run.
        kept: whether the output has a history.
        known: digests of all records in the history's folders.
        at_work: active runs, whose outputs are not recorded yet.
        findings, notes: of their verification.
    """

    records: tuple[RunRecord, ...] = ()
    complete: bool = True
    kept: bool = True
    known: frozenset[str] = frozenset()
    at_work: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def receipts(self) -> Mapping[str, tuple[str, str]]:
        """Sha256 of the receipt and id of the run, by "<model>/<version>", from the newest run that lists it."""
        return {
            name: (digest, record.run_id)
            for record in reversed(self.records)
            for name, digest in record.receipts.items()
        }

    @property
    def expected(self) -> Mapping[str, str]:
        """Outputs that must exist, and their run: those of the newest complete run over each manifest, or later."""
        found: dict[str, str] = {}
        settled: set[object] = set()
        for record in self.records:
            path = record.manifest.get("path")
            if path not in settled:
                found |= {name: record.run_id for name in record.receipts if name not in found}
            if record.state == FINISHED:
                settled.add(path)
        return found


@dataclass
class _Reading:
    """State of reading the history's folders."""

    root: Path
    keys: tuple[str, ...]
    folders: dict[str, tuple[Path, RunRecord]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    at_work: set[str] = field(default_factory=set)

    def find(self, kind: Kind, path: Path, message: str) -> None:
        self.findings.append(Finding(kind, relative_path(path, self.root), message))


def read_history(root: Path, keys: tuple[str, ...]) -> History:
    """Reads and verifies `_h5ferry` of an output folder.

    Args:
        root: the output.
        keys: public keys (hex), one of which must have signed each record; empty: no signature is required.
    """
    place = root / RESERVED
    reading = _Reading(root, keys)
    if not os.path.lexists(place):
        note = "There is no record of any run: nothing vouches for the receipts."
        finding = Finding(Kind.UNSIGNED, RESERVED, "is missing: no signed run vouches for what is here")
        return History(kept=False, findings=(finding,) if keys else (), notes=() if keys else (note,))
    for entry in _entries(reading, place):
        if entry.name == RUNS and entry.is_dir(follow_symlinks=False):
            _read_runs(reading, Path(entry.path))
        elif entry.name == LOCK and entry.is_file(follow_symlinks=False):
            _read_lock(reading, Path(entry.path))
        elif entry.name != LATEST or not entry.is_file(follow_symlinks=False):
            reading.find(Kind.EXTRA, Path(entry.path), "is nothing that a run leaves")
    records, complete = _chain(reading, place / LATEST)
    return History(
        records=tuple(records),
        complete=complete,
        known=frozenset(reading.folders),
        at_work=frozenset(reading.at_work),
        findings=tuple(reading.findings),
        notes=tuple(reading.notes),
    )


def check_run_folder(folder: Path, root: Path, keys: tuple[str, ...]) -> tuple[RunRecord | None, list[Finding]]:
    """Checks one folder with a record: the record's form and signature, the report's files, and that nothing else is
    there.

    Returns:
        The record, None if it cannot be read, and the findings.
    """
    reading = _Reading(root, keys)
    return _read_run(reading, folder), reading.findings


def _entries(reading: _Reading, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            return sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        reading.find(Kind.UNREADABLE, folder, f"cannot be read: {error.strerror}")
        return []


def _read_lock(reading: _Reading, path: Path) -> None:
    holder = holder_of(reading.root)
    if holder is None:
        reading.find(Kind.LEFTOVER, path, "was left by a run that was killed; the next run removes it")
    else:
        reading.notes.append(f"The output is in use by {holder}.")
        reading.at_work.add(holder.run_id)


def _read_runs(reading: _Reading, folder: Path) -> None:
    for entry in _entries(reading, folder):
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            reading.find(Kind.EXTRA, path, "is nothing that a run leaves")
        elif not os.path.lexists(path / RECORD):
            if lock_state(path) is LockState.HELD:
                reading.notes.append(f"Run {entry.name} is at work.")
                reading.at_work.add(entry.name)
            else:
                reading.find(Kind.LEFTOVER, path, _RECORDLESS)
        elif (record := _read_run(reading, path)) is not None:
            reading.folders[record.reference.sha256] = path, record


def _read_run(reading: _Reading, folder: Path) -> RunRecord | None:
    path = folder / RECORD
    try:
        data = read_regular(path, RECORD_BYTES, folder)
        record = parse_record(data)
    except (OSError, RecordError) as error:
        reading.find(Kind.ALTERED, path, f"was altered: {error}")
        return None
    in_history = folder.parent == reading.root / RESERVED / RUNS
    beside = {} if in_history and record.report else record.report_files
    _check_files(reading, folder, beside, in_history)
    _check_signature(reading, folder, record, data)
    return record


def _check_files(reading: _Reading, folder: Path, files: Mapping[str, FileDigest], in_history: bool) -> None:
    """Checks that the report's files are present and unaltered and that nothing else is; folders only outside the
    history.
    """
    for name, expected in files.items():
        path = folder / name
        try:
            status = path.lstat()
            same = stat.S_ISREG(status.st_mode) and status.st_size == expected.bytes
            if not same or digest_regular(path, folder)[1] != expected.sha256:
                reading.find(Kind.ALTERED, path, "is not the file that the run wrote")
        except FileNotFoundError:
            reading.find(Kind.MISSING, path, "is missing")
        except OSError as error:
            reading.find(Kind.UNREADABLE, path, f"cannot be read: {error.strerror}")
    for entry in _entries(reading, folder):
        if entry.name not in {*files, RECORD, SIGNATURE} and (in_history or not entry.is_dir(follow_symlinks=False)):
            reading.find(Kind.EXTRA, Path(entry.path), "is nothing that the run left")


def _check_signature(reading: _Reading, folder: Path, record: RunRecord, data: bytes) -> None:
    path = folder / SIGNATURE
    try:
        signature: bytes | None = read_regular(path, SIGNATURE_BYTES, folder)
    except FileNotFoundError:
        signature = None
    except OSError as error:
        return reading.find(Kind.UNREADABLE, path, f"cannot be read: {error.strerror}")
    if signature is None:
        if record.signer or reading.keys:
            reading.find(Kind.UNSIGNED, path, f"is missing: nothing proves who made {RECORD}")
    elif not record.signer:
        reading.find(Kind.EXTRA, path, f"is a signature, though {RECORD} names no signer")
    elif not is_signature(record.signer, signature, data):
        reading.find(Kind.UNSIGNED, path, f"is not the signature of {RECORD} by the signer that it names")
    elif reading.keys and record.signer not in reading.keys:
        reading.find(Kind.UNSIGNED, path, f"was made with another key than given: {record.signer}")
    return None


def _chain(reading: _Reading, latest: Path) -> tuple[list[RunRecord], bool]:
    """Follows the records back from latest.json. Returns whether the chain reaches the first run."""
    if not reading.folders and not latest.exists():
        return [], True
    try:
        data = read_regular(latest, LATEST_BYTES, reading.root)
        reference: RunReference | None = parse_latest(data)
    except (OSError, RecordError) as error:
        kind = Kind.ALTERED if latest.exists() else Kind.MISSING
        reading.find(kind, latest, f"does not name the newest run: {error}")
        return [], False
    records: list[RunRecord] = []
    names_it = latest
    reached: set[str] = set()
    while reference is not None:
        found = reading.folders.get(reference.sha256) or _altered(reading, reference, names_it, reached)
        if found is None or (digest := found[1].reference.sha256) in reached:
            break
        reached.add(digest)
        if not records and data != found[1].latest():
            reading.find(Kind.ALTERED, latest, "does not say what the newest run recorded")
        records.append(found[1])
        if found[1].taken_over:
            names = ", ".join(found[1].taken_over[:_NAMES_TOLD])
            reading.notes.append(f"Run {found[1].run_id} found receipts that no run before it recorded: {names}.")
        names_it, reference = found[0] / RECORD, found[1].previous
    for digest, (folder, _) in reading.folders.items():
        if digest not in reached:
            message = f"is not among the runs that {LATEST} leads to: altered, put there, or killed at its very end"
            reading.find(Kind.UNRECORDED, folder / RECORD, message)
    if reference is not None:
        reading.notes.append(f"The history begins after run {reference.run_id}, whose record is not there.")
    return records, reference is None


def _altered(
    reading: _Reading, reference: RunReference, names_it: Path, reached: set[str]
) -> tuple[Path, RunRecord] | None:
    """The record with the name but another digest: it or the file that names it was altered."""
    for digest, (folder, record) in _newest_first(reading.folders.items()):
        if record.run_id == reference.run_id and digest not in reached:
            told = relative_path(names_it, reading.root)
            message = f"has not the digest that {told} names: one of the two was altered"
            reading.find(Kind.ALTERED, folder / RECORD, message)
            return folder, record
    return None


def _newest_first(
    folders: Iterable[tuple[str, tuple[Path, RunRecord]]],
) -> Iterator[tuple[str, tuple[Path, RunRecord]]]:
    yield from sorted(folders, key=lambda item: item[1][1].finished_at, reverse=True)
