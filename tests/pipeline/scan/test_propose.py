import json
import shutil

import h5py
import pytest

from pipeline.manifest.reader import read_manifest
from pipeline.scan.companions import pair
from pipeline.scan.propose import propose_manifest
from tests.fixture_files import FOLDER


def weights_file(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [path.stem.encode()]


@pytest.fixture
def registry(tmp_path):
    models = tmp_path / "models"
    for name in ("tag/1/m.h5", "tag/2/m.h5", "line\nbreak.h5", "#a.h5"):
        (models / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FOLDER / "keras-2.2.4/stateful.h5", models / name)
    shutil.copy(FOLDER / "keras-2.2.4/stateful.npz", models / "tag/2/m.npz")
    weights_file(models / "w/best.h5")
    (models / "w/config.json").write_text('{"class_name": "Sequential"}')
    (models / "w/model.json").write_text('{"accuracy": 1}')
    weights_file(models / "z.h5")
    (models / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with h5py.File(models / "table.h5", "w") as file:
        file["x"] = [1.0]
    return models


def test_csv_reads_back_with_every_row_sound(registry, tmp_path):
    manifest = tmp_path / "manifests/m.csv"
    manifest.parent.mkdir()
    summary = propose_manifest([str(registry)], manifest)
    read = read_manifest(str(manifest))
    assert read.warnings == () and not any(row.reason for row in read.rows)
    found = {row.name: row for row in read.rows}
    assert list(found) == ["_a/1", "cut/1", "line_break/1", "tag/1", "tag/2", "w/best/1", "z/1"]
    assert found["line_break/1"].source == str(registry / "line\nbreak.h5")
    assert found["tag/2"].samples == str(registry / "tag/2/m.npz") and found["tag/1"].samples == ""
    assert found["w/best/1"].architecture == str(registry / "w/config.json") and found["z/1"].architecture == ""
    text = manifest.read_text()
    assert "# w/best: weights alone; config.json is taken for their architecture" in text
    assert "# z: weights alone, and no architecture beside them: name one" in text
    assert "# cut: HDF5 cannot read this file" in text
    assert "# left out: ../models/table.h5 (HDF5, but not saved by Keras)" in text
    assert summary[0].startswith("7 models in") and "6 of them" in summary[0] and "table.h5" in summary[1]


def test_json_lines_read_back_alike(registry, tmp_path):
    for name in ("m.csv", "m.jsonl"):
        propose_manifest([str(registry)], tmp_path / name)
    first, second = (read_manifest(str(tmp_path / name)) for name in ("m.csv", "m.jsonl"))
    assert second.warnings == ()
    assert [(row.name, row.source, row.samples, row.architecture) for row in first.rows] == [
        (row.name, row.source, row.samples, row.architecture) for row in second.rows
    ]
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert "name one" in lines[-1]["comment"] and "comment" not in lines[0]


def test_a_name_that_is_no_text_is_refused_by_its_row(tmp_path):
    path = tmp_path / "models"
    path.mkdir()
    (path / "x\udcff.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    for name in ("m.csv", "m.jsonl"):
        propose_manifest([str(path)], tmp_path / name)
        assert [row.reason for row in read_manifest(str(tmp_path / name)).rows] == ["invalid_row"]


@pytest.mark.parametrize(
    "files, weights, architecture",
    [
        (["w.h5", "w.json"], ["w.h5"], "w.json"),
        (["w.h5", "w.yaml"], ["w.h5"], "w.yaml"),
        (["w.h5", "w.json", "w.yml"], ["w.h5"], None),
        (["w.h5", "model.json"], ["w.h5"], "model.json"),
        (["w.h5", "v.h5", "model.json"], ["w.h5", "v.h5"], None),
        (["w.h5", "m.h5", "model.json"], ["w.h5"], "model.json"),
        (["w.h5", "model.json", "config.json"], ["w.h5"], None),
        (["w.h5", "other.json"], ["w.h5"], None),
        (["w.h5", "w_architecture.json"], ["w.h5"], "w_architecture.json"),
        (["w.h5", "w_config.yaml", "v.h5", "model.json"], ["w.h5", "v.h5"], "w_config.yaml"),
        (["w.h5", "w.h5.json"], ["w.h5"], "w.h5.json"),
    ],
)
def test_architecture_beside_weights(tmp_path, files, weights, architecture):
    for name in files:
        (tmp_path / name).write_text('{"class_name": "Model"}')
    sources = [tmp_path / name for name in files if name.endswith(".h5")]
    found = dict(zip(sources, pair([(path, path.name in weights) for path in sources]), strict=True))
    expected = tmp_path / architecture if architecture else None
    assert found[tmp_path / "w.h5"].architecture == expected
    assert all(each.architecture is None for path, each in found.items() if path.name not in weights)


@pytest.mark.parametrize(
    "files, weights, architecture",
    [
        (["ocr_weights.h5", "ocr.json", "tag_weights.h5"], "ocr_weights.h5", "ocr.json"),
        (["ocr_weights.h5", "ocr_architecture.json", "tag_weights.h5"], "ocr_weights.h5", "ocr_architecture.json"),
        (["ocr.weights.h5", "ocr.config.json", "tag.weights.h5"], "ocr.weights.h5", "ocr.config.json"),
        (["weights.h5", "architecture.json"], "weights.h5", "architecture.json"),
        (["model_weights.h5", "model.json", "other.h5"], "model_weights.h5", "model.json"),
        (["w.05-0.32.hdf5", "w.10-0.28.hdf5", "model.json"], "w.10-0.28.hdf5", "model.json"),
        (["ocr.05-0.32.h5", "ocr.10-0.28.h5", "ocr.json", "tag.h5"], "ocr.05-0.32.h5", "ocr.json"),
        (["ocr_weights.h5", "ocr.json", "ocr_config.json"], "ocr_weights.h5", None),
    ],
)
def test_architecture_under_a_related_name(tmp_path, files, weights, architecture):
    for name in files:
        (tmp_path / name).write_text('{"class_name": "Model"}')
    sources = [tmp_path / name for name in files if not name.endswith(".json")]
    found = dict(zip(sources, pair([(path, True) for path in sources]), strict=True))
    assert found[tmp_path / weights].architecture == (tmp_path / architecture if architecture else None)
    assert found[tmp_path / weights].notes


def test_files_of_the_same_bytes_are_named(registry, tmp_path):
    propose_manifest([str(registry)], tmp_path / "m.csv")
    assert "# tag: the same bytes as #a.h5" in (tmp_path / "m.csv").read_text()


def test_files_that_are_called_models_and_are_none(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    for name, content in {
        "a.keras": b"PK\x03\x04",
        "b.h5": b"version https://git-lfs.github.com/spec/v1",
        "c.hdf5": b"\x80\x04",
        "d.h5": b"<html>",
        "e.h5": b"",
        "f.h5": b"text",
        "note.txt": b"text",
    }.items():
        (models / name).write_bytes(content)
    (models / "g.h5").symlink_to("../.git/annex/objects/x/y/MD5E-s1--0.h5")
    (models / "h.h5").symlink_to("nowhere")
    propose_manifest([str(models)], tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_text().splitlines()[1:] == [
        "# left out: models/a.keras (a ZIP archive, perhaps a Keras 3 .keras file)",
        "# left out: models/b.h5 (a git-LFS pointer: fetch the real file with `git lfs pull`)",
        "# left out: models/c.hdf5 (a Python pickle)",
        "# left out: models/d.h5 (an HTML or XML page, perhaps a failed download)",
        "# left out: models/e.h5 (an empty file)",
        "# left out: models/f.h5 (not HDF5)",
        "# left out: models/g.h5 (a git-annex pointer: fetch the real file with `git annex get`)",
        "# left out: models/h.h5 (a link to nothing)",
    ]


def test_only_archives_are_samples(tmp_path):
    (tmp_path / "m.npz").write_text("text")
    assert pair([(tmp_path / "m.h5", False)])[0].samples is None
