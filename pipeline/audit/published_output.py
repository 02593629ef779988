"""Verification of one published output: its files against the receipt, the receipt against the run record."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.audit.findings import Finding, Kind
from pipeline.publication.layout import RECEIPT
from pipeline.publication.receipt import PublishedFile, Receipt, parse_receipt, receipt_bytes
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.regular_file import digest_regular


@dataclass(frozen=True)
class Recorded:
    """What run records and a report say of an output; "" if nothing.

    Attributes:
        name: the last parts of "<model>/<version>", as many as are recorded.
        receipt_sha256: digest of its receipt, by the newest run that published it.
        run: that run.
        demanded: whether an output without a run record is a finding.
        output_sha256: digest of the whole output, by a report.
        at_work: active runs, whose outputs are not recorded yet.
    """

    name: str = ""
    receipt_sha256: str = ""
    run: str = ""
    demanded: bool = False
    output_sha256: str = ""
    at_work: frozenset[str] = frozenset()


def check_output(folder: Path, path: str, recorded: Recorded) -> list[Finding]:
    """Compares an output with its receipt, and the receipt with the records.

    Args:
        folder: the output.
        path: how findings name it.
        recorded: what run records and a report say of it.
    """
    if not folder.is_dir():
        return [Finding(Kind.MISSING, path, "is missing")]
    data = receipt_bytes(folder)
    place = f"{path}/{RECEIPT}"
    if data is None:
        return [Finding(Kind.MISSING, place, "is missing or unreadable: no readable receipt vouches for the output")]
    receipt = parse_receipt(data)
    findings = list(_about_receipt(receipt, data, place, recorded))
    return findings if receipt is None else [*findings, *_about_files(receipt, folder, path)]


def _about_receipt(receipt: Receipt | None, data: bytes, place: str, recorded: Recorded) -> Iterator[Finding]:
    if receipt is None:
        yield Finding(Kind.ALTERED, place, "was altered: it is no readable receipt")
        return
    if recorded.name and not f"/{receipt.model}/{receipt.version}".endswith(f"/{recorded.name}"):
        yield Finding(Kind.FOREIGN, place, f"is the receipt of another model: {receipt.model}/{receipt.version}")
    if receipt.run_id in recorded.at_work:
        return
    if recorded.receipt_sha256 and sha256_of(data) != recorded.receipt_sha256:
        since = f", and names run {receipt.run_id}" if receipt.run_id != recorded.run else ""
        yield Finding(Kind.ALTERED, place, f"is not the receipt that run {recorded.run} recorded{since}")
    elif not recorded.receipt_sha256 and recorded.demanded:
        yield Finding(
            Kind.UNRECORDED, place, f"is recorded by no run: run {receipt.run_id} was killed, or it is not from here"
        )
    if recorded.output_sha256 and receipt.sha256 != recorded.output_sha256:
        yield Finding(Kind.ALTERED, place, f"tells of another output than the report of run {recorded.run}")


def _about_files(receipt: Receipt, folder: Path, path: str) -> Iterator[Finding]:
    listed = {file.path: file for file in receipt.files}
    found: dict[str, PublishedFile | None] = {}
    for name, finding in _files_below(folder, path, listed):
        found[name] = None if isinstance(finding, Finding) else finding
        if isinstance(finding, Finding):
            yield finding
        elif name not in listed:
            yield Finding(Kind.EXTRA, f"{path}/{name}", "was added")
        elif finding != listed[name]:
            yield Finding(Kind.ALTERED, f"{path}/{name}", "was changed")
    for name in listed:
        if name not in found:
            yield Finding(Kind.MISSING, f"{path}/{name}", "is missing")


def _files_below(
    folder: Path, path: str, listed: Mapping[str, PublishedFile]
) -> Iterator[tuple[str, PublishedFile | Finding]]:
    """Every file but the receipt, or what is wrong with it; links are not followed.

    Only files whose size is the listed one are hashed.
    """
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        for entry in (*folders, *names):
            file = Path(parent, entry)
            name = file.relative_to(folder).as_posix()
            try:
                status = file.lstat()
                mode = status.st_mode
                if stat.S_ISLNK(mode):
                    yield name, Finding(Kind.LINK, f"{path}/{name}", "is a symbolic link, which no run makes")
                elif stat.S_ISREG(mode) and name != RECEIPT:
                    same_size = name in listed and status.st_size == listed[name].size
                    digest = digest_regular(file, folder) if same_size else (status.st_size, "")
                    yield name, PublishedFile(name, *digest)
                elif not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    yield name, Finding(Kind.EXTRA, f"{path}/{name}", "is no plain file")
            except OSError as error:
                yield name, Finding(Kind.UNREADABLE, f"{path}/{name}", f"cannot be read: {error}")
    for closed in unreadable:
        yield "", Finding(Kind.UNREADABLE, path, f"cannot be read: {closed}")
