"""The files of a row, a checkpoint among them, local and remote."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.manifest.row import ManifestRow
from pipeline.steps.source_files import local_files
from tests.fixture_files import FOLDER
from tests.pipeline.memory_filesystem import MemoryFileSystem
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.source.checkpoint.files import combined_digest

CHECKPOINT = FOLDER / "tfkeras-1.15.5/cudnn_siamese.object"
FILES = [Path(f"{CHECKPOINT}{suffix}") for suffix in (".index", ".data-00000-of-00002", ".data-00001-of-00002")]
DIGEST = combined_digest([hashlib.sha256(file.read_bytes()).hexdigest() for file in FILES])
LIMIT = Limits(file_bytes=1 << 20)


@pytest.fixture
def store(monkeypatch):
    objects = {f"memory://bucket/{file.name}": file.read_bytes() for file in FILES}
    monkeypatch.setattr(MemoryFileSystem, "objects", objects)
    return objects


def row(source):
    return ManifestRow(line=1, model="m", source=str(source))


@pytest.mark.parametrize("suffix", ["", ".index"])
def test_a_checkpoint_is_all_of_its_files(suffix):
    with local_files(row(f"{CHECKPOINT}{suffix}"), LIMIT) as files:
        assert files.source.path == CHECKPOINT
        assert files.source.sha256 == DIGEST
        assert files.source.size == sum(file.stat().st_size for file in FILES)


@pytest.mark.parametrize("suffix", ["", ".index"])
def test_a_remote_checkpoint_is_fetched_whole(store, suffix):
    with local_files(row(f"memory://bucket/{CHECKPOINT.name}{suffix}"), LIMIT) as files:
        assert files.source.sha256 == DIGEST
        fetched = sorted(files.source.path.parent.iterdir())
        assert [file.read_bytes() for file in fetched] == [file.read_bytes() for file in sorted(FILES)]
    assert not files.source.path.parent.exists()


def test_a_remote_plain_file_beside_an_index_is_itself(store):
    store["memory://bucket/m"] = b"plain"
    store["memory://bucket/m.index"] = b"index"
    with local_files(row("memory://bucket/m"), LIMIT) as files:
        assert files.source.path.read_bytes() == b"plain"


@pytest.mark.parametrize(
    ("source", "missing", "limit", "reason"),
    [
        (CHECKPOINT.name, FILES[1].name, LIMIT, Reason.CORRUPT_CHECKPOINT),
        (CHECKPOINT.name, FILES[0].name, LIMIT, Reason.SOURCE_MISSING),
        (f"{CHECKPOINT.name}.index", FILES[0].name, LIMIT, Reason.SOURCE_MISSING),
        (CHECKPOINT.name, "", Limits(file_bytes=1500), Reason.OVER_BUDGET),
    ],
)
def test_a_checkpoint_that_is_not_whole(store, source, missing, limit, reason):
    store.pop(f"memory://bucket/{missing}", None)
    with pytest.raises(MigrationError) as refusal, local_files(row(f"memory://bucket/{source}"), limit):
        pass
    assert refusal.value.reason is reason


def test_a_prefix_without_files_is_missing(tmp_path):
    for name in ("none", "none.index"):
        with pytest.raises(MigrationError) as refusal, local_files(row(tmp_path / name), LIMIT):
            pass
        assert refusal.value.reason is Reason.SOURCE_MISSING


def fifo(path):
    os.mkfifo(path)


def sparse(path):
    with path.open("wb") as stream:
        stream.truncate(1 << 29)


PUT = {
    "fifo": (fifo, Reason.UNSAFE_STORAGE),
    "zeros without end": (lambda path: path.symlink_to("/dev/zero"), Reason.UNSAFE_STORAGE),
    "folder": (lambda path: path.mkdir(), Reason.UNSAFE_STORAGE),
    "sparse": (sparse, Reason.OVER_BUDGET),
}


@pytest.mark.parametrize("column", ["source", "architecture", "samples", "custom_objects"])
@pytest.mark.parametrize("what", PUT)
def test_every_file_of_a_row_is_a_regular_one_and_bounded(tmp_path, column, what):
    put, reason = PUT[what]
    (tmp_path / "sound").write_bytes(b"sound")
    put(tmp_path / "odd")
    odd = replace(row(tmp_path / "sound"), **{column: str(tmp_path / "odd")})
    with pytest.raises(MigrationError) as refusal, local_files(odd, DEFAULT_LIMITS):
        pass
    assert refusal.value.reason is reason and str(tmp_path / "odd") in refusal.value.message
