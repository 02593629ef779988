"""The record of a run, `run.json`: inputs, options, results, and digests of all of them.

Its digest is that of the file's bytes, which are canonical; the signature covers the same bytes. Records form a chain:
each names the digest of the record before it, and `latest.json` that of the newest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pipeline.storage.canonical_json import canonical_json, sha256_of

FINISHED, INTERRUPTED = "finished", "interrupted"
#: Incremented when the record's format changes.
_FORMAT = 1


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
        taken_over: those of them that existed before the run and differ from the previous runs' records.
        previous: the previous run in the same output, None for the first.
        signer: public key (Ed25519, hex) of the signature beside this record, "" for none.
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


def parse_record(data: bytes) -> RunRecord:
    """The record in `data`.

    Raises:
        RecordError: it is not a record, or differs from its canonical form in any byte.
    """
    try:
        content = json.loads(data)
        if content.pop("format") != _FORMAT:
            raise RecordError("it has another format than this version writes")
        files = {name: FileDigest(**digest) for name, digest in content.pop("report_files").items()}
        previous, taken_over = content.pop("previous"), tuple(content.pop("taken_over"))
        reference = None if previous is None else RunReference(**previous)
        record = RunRecord(report_files=files, previous=reference, taken_over=taken_over, **content)
        if not _is_typed(record) or record.to_bytes() != data:
            raise RecordError("it is not in canonical form")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RecordError(f"it is no record of a run ({type(error).__name__})") from error
    return record


def parse_latest(data: bytes) -> RunReference:
    """The run that `latest.json` names.

    Raises:
        RecordError: it names none.
    """
    try:
        content = json.loads(data)
        run_id, sha256 = content["run_id"], content["run_json_sha256"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RecordError(f"it names no run ({type(error).__name__})") from error
    if not isinstance(run_id, str) or not isinstance(sha256, str):
        raise RecordError("it names no run")
    return RunReference(run_id, sha256)


def _is_typed(record: RunRecord) -> bool:
    """Checks the types of fields and their elements, so that readers need not."""
    kinds = {"str": str, "int": int}
    plain = all(isinstance(getattr(record, f.name), kinds.get(str(f.type), object)) for f in fields(record))
    tables = (record.manifest, record.options, record.versions, record.counts, record.report_files, record.receipts)
    digests = (record.receipts.values(), (file.sha256 for file in record.report_files.values()))
    return (
        plain
        and all(isinstance(table, dict) for table in tables)
        and all(isinstance(digest, str) for group in (*digests, record.taken_over) for digest in group)
    )
