"""What a run may replace in the folder that `--report` names: an earlier run's report and record, and nothing else.

| there before | replaced? |
|---|---|
| nothing | written |
| a file of the report that has the form of this program's | yes |
| `run.json` that is a record of a run, and its signature | yes |
| `manifest.jsonl` that such a record lists, or that has the same content | yes |
| any other file, link or folder of one of these names | no: the run does not start |
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.history.record import RecordError, RunRecord, parse_record
from pipeline.publication.layout import MANIFEST, RECORD, RECORD_BYTES, SIGNATURE, SIGNATURE_BYTES
from pipeline.report.row import COLUMNS
from pipeline.report.table import CSV, HTML, PARQUET
from pipeline.storage.paths import is_remote
from pipeline.storage.regular_file import open_regular, read_regular

_HEAD, _TAIL = 64 << 10, 1 << 20


class ReportFolderError(Exception):
    """The folder for the report holds files that no run wrote; nothing is done."""


def check_report_folder(folder: str, manifest: bytes | None = None) -> None:
    """Checks what a report would replace. Folders of object stores are not looked into.

    Args:
        folder: path or URL.
        manifest: the content of the `manifest.jsonl` that will be written; None if none will.

    Raises:
        ReportFolderError: a file there is not of this program's making.
        OSError: it cannot be read.
    """
    if is_remote(folder):
        return
    record = earlier_record(folder)
    for name, is_own in _FORMS.items():
        path = Path(folder, name)
        if _is_there(path) and not is_own(*_ends(path)):
            raise _foreign(path)
    if record is None:
        for name in (RECORD, SIGNATURE):
            if _is_there(Path(folder, name)):
                raise _foreign(Path(folder, name))
    path = Path(folder, MANIFEST)
    if manifest is None or not _is_there(path) or (record and MANIFEST in record.report_files):
        return
    if path.stat().st_size != len(manifest) or read_regular(path, len(manifest)) != manifest:
        raise _foreign(path)


def earlier_record(folder: str) -> RunRecord | None:
    """The record of the run whose report is there; None if there is none."""
    path = Path(folder, RECORD)
    if is_remote(folder) or not _is_there(path):
        return None
    try:
        return parse_record(read_regular(path, RECORD_BYTES))
    except RecordError:
        return None


def _is_there(path: Path) -> bool:
    """Whether a regular file has the name. Raises ReportFolderError if anything else has it."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise _foreign(path)
    if path.name == SIGNATURE and path.exists() and path.stat().st_size > SIGNATURE_BYTES:
        raise _foreign(path)
    return path.exists()


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The beginning and the end of a file."""
    with open(open_regular(path), "rb") as opened:
        head = opened.read(_HEAD)
        opened.seek(max(0, path.stat().st_size - _TAIL))
        return head, opened.read(_TAIL)


def _is_table(head: bytes, tail: bytes) -> bool:
    """A Parquet file whose footer names a column of reports."""
    return head[:4] == tail[-4:] == b"PAR1" and b"h5ferry_version" in tail


def _is_csv(head: bytes, tail: bytes) -> bool:
    """A first line of columns of reports, of this release or an earlier one."""
    columns = next(csv.reader(io.StringIO(head.decode("utf-8-sig", "replace"))), [])
    return columns[:1] == list(COLUMNS[:1]) and len({*columns} & {*COLUMNS}) >= len(columns) // 2 > 2


def _is_page(head: bytes, tail: bytes) -> bool:
    return b"<title>Migration report" in head


_FORMS: Mapping[str, Callable[[bytes, bytes], bool]] = {PARQUET: _is_table, CSV: _is_csv, HTML: _is_page}


def _foreign(path: Path) -> ReportFolderError:
    return ReportFolderError(
        f"{path} is not of an earlier report, and would be replaced. Move it away, or name another folder by --report."
    )
