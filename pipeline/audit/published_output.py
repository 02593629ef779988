"""One published output, verified: its receipt against the run that vouches for it, its files against the receipt."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.audit.findings import Finding, Kind
from pipeline.audit.parsing import ConfinedParser
from pipeline.history.inventory import RecordedOutput
from pipeline.publication.destination import own_folders
from pipeline.publication.layout import RECEIPT
from pipeline.publication.receipt import PublishedFile, Receipt, receipt_bytes
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.digest import is_sparse
from pipeline.storage.regular_file import digest_regular


@dataclass(frozen=True)
class Expectation:
    """What is known of an output from elsewhere.

    Attributes:
        name: the last parts of "<model>/<version>", as many as are known; "" for none.
        recorded: what a record or a report says of it; None where none does.
        signed: whether only a signed record counts: an output that none vouches for is then not looked into.
        required: whether an output that no record vouches for is wrong.
        at_work: runs that have not ended: what they publish is not recorded yet.
    """

    name: str = ""
    recorded: RecordedOutput | None = None
    signed: bool = False
    required: bool = False
    at_work: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CheckedOutput:
    """An output that was looked at: its receipt, None for no readable one, and what is wrong with it."""

    receipt: Receipt | None
    findings: tuple[Finding, ...]


def check_output(folder: Path, path: str, expected: Expectation, root: Path, parser: ConfinedParser) -> CheckedOutput:
    """How an output differs from its receipt, and the receipt from what is known of it.

    With keys, every file of an output without findings has the digest that a receipt lists whose own digest stands in
    a signed record.

    Args:
        folder: the output.
        path: how findings name it.
        expected: what is known of it from elsewhere.
        root: no folder between it and the output's files may be a link.
        parser: parses the receipt.
    """
    if not os.path.lexists(folder):
        return CheckedOutput(None, (Finding(Kind.MISSING, path, "is missing"),))
    place = f"{path}/{RECEIPT}"
    data = receipt_bytes(folder, root)
    if data is None:
        said = "is missing or unreadable: no readable receipt vouches for the output"
        return CheckedOutput(None, (Finding(Kind.MISSING, place, said),))
    receipt = parser.receipt(data)
    if receipt is None:
        return CheckedOutput(None, (Finding(Kind.ALTERED, place, "was altered: it is no readable receipt"),))
    findings = list(_about_receipt(receipt, data, place, expected))
    if not (findings and expected.signed):
        findings += _about_files(receipt, folder, path, root)
    return CheckedOutput(receipt, tuple(findings))


def _about_receipt(receipt: Receipt, data: bytes, place: str, expected: Expectation) -> Iterator[Finding]:
    recorded = expected.recorded
    if expected.name and not f"/{receipt.model}/{receipt.version}".endswith(f"/{expected.name}"):
        yield Finding(Kind.FOREIGN, place, f"is the receipt of another model: {receipt.model}/{receipt.version}")
    if receipt.run_id in expected.at_work:
        return
    if recorded is None:
        if expected.required:
            by = "no signed record" if expected.signed else "no run"
            said = f"is vouched for by {by}: run {receipt.run_id} was killed or is at work, or it is not from here"
            yield Finding(Kind.UNRECORDED, place, said)
        return
    if recorded.receipt_sha256 and sha256_of(data) != recorded.receipt_sha256:
        since = f", and names run {receipt.run_id}" if receipt.run_id != recorded.run_id else ""
        yield Finding(Kind.ALTERED, place, f"is not the receipt that run {recorded.run_id} recorded{since}")
    elif expected.signed and not recorded.receipt_sha256:
        yield Finding(Kind.UNRECORDED, place, "is vouched for by no signed record")
    elif recorded.output_sha256 and receipt.sha256 != recorded.output_sha256:
        yield Finding(Kind.ALTERED, place, f"describes another output than run {recorded.run_id} published")


def _about_files(receipt: Receipt, folder: Path, path: str, root: Path) -> Iterator[Finding]:
    listed = {file.path: file for file in receipt.files}
    known = own_folders(listed)
    found: set[str] = set()
    for name, status in _entries_below(folder):
        found.add(name)
        finding = _of_entry(folder, name, status, listed, known, root)
        if finding is not None:
            yield Finding(finding[0], f"{path}/{name}" if name else path, finding[1])
    for name in listed:
        if name not in found:
            yield Finding(Kind.MISSING, f"{path}/{name}", "is missing")


def _of_entry(
    folder: Path,
    name: str,
    status: os.stat_result | OSError,
    listed: Mapping[str, PublishedFile],
    known: frozenset[str],
    root: Path,
) -> tuple[Kind, str] | None:
    """What is wrong with one entry of an output. Hashed are files that are listed with the size they have."""
    if isinstance(status, OSError):
        return Kind.UNREADABLE, f"cannot be read: {status.strerror}"
    if stat.S_ISLNK(status.st_mode):
        return Kind.LINK, "is a symbolic link, which no run makes"
    if stat.S_ISDIR(status.st_mode):
        return None if name in known else (Kind.EXTRA, "is a folder that was added")
    if not stat.S_ISREG(status.st_mode):
        return Kind.EXTRA, "is no plain file"
    if name == RECEIPT:
        return None
    if name not in listed:
        return Kind.EXTRA, "was added"
    if status.st_size == listed[name].size and is_sparse(status):
        return Kind.UNREADABLE, "is sparse, and not read"
    try:
        same = status.st_size == listed[name].size and digest_regular(folder / name, root)[1] == listed[name].sha256
    except OSError as error:
        return Kind.UNREADABLE, f"cannot be read: {error.strerror}"
    return None if same else (Kind.ALTERED, "was changed")


def _entries_below(folder: Path) -> Iterator[tuple[str, os.stat_result | OSError]]:
    """Every entry below a folder, its path relative to it, and its status; links are not followed."""
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        for entry in (*folders, *names):
            file = Path(parent, entry)
            name = file.relative_to(folder).as_posix()
            try:
                yield name, file.lstat()
            except OSError as error:
                yield name, error
    for closed in unreadable:
        yield "", closed
