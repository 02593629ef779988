import os
import shutil

import pytest

from pipeline.scan.find import Oddities, ScanError, find_files, is_hdf5, with_kinds
from pipeline.scan.propose import proposed_rows
from tests.fixture_files import FOLDER

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@pytest.mark.parametrize(
    "content, expected",
    [
        (SIGNATURE, True),
        (b"\0" * 512 + SIGNATURE, True),
        (b"\0" * 1024 + SIGNATURE, True),
        (b"\0" * 2048 + SIGNATURE + b"x", True),
        (b"\0" * 4096 + SIGNATURE, True),
        (b"\0" * 65536 + SIGNATURE, True),
        (b"\0" * 100 + SIGNATURE, False),
        (b"\0" * 1536 + SIGNATURE, False),
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


def found(*paths, oddities=None):
    return [(file.path, file.root) for file in find_files(map(str, paths), oddities or Oddities())]


def test_each_file_once_below_files_folders_and_patterns(tmp_path):
    for name in ("b/y.h5", "b/x", "a.h5", "text.h5", ".hidden/z.h5", "b-c/w.h5"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"text" if name == "text.h5" else SIGNATURE)
    (tmp_path / "loop").symlink_to(tmp_path)
    oddities = Oddities()
    names = ("a.h5", "b/x", "b/y.h5", "b-c/w.h5")
    assert found(tmp_path, tmp_path / "b", oddities=oddities) == [(tmp_path / name, tmp_path) for name in names]
    assert oddities.hidden == [str(tmp_path / ".hidden")]
    assert found(f"{tmp_path}/**/y.*") == [(tmp_path / "b/y.h5", tmp_path)]
    for nothing in (f"{tmp_path}/none", f"{tmp_path}/*.hdf", "gs://bucket/x"):
        with pytest.raises(ScanError):
            found(nothing)


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
    sources = with_kinds(find_files([str(tmp_path), str(tmp_path / "b/weights.index")], Oddities()))
    assert {source.kind for source in sources} == {"checkpoint"}
    assert [(row.model, row.source, row.architecture) for row in proposed_rows(sources)] == [
        ("a/net", tmp_path / "a/net.ckpt", tmp_path / "a/net.json"),
        ("b/weights", tmp_path / "b/weights", tmp_path / "b/weights.yaml"),
    ]


def test_kinds(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = [1.0]
    with h5py.File(tmp_path / "block.h5", "w", userblock_size=1024) as file:
        file.attrs["model_config"] = "{}"
    with h5py.File(tmp_path / "chunked.h5", "w") as file:
        file.attrs["layer_names0"] = [b"a"]
    with h5py.File(tmp_path / "grouped.h5", "w") as file:
        file.create_group("model_weights").attrs["layer_names"] = [b"a"]
    with h5py.File(tmp_path / "keras_3.weights.h5", "w") as file:
        file.create_group("layers")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink("block.h5", "/")
    (tmp_path / "damaged.h5").write_bytes(SIGNATURE + b"x" * 100)
    (tmp_path / "model.h5").symlink_to(FOLDER / "keras-2.2.4/stateful.h5")
    kinds = {file.path.stem: file.kind for file in with_kinds(find_files([str(tmp_path)], Oddities()))}
    assert kinds == {
        "other": "other",
        "block": "model",
        "chunked": "weights",
        "grouped": "weights",
        "keras_3.weights": "keras_3_weights",
        "linked": "other",
        "damaged": "damaged",
        "model": "model",
    }


def test_a_file_that_kills_its_reader_is_damaged_and_the_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.scan.find._KINDS", "tests.pipeline.fakes:kinds_of")
    for name in ("a", "kill", "z"):
        (tmp_path / name).write_bytes(SIGNATURE)
    assert [file.kind for file in with_kinds(find_files([str(tmp_path)], Oddities()))] == ["model", "damaged", "model"]
