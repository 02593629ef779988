import os

import pytest

from pipeline.manifest import read_manifest
from pipeline.scanning import is_hdf5, legal_name, manifest_text, scan_paths

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@pytest.mark.parametrize(
    "content, expected",
    [
        (SIGNATURE, True),
        (b"\0" * 512 + SIGNATURE, True),
        (b"\0" * 2048 + SIGNATURE + b"x", True),
        (b"\0" * 100 + SIGNATURE, False),
        (b"", False),
        (SIGNATURE[:-1], False),
    ],
)
def test_signature(tmp_path, content, expected):
    path = tmp_path / "anything"
    path.write_bytes(content)
    assert is_hdf5(path) == expected


def test_fifo_and_folder_are_none(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert not is_hdf5(tmp_path / "fifo") and not is_hdf5(tmp_path) and not is_hdf5(tmp_path / "none")


@pytest.mark.parametrize("name, legal", [("a/b", "a/b"), ("a b/ü", "a_b/_"), ("-a/.b", "_-a/_.b"), ("x(1)", "x_1_")])
def test_legal_name(name, legal):
    assert legal_name(name) == legal


def test_scan_writes_a_manifest_that_reads_back(tmp_path):
    for name in ("a/m.h5", "a/m.hdf5", "b c/weights", "text.h5"):
        (tmp_path / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / name).write_bytes(b"text" if name == "text.h5" else SIGNATURE)
    manifest = tmp_path / "manifests/m.csv"
    manifest.parent.mkdir()
    manifest.write_text(manifest_text(scan_paths([tmp_path / "models"]), manifest.parent))
    rows = read_manifest(str(manifest)).rows
    assert [row.model for row in rows] == ["a/m", "a/m-2", "b_c/weights"]
    assert [row.source for row in rows] == [str(tmp_path / "models" / n) for n in ("a/m.h5", "a/m.hdf5", "b c/weights")]
    assert not any(row.reason for row in rows)
