"""What is opened, and what is said of what is not."""

import hashlib
import os
from pathlib import Path

import h5py
import pytest

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.checkpoint.files import INDEX_END
from transforms.source.hdf5.file import open_hdf5


def small_file(path: Path, **options: int) -> Path:
    with h5py.File(path, "w", **options) as file:
        file["x"] = [1.0, 2.0]
    return path


def test_the_digest_is_of_the_parsed_bytes(tmp_path: Path) -> None:
    path = small_file(tmp_path / "f.h5")
    with open_hdf5(path) as (file, digest):
        assert list(file["x"]) == [1.0, 2.0]
    assert digest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest.size == path.stat().st_size


def test_a_user_block_is_legal(tmp_path: Path) -> None:
    with open_hdf5(small_file(tmp_path / "f.h5", userblock_size=1024)) as (file, _):
        assert "x" in file


@pytest.mark.parametrize(
    ("content", "reason", "hint"),
    [
        (b"PK\x03\x04rest", Reason.NOT_HDF5, ".keras"),
        (b"version https://git-lfs.github.com/spec/v1", Reason.NOT_HDF5, "git-LFS"),
        (b"\x80\x04pickle", Reason.NOT_HDF5, "pickle"),
        (b'model_checkpoint_path: "model.ckpt-7"', Reason.NOT_HDF5, "name the prefix"),
        (b"\0" * 60 + INDEX_END, Reason.NOT_HDF5, "checkpoint of one file"),
        (b"", Reason.NOT_HDF5, "empty"),
        (b"\x89HDF\r\n\x1a\n", Reason.CORRUPT_H5, "damaged"),
    ],
)
def test_what_is_not_a_whole_hdf5_file(tmp_path: Path, content: bytes, reason: Reason, hint: str) -> None:
    path = tmp_path / "f.h5"
    path.write_bytes(content)
    with pytest.raises(MigrationError, match=hint) as refusal, open_hdf5(path):
        pass
    assert refusal.value.reason is reason


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(MigrationError) as refusal, open_hdf5(path):
            pass
        assert refusal.value.reason is Reason.UNSAFE_STORAGE


def test_missing_large_altered(tmp_path: Path) -> None:
    path = small_file(tmp_path / "f.h5")
    cases = [
        (tmp_path / "none.h5", Limits(), "", Reason.SOURCE_MISSING),
        (path, Limits(file_bytes=100), "", Reason.OVER_BUDGET),
        (path, Limits(), "0" * 64, Reason.DIGEST_MISMATCH),
    ]
    for source, limits, sha256, reason in cases:
        with pytest.raises(MigrationError) as refusal, open_hdf5(source, limits, sha256):
            pass
        assert refusal.value.reason is reason


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = small_file(tmp_path / "f.h5")
    with pytest.raises(MigrationError, match="changed") as refusal, open_hdf5(path), path.open("ab") as stream:
        stream.write(b"more")
    assert refusal.value.reason is Reason.SOURCE_MISSING
