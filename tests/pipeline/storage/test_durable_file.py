import os

import pytest

from pipeline.storage import durable_file
from pipeline.storage.durable_file import read_file, write_file
from tests.pipeline.memory_filesystem import MemoryFileSystem


@pytest.mark.parametrize("place", ["memory://store", ""])
def test_written_and_replaced(tmp_path, place):
    MemoryFileSystem.objects.clear()
    path = f"{place or tmp_path}/a/b.json"
    assert read_file(path, 9) is None
    for data in (b"one", b"two"):
        write_file(path, data)
        assert read_file(path, 9) == data
    assert place or os.listdir(tmp_path / "a") == ["b.json"]


def test_a_failed_write_leaves_the_old_content(tmp_path, monkeypatch):
    write_file(f"{tmp_path}/b.json", b"one")

    def fail(_):
        raise OSError("no space")

    monkeypatch.setattr(durable_file.os, "fsync", fail)
    with pytest.raises(OSError):
        write_file(f"{tmp_path}/b.json", b"two")
    assert read_file(f"{tmp_path}/b.json", 9) == b"one"
