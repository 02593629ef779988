import os
import shutil

import pytest

from pipeline.manifest import read_manifest
from pipeline.scanning import is_hdf5, legal_name, manifest_text, scan_paths
from tests.fixture_files import FOLDER

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


def test_checkpoints_are_found_where_their_architecture_lies_beside_them(tmp_path):
    genuine = FOLDER / "tfkeras-1.15.5/cudnn_siamese.object"  # of two shards
    suffixes = [".index", ".data-00000-of-00002", ".data-00001-of-00002"]
    wanted = {"a/net.ckpt": "a/net.json", "b/weights": "b/weights.yaml", "c/net.ckpt-1000": "c/net.json", "d/net": ""}
    for prefix, architecture in wanted.items():
        (tmp_path / prefix).parent.mkdir()
        for suffix in suffixes:
            shutil.copy(f"{genuine}{suffix}", tmp_path / f"{prefix}{suffix}")
        if architecture:
            (tmp_path / architecture).write_text("{}")
    (tmp_path / "b/text.index").write_text("text")
    (tmp_path / "b/text.json").write_text("{}")
    os.mkfifo(tmp_path / "b/fifo.index")
    shutil.copytree(tmp_path / "a", tmp_path / "e")
    (tmp_path / "e/net.ckpt.data-00001-of-00002").unlink()
    found = list(scan_paths([tmp_path, tmp_path / "b/weights.index"]))
    assert [(model.name, model.path, model.architecture) for model in found] == [
        ("a/net", tmp_path / "a/net.ckpt", tmp_path / "a/net.json"),
        ("b/weights", tmp_path / "b/weights", tmp_path / "b/weights.yaml"),
        ("weights", tmp_path / "b/weights", tmp_path / "b/weights.yaml"),
    ]
    manifest = tmp_path / "m.csv"
    manifest.write_text(manifest_text(found, tmp_path))
    assert read_manifest(str(manifest)).rows[0].architecture == str(tmp_path / "a/net.json")
