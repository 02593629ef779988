"""One folder with a run record, verified: its form, its signature, the report's files beside it, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.audit.findings import Finding, Kind, NewestRun, relative_path
from pipeline.audit.parsing import ConfinedParser
from pipeline.history.record import FileDigest, RecordError, RunRecord
from pipeline.history.signing import is_signature
from pipeline.publication.layout import RECORD, RECORD_BYTES, SIGNATURE, SIGNATURE_BYTES
from pipeline.storage.digest import is_sparse
from pipeline.storage.regular_file import digest_regular, read_regular


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder tells of it.

    Attributes:
        folder: where its record lies.
        record: parsed.
        signed_by: the one of the keys given that its signature was checked with, "" for none.
    """

    folder: Path
    record: RunRecord
    signed_by: str

    @property
    def summary(self) -> NewestRun:
        """What a reader is told of it."""
        record = self.record
        path = str(record.manifest.get("path", ""))
        sha256 = record.reference.sha256
        return NewestRun(record.run_id, record.finished_at, sha256, record.output, path, self.signed_by)


def check_run_folder(
    folder: Path, root: Path, keys: Collection[str], parser: ConfinedParser, *, in_history: bool
) -> tuple[StoredRun | None, list[Finding]]:
    """Checks one folder.

    Args:
        folder: local.
        root: what findings name paths relative to, and what no part of the folder's files leads out of.
        keys: public keys (hex), one of which must have signed; none asks for no signature.
        parser: parses the record.
        in_history: whether it is one of the output's own run folders, which hold no folders.

    Returns:
        The run, None when its record is not readable, and what is wrong.
    """
    path = relative_path(folder / RECORD, root)
    try:
        data = read_regular(folder / RECORD, RECORD_BYTES, root)
        record = parser.record(data)
    except (OSError, RecordError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        return None, [Finding(Kind.ALTERED, path, f"was altered: {said}")]
    elsewhere = in_history and bool(record.report)
    findings = list(_about_files(folder, root, {} if elsewhere else record.report_files, in_history))
    finding = _about_signature(folder, root, record, data, keys)
    if finding is not None:
        findings.append(finding)
    return StoredRun(folder, record, record.signer if keys and finding is None else ""), findings


def _about_files(folder: Path, root: Path, files: Mapping[str, FileDigest], in_history: bool) -> Iterator[Finding]:
    """The report's files are there and unaltered, and nothing else is; outside the history, folders may be."""
    for name, expected in files.items():
        file = folder / name
        path = relative_path(file, root)
        try:
            status = file.lstat()
            same_size = stat.S_ISREG(status.st_mode) and status.st_size == expected.bytes
            if same_size and is_sparse(status):
                yield Finding(Kind.UNREADABLE, path, "is sparse, and not read")
            elif not same_size or digest_regular(file, root) != (expected.bytes, expected.sha256):
                yield Finding(Kind.ALTERED, path, "is not the file that the run wrote")
        except FileNotFoundError:
            yield Finding(Kind.MISSING, path, "is missing")
        except OSError as error:
            yield Finding(Kind.UNREADABLE, path, f"cannot be read: {error.strerror}")
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        yield Finding(Kind.UNREADABLE, relative_path(folder, root), f"cannot be read: {error.strerror}")
        return
    for entry in entries:
        if entry.name not in {*files, RECORD, SIGNATURE} and (in_history or not entry.is_dir(follow_symlinks=False)):
            yield Finding(Kind.EXTRA, relative_path(Path(entry.path), root), "is nothing that the run left")


def _about_signature(folder: Path, root: Path, record: RunRecord, data: bytes, keys: Collection[str]) -> Finding | None:
    path = relative_path(folder / SIGNATURE, root)
    try:
        signature = read_regular(folder / SIGNATURE, SIGNATURE_BYTES, root)
    except FileNotFoundError:
        unsigned = bool(record.signer or keys)
        return Finding(Kind.UNSIGNED, path, f"is missing: nothing proves who made {RECORD}") if unsigned else None
    except OSError as error:
        return Finding(Kind.UNSIGNED, path, f"is no signature: it {error.strerror}")
    if not record.signer:
        return Finding(Kind.EXTRA, path, f"is a signature, though {RECORD} names no signer")
    if not is_signature(record.signer, signature, data):
        return Finding(Kind.UNSIGNED, path, f"is not the signature of {RECORD} by the signer that it names")
    if keys and record.signer not in keys:
        return Finding(Kind.UNSIGNED, path, f"was made with another key than given: {record.signer}")
    return None
