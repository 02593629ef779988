"""The record of a run, `run.json`: inputs, options, results, and digests of all of them.

Its digest is that of the file's bytes, which are canonical; the signature covers the same bytes. Records form a chain:
each names the digest of the record before it, and `latest.json` that of the newest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from pipeline.publication.layout import RECORD, SIGNATURE, is_file_name, is_output_name, is_run_id
from pipeline.storage.canonical_json import canonical_json, refuse_many_values, sha256_of

FINISHED, INTERRUPTED = "finished", "interrupted"
#: Raised when the record changes shape.
_FORMAT = 2
#: Values of one record: some two hundred thousand outputs.
_MOST_VALUES = 1_000_000


class RecordError(Exception):
    """A file is not a run record, or not in canonical form."""


@dataclass(frozen=True)
class FileDigest:
    """One file: size in bytes, sha256 in hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class RunReference:
    """A run by its id and the sha256 of its record."""

    run_id: str
    sha256: str


@dataclass(frozen=True)
class EarlierRun:
    """What an earlier run published or found, and what no run since had a row for.

    Attributes:
        run_id: of that run.
        finished_at: UTC, ISO 8601.
        manifest: its path or URL.
        demanded: whether the outputs must be there; those of rows that were taken out of their manifest need not.
        receipts, outputs: as in `RunRecord`.
    """

    run_id: str
    finished_at: str
    manifest: str
    demanded: bool
    receipts: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`.

    Attributes:
        run_id: name of the run.
        state: `finished` or `interrupted`.
        exit_status: of the program.
        started_at, finished_at: UTC, ISO 8601.
        manifest: path or URL, sha256, and number of rows.
        output: absolute folder or URL.
        report: folder or URL of the report, "" when the report lies beside this record.
        options: options of the run.
        versions: of this program and its platform.
        counts: rows by status, reason and evidence.
        report_files: name -> digest of each file of the report.
        receipts: "<model>/<version>" -> sha256 of the receipt, for each row that is published.
        outputs: the same names -> digest of the whole output, as its receipt and the report tell it.
        earlier: what earlier runs published besides. So the newest record alone tells of the whole output.
        taken_over: names of `receipts` that the run found there, and that no record before it knew.
        previous: the run before this one in the same output, None for the first.
        signer: public key (Ed25519, hex) that the signature beside this record is made with, "" for none.
    """

    run_id: str
    state: str
    exit_status: int
    started_at: str
    finished_at: str
    manifest: Mapping[str, str | int]
    output: str
    report: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    report_files: Mapping[str, FileDigest] = field(default_factory=dict)
    receipts: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[EarlierRun, ...] = ()
    taken_over: tuple[str, ...] = ()
    previous: RunReference | None = None
    signer: str = ""

    def to_bytes(self) -> bytes:
        """The file's content. Raises ValueError for a number that is not finite."""
        return canonical_json({"format": _FORMAT, **asdict(self)})

    @property
    def reference(self) -> RunReference:
        """The reference to this record in the next one and in `latest.json`."""
        return RunReference(self.run_id, sha256_of(self.to_bytes()))

    def latest(self) -> bytes:
        """The content of `latest.json` if this is the newest run."""
        told = ("run_id", "state", "exit_status", "finished_at", "report", "counts")
        content = {name: getattr(self, name) for name in told}
        return canonical_json({"format": _FORMAT, **content, "run_json_sha256": self.reference.sha256})


class _Form(msgspec.Struct):
    """What a record says of its own form."""

    format: int


def parse_record(data: bytes) -> RunRecord:
    """The record in `data`.

    Raises:
        RecordError: it is none, one byte differs from its canonical form, or a name in it leads out of its folder.
    """
    try:
        refuse_many_values(data, _MOST_VALUES)
        if msgspec.json.decode(data, type=_Form).format != _FORMAT:
            raise RecordError("it has another format than this version writes")
        record = msgspec.json.decode(data, type=RunRecord)
        if record.to_bytes() != data:
            raise RecordError("it is not in canonical form")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RecordError(f"it is no record of a run ({type(error).__name__})") from error
    if not _is_confined(record):
        raise RecordError("a name in it leads out of its folder")
    return record


class _Latest(msgspec.Struct):
    """What is needed of `latest.json`."""

    run_id: str
    run_json_sha256: str


def parse_latest(data: bytes) -> RunReference:
    """The run that `latest.json` names.

    Raises:
        RecordError: it names none.
    """
    try:
        refuse_many_values(data, _MOST_VALUES)
        latest = msgspec.json.decode(data, type=_Latest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RecordError(f"it names no run ({type(error).__name__})") from error
    if not is_run_id(latest.run_id):
        raise RecordError("it names no run")
    return RunReference(latest.run_id, latest.run_json_sha256)


def _is_confined(record: RunRecord) -> bool:
    """Whether no name leads out of its folder: of runs, of the report's files, of outputs."""
    runs = [record.run_id, *(run.run_id for run in record.earlier)]
    if record.previous is not None:
        runs.append(record.previous.run_id)
    tables = [record.receipts, record.outputs]
    for run in record.earlier:
        tables += [run.receipts, run.outputs]
    return (
        all(map(is_run_id, runs))
        and all(is_file_name(name) and name not in (RECORD, SIGNATURE) for name in record.report_files)
        and all(is_output_name(name) for table in tables for name in table)
    )
