"""Verification of an output's runs: records against their chain, report files and signatures against their record."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.audit.findings import Finding, Kind, NewestRun, relative_path
from pipeline.audit.parsing import ConfinedParser
from pipeline.audit.run_folder import StoredRun, check_run_folder
from pipeline.history.chain import last_of
from pipeline.history.inventory import RecordedOutput, inventory
from pipeline.history.record import RecordError, RunRecord, RunReference, parse_latest
from pipeline.publication.layout import LATEST, LATEST_BYTES, LOCK, RECORD, RESERVED, RUNS
from pipeline.publication.locked_folders import LockState, lock_state
from pipeline.publication.locks import holder_of
from pipeline.storage.regular_file import read_regular

_NAMES_TOLD = 5
_RECORDLESS = (
    f"has no {RECORD}: its run was killed, or the record was removed. Remove the folder once you have looked at it"
)


@dataclass(frozen=True)
class History:
    """The run records of an output.

    Attributes:
        records: from the newest to the oldest, as far as the chain leads.
        kept: False for an output without any history.
        known: digests of all records in the history's folders.
        newest: what the newest record that counts says of itself: with keys, the newest signed one.
        recorded: what it vouches for, by "<model>/<version>".
        at_work: runs that have not ended, whose outputs no record can tell of yet; with keys none, for nothing that
            nobody signed excuses an output.
        findings, notes: of their verification.
    """

    records: tuple[RunRecord, ...] = ()
    kept: bool = True
    known: frozenset[str] = frozenset()
    newest: NewestRun | None = None
    recorded: Mapping[str, RecordedOutput] = field(default_factory=dict)
    at_work: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Reading:
    """State of reading the history's folders."""

    root: Path
    keys: tuple[str, ...]
    parser: ConfinedParser
    runs: dict[str, StoredRun] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    at_work: set[str] = field(default_factory=set)

    def find(self, kind: Kind, path: Path, message: str) -> None:
        self.findings.append(Finding(kind, relative_path(path, self.root), message))


def read_history(root: Path, keys: tuple[str, ...], parser: ConfinedParser) -> History:
    """Reads and verifies `_h5ferry` of an output folder.

    Args:
        root: the output.
        keys: public keys (hex), one of which must have signed each record; none asks for no signature.
        parser: parses the records.
    """
    place = root / RESERVED
    reading = _Reading(root, keys, parser)
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
    records, named = _chain(reading, place / LATEST)
    newest = _newest(reading, records, named)
    ended = {run.record.run_id for run in reading.runs.values()}
    return History(
        records=tuple(records),
        known=frozenset(reading.runs),
        newest=None if newest is None else newest.summary,
        recorded=inventory(None if newest is None else newest.record),
        at_work=frozenset() if keys else frozenset(reading.at_work - ended),
        findings=tuple(reading.findings),
        notes=tuple(reading.notes),
    )


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
            _read_recordless(reading, path)
        else:
            run, findings = check_run_folder(path, reading.root, reading.keys, reading.parser, in_history=True)
            reading.findings += findings
            if run is not None:
                reading.runs[run.record.reference.sha256] = run


def _read_recordless(reading: _Reading, folder: Path) -> None:
    """A folder whose run is at work if its lock says so; what cannot be told is not taken for an excuse."""
    state = lock_state(folder)
    if state is LockState.HELD:
        reading.notes.append(f"Run {folder.name} is at work.")
        reading.at_work.add(folder.name)
    elif state is LockState.FREE:
        reading.find(Kind.LEFTOVER, folder, _RECORDLESS)
    else:
        reading.find(Kind.UNREADABLE, folder, f"has no {RECORD}, and whether its run is at work cannot be told")


def _chain(reading: _Reading, latest: Path) -> tuple[list[RunRecord], StoredRun | None]:
    """Follows the records from latest.json back; the run that latest.json names, None where it names none."""
    if not reading.runs and not os.path.lexists(latest):
        return [], None
    try:
        data = read_regular(latest, LATEST_BYTES, reading.root)
        reference: RunReference | None = parse_latest(data)
    except (OSError, RecordError) as error:
        kind = Kind.ALTERED if os.path.lexists(latest) else Kind.MISSING
        reading.find(kind, latest, f"does not name the newest run: {error}")
        return [], None
    named = None if reference is None else reading.runs.get(reference.sha256)
    records: list[RunRecord] = []
    names_it = latest
    reached: set[str] = set()
    while reference is not None:
        found = reading.runs.get(reference.sha256) or _altered(reading, reference, names_it, reached)
        if found is None or (digest := found.record.reference.sha256) in reached:
            break
        reached.add(digest)
        if not records and data != found.record.latest():
            reading.find(Kind.ALTERED, latest, "does not say what the newest run recorded")
        records.append(found.record)
        _tell_taken_over(reading, found)
        names_it, reference = found.folder / RECORD, found.record.previous
    for digest, run in reading.runs.items():
        if digest not in reached:
            message = f"is not among the runs that {LATEST} leads to: altered, put there, or killed at its very end"
            reading.find(Kind.UNRECORDED, run.folder / RECORD, message)
    if reference is not None:
        reading.notes.append(f"The history begins after run {reference.run_id}, whose record is not there.")
    return records, named


def _newest(reading: _Reading, records: list[RunRecord], named: StoredRun | None) -> StoredRun | None:
    """The run whose record says what must be there.

    With keys that is the end of the chain of signed records, whatever latest.json says; without, the one which it
    leads to.
    """
    if not reading.keys:
        return reading.runs.get(records[0].reference.sha256) if records else None
    signed = [run.record for run in reading.runs.values() if run.signed_by]
    newest = last_of(signed, named.record if named is not None and named.signed_by else None)
    return None if newest is None else reading.runs[newest.reference.sha256]


def _tell_taken_over(reading: _Reading, run: StoredRun) -> None:
    if not run.record.taken_over:
        return
    names = ", ".join(run.record.taken_over[:_NAMES_TOLD])
    what = f"found receipts that no run before it recorded: {names}"
    if reading.keys:
        reading.find(Kind.UNRECORDED, run.folder / RECORD, f"{what}, and took them over")
    else:
        reading.notes.append(f"Run {run.record.run_id} {what}.")


def _altered(reading: _Reading, reference: RunReference, names_it: Path, reached: set[str]) -> StoredRun | None:
    """The record that has the name but not the digest: altered, or else the file that names it is."""
    for digest, run in _newest_first(reading.runs.items()):
        if run.record.run_id == reference.run_id and digest not in reached:
            told = relative_path(names_it, reading.root)
            message = f"has not the digest that {told} names: one of the two was altered"
            reading.find(Kind.ALTERED, run.folder / RECORD, message)
            return run
    return None


def _newest_first(runs: Iterable[tuple[str, StoredRun]]) -> Iterator[tuple[str, StoredRun]]:
    yield from sorted(runs, key=lambda item: item[1].record.finished_at, reverse=True)
