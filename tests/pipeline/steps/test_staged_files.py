"""What is hashed while it is verified must be the same afterwards, and on the disk."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.publication.receipt import PublishedFile
from pipeline.steps import staged_files
from pipeline.steps.staged_files import StagedFiles
from pipeline.storage.canonical_json import sha256_of
from transforms.errors import MigrationError, Reason

WEIGHTS, SAMPLES = "variables/variables.data-00000-of-00001", "assets.extra/samples.npz"


@pytest.fixture
def io_threads():
    with ThreadPoolExecutor(2) as io_threads:
        yield io_threads


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / WEIGHTS).write_bytes(b"numbers")
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    return tmp_path


def published(path, content):
    return PublishedFile(path, len(content), sha256_of(content))


def test_all_files_are_listed_those_added_since_too(folder, io_threads):
    files = StagedFiles(folder, io_threads)
    (folder / "assets.extra").mkdir()
    (folder / SAMPLES).write_bytes(b"")
    expected = published(SAMPLES, b""), published("saved_model.pb", b"graph"), published(WEIGHTS, b"numbers")
    assert files.verified_files() == expected


@pytest.mark.parametrize(
    "path",
    [
        "saved_model.pbtxt",
        "saved_model.cpb",
        "assets/vocabulary",
        "assets.extra/more",
        "variables/variables.data-00000-of-00001.part",
        "variables/more/variables.index",
        "keras_metadata.pb\n",
        "1/saved_model.pb",
        ".hidden",
        "run.sh",
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_file_that_nobody_writes_is_not_published(folder, io_threads, path, when):
    files = StagedFiles(folder, io_threads) if when == "after" else None
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(b"planted")
    with pytest.raises(MigrationError, match="does not write") as caught:
        (files or StagedFiles(folder, io_threads)).verified_files()
    assert caught.value.reason is Reason.INTERNAL_ERROR


@pytest.mark.parametrize("path", ["saved_model.pb", "fingerprint.pb", "variables/variables.data-00001-of-00002"])
def test_what_is_loaded_is_not_added_after_it_was_looked_at(tmp_path, io_threads, path):
    (tmp_path / "variables").mkdir()
    files = StagedFiles(tmp_path, io_threads)
    (tmp_path / path).write_bytes(b"planted")
    with pytest.raises(MigrationError, match="does not write"):
        files.verified_files()


def overwrite(path):
    path.write_bytes(b"NUMBERS")


def replace_by_a_copy(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("change", [overwrite, replace_by_a_copy, os.unlink])
def test_a_change_is_an_error(folder, io_threads, change):
    files = StagedFiles(folder, io_threads)
    change(folder / WEIGHTS)
    with pytest.raises(MigrationError) as caught:
        files.verified_files()
    assert caught.value.reason is Reason.INTERNAL_ERROR and WEIGHTS in str(caught.value)


def test_all_files_are_written_through_meanwhile(folder, io_threads, monkeypatch):
    written = []
    monkeypatch.setattr(staged_files, "write_through", written.append)
    StagedFiles(folder, io_threads).verified_files()
    assert sorted(written) == [folder / "saved_model.pb", folder / WEIGHTS]


def test_what_the_disk_does_not_take_is_not_settled(folder, io_threads, monkeypatch):
    def refuse(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(staged_files, "write_through", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        StagedFiles(folder, io_threads).verified_files()
