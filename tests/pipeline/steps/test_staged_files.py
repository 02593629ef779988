"""What is hashed while it is verified must be the same afterwards, and on the disk."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.publication.receipt import PublishedFile
from pipeline.steps import staged_files
from pipeline.steps.staged_files import StagedFiles
from pipeline.storage.canonical_json import sha256_of
from transforms.errors import MigrationError, Reason


@pytest.fixture
def io_threads():
    with ThreadPoolExecutor(2) as io_threads:
        yield io_threads


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables/data").write_bytes(b"numbers")
    (tmp_path / "graph").write_bytes(b"graph")
    return tmp_path


def published(path, content):
    return PublishedFile(path, len(content), sha256_of(content))


def test_all_files_are_listed_those_added_since_too(folder, io_threads):
    files = StagedFiles(folder, io_threads)
    (folder / "samples").write_bytes(b"")
    expected = published("graph", b"graph"), published("samples", b""), published("variables/data", b"numbers")
    assert files.verified_files() == expected


def overwrite(path):
    path.write_bytes(b"NUMBERS")


def replace_by_a_copy(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("change", [overwrite, replace_by_a_copy, os.unlink])
def test_a_change_is_an_error(folder, io_threads, change):
    files = StagedFiles(folder, io_threads)
    change(folder / "variables/data")
    with pytest.raises(MigrationError) as caught:
        files.verified_files()
    assert caught.value.reason is Reason.INTERNAL_ERROR and "variables/data" in str(caught.value)


def test_all_files_are_written_through_meanwhile(folder, io_threads, monkeypatch):
    written = []
    monkeypatch.setattr(staged_files, "write_through", written.append)
    StagedFiles(folder, io_threads).verified_files()
    assert sorted(written) == [folder / "graph", folder / "variables/data"]


def test_what_the_disk_does_not_take_is_not_settled(folder, io_threads, monkeypatch):
    def refuse(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(staged_files, "write_through", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        StagedFiles(folder, io_threads).verified_files()
