"""A report replaces an earlier one, and nothing that a person put there."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from pipeline.publication.layout import MANIFEST, RECORD, SIGNATURE
from pipeline.report.row import ReportRow
from pipeline.report.table import CSV, HTML, PARQUET, as_parquet, write_report
from pipeline.run.report_folder import ReportFolderError, check_report_folder

NAMES = (PARQUET, CSV, HTML, RECORD, SIGNATURE)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report without its record, as a run leaves it that is killed between the two."""
    (tmp_path / "rows").write_bytes(as_parquet([ReportRow("m", 1, "m.h5", "refused", line=1)]))
    write_report(pd.read_parquet(tmp_path / "rows"), str(tmp_path / "report"))
    return tmp_path / "report"


def test_an_earlier_report_and_foreign_files_beside_it_may_stay(report: Path) -> None:
    (report / "notes.txt").write_text("mine")
    check_report_folder(str(report))
    check_report_folder(str(report / "new"))
    (report / MANIFEST).write_bytes(b"{}\n")
    check_report_folder(str(report), b"{}\n")
    check_report_folder("s3://bucket/report")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"mine", b'{"run_id": 1}', b"a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n", b"PAR1PAR1"])
def test_a_foreign_file_stops_the_run(name: str, content: bytes, report: Path) -> None:
    (report / name).write_bytes(content)
    with pytest.raises(ReportFolderError, match=name):
        check_report_folder(str(report))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_stops_the_run(name: str, tmp_path: Path) -> None:
    for number, make in enumerate((Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / name)
        with pytest.raises(ReportFolderError, match=name):
            check_report_folder(str(folder))


def test_a_foreign_manifest_stops_a_run_that_would_write_one(report: Path) -> None:
    (report / MANIFEST).write_bytes(b'{"model": "mine"}\n')
    check_report_folder(str(report))
    with pytest.raises(ReportFolderError, match=MANIFEST):
        check_report_folder(str(report), b"{}\n")
