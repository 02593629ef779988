import multiprocessing
import os
import shutil
import signal
import threading
import time

import pytest

from pipeline.publication import local as publishing
from pipeline.publication.layout import RECEIPT, RETIRED, STAGING, output_folder
from pipeline.publication.local import publish, staging_area, sweep_leftovers
from pipeline.publication.receipt import Receipt, is_complete, list_files, read_receipt
from tests.pipeline.fakes import write_artefact
from tests.pipeline.publication.test_receipt import KEY
from transforms.errors import MigrationError


@pytest.fixture
def destination(tmp_path):
    return tmp_path / "out/text/sentiment/1"


def publish_content(root, destination, data):
    with staging_area(root, destination) as area:
        write_artefact(area.folder, data)
        version = int(destination.name)
        publish(area, Receipt("text/sentiment", version, KEY, list_files(area.folder)))


def content(destination):
    return (destination / "variables/variables.data-00000-of-00001").read_bytes()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_output_folder():
    assert output_folder("/out/", "a/b", 3) == "/out/a/b/3"
    assert output_folder("gs://b/out", "a", 1) == "gs://b/out/a/1"


@pytest.mark.parametrize("exchange", [True, False])
def test_publish_and_replace(tmp_path, destination, exchange, monkeypatch):
    if not exchange:
        monkeypatch.setattr(publishing, "exchange", lambda *_: False)
    for data in (b"one", b"two", b"three"):
        publish_content(tmp_path / "out", destination, data)
        assert content(destination) == data
        assert is_complete(read_receipt(destination), destination)
        assert names(destination.parent) == ["1"]
    assert destination.stat().st_mode & 0o055 == 0o055 & ~os.umask(os.umask(0o022))


def test_replaces_an_empty_folder_and_a_receipt_whose_seal_is_broken(tmp_path, destination):
    destination.mkdir(parents=True)
    publish_content(tmp_path / "out", destination, b"one")
    receipt = destination / RECEIPT
    receipt.write_text(receipt.read_text().replace('"backend": "theano"', '"backend": "cntk"'))
    assert read_receipt(destination) is None
    publish_content(tmp_path / "out", destination, b"two")
    assert content(destination) == b"two"


def test_staging_leaves_nothing_behind(tmp_path, destination):
    with pytest.raises(KeyError), staging_area(tmp_path / "out", destination) as area:
        private = area.folder.parent
        assert private.parent == destination.parent and private.name.startswith(".")
        assert private.stat().st_mode & 0o077 == 0
        write_artefact(area.folder, b"half")
        raise KeyError
    assert names(tmp_path / "out") == []


def test_what_is_no_folder_is_not_replaced(tmp_path, destination):
    destination.parent.mkdir(parents=True)
    destination.write_text("mine")
    with pytest.raises(MigrationError, match="is no folder"):
        publish_content(tmp_path / "out", destination, b"one")
    assert destination.read_text() == "mine" and names(destination.parent) == ["1"]


def test_failed_replacement_keeps_the_old_version(tmp_path, destination, monkeypatch):
    publish_content(tmp_path / "out", destination, b"one")

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(publishing, "_make_durable", fail)
    with pytest.raises(OSError):
        publish_content(tmp_path / "out", destination, b"two")
    assert content(destination) == b"one" and names(destination.parent) == ["1"]


def test_a_reader_finds_a_whole_version_at_every_moment(tmp_path, destination):
    publish_content(tmp_path / "out", destination, b"0")
    stop, seen = threading.Event(), []

    def read():
        while not stop.is_set():
            seen.append(read_receipt(destination) is not None)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        publish_content(tmp_path / "out", destination, str(number).encode())
    stop.set()
    reader.join()
    assert seen and all(seen)


def hold_staging(root, destination, ready):
    with staging_area(root, destination) as area:
        write_artefact(area.folder, b"half")
        ready.set()
        time.sleep(60)


def test_sweep_takes_leftovers_of_the_dead_only(tmp_path, destination):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold_staging, args=(tmp_path / "out", destination, ready))
    process.start()
    assert ready.wait(30)
    sweep_leftovers(tmp_path / "out", ["text/sentiment", "no/such"])
    assert len(names(destination.parent)) == 1
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert names(destination.parent)[0].startswith(STAGING)
    sweep_leftovers(tmp_path / "out", ["text/sentiment"])
    assert names(tmp_path / "out") == []


def test_sweep_restores_a_version_that_was_retired_but_not_replaced(tmp_path, destination):
    publish_content(tmp_path / "out", destination, b"one")
    destination.rename(destination.with_name(f"{RETIRED}1-abcd"))
    sweep_leftovers(tmp_path / "out", ["text/sentiment"])
    assert content(destination) == b"one" and names(destination.parent) == ["1"]
    shutil.copytree(destination, destination.with_name(f"{RETIRED}1-dcba"))
    sweep_leftovers(tmp_path / "out", ["text/sentiment"])
    assert content(destination) == b"one" and names(destination.parent) == ["1"]


def publish_often(root, destination, data):
    for _ in range(40):
        publish_content(root, destination, data)


def test_two_writers_at_once(tmp_path, destination):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=publish_often, args=(tmp_path / "out", destination, d)) for d in (b"a", b"b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert is_complete(read_receipt(destination), destination) and names(destination.parent) == ["1"]
