from dataclasses import replace

import pytest

from pipeline.publication.layout import RECEIPT
from pipeline.publication.object_store import remote_receipt, upload
from pipeline.publication.receipt import Receipt, list_files
from tests.pipeline.fakes import write_artefact
from tests.pipeline.memory_filesystem import MemoryFileSystem
from tests.pipeline.publication.test_receipt import KEY
from tests.pipeline.registry import fake_run, run_and_read

PLACE = "memory://store/out/m/1"


@pytest.fixture(autouse=True)
def store():
    MemoryFileSystem.objects.clear()
    MemoryFileSystem.written.clear()
    MemoryFileSystem.failing = ""
    return MemoryFileSystem.objects


@pytest.fixture
def staged(tmp_path):
    write_artefact(tmp_path, b"weights")
    return tmp_path


def receipt_of(staged):
    return Receipt("m", 1, KEY, list_files(staged))


def test_graph_comes_late_and_receipt_last(staged, store):
    upload(staged, PLACE, receipt_of(staged))
    assert MemoryFileSystem.written[-2:] == [f"{PLACE}/saved_model.pb", f"{PLACE}/{RECEIPT}"]
    assert remote_receipt(PLACE).files == receipt_of(staged).files


def test_replacement_leaves_no_stale_file(staged, store):
    upload(staged, PLACE, receipt_of(staged))
    store[f"{PLACE}/variables/variables.data-00001-of-00002"] = b"old"
    store["memory://store/out/m/10/saved_model.pb"] = b"another version"
    upload(staged, PLACE, receipt_of(staged))
    assert f"{PLACE}/variables/variables.data-00001-of-00002" not in store
    assert "memory://store/out/m/10/saved_model.pb" in store


def test_interrupted_upload_has_no_receipt(staged, store):
    upload(staged, PLACE, receipt_of(staged))
    MemoryFileSystem.failing = "saved_model.pb"
    with pytest.raises(OSError):
        upload(staged, PLACE, receipt_of(staged))
    assert remote_receipt(PLACE) is None


def test_receipt_does_not_vouch_for_lost_files(staged, store):
    upload(staged, PLACE, receipt_of(staged))
    del store[f"{PLACE}/saved_model.pb"]
    assert remote_receipt(PLACE) is None


def test_whole_run_on_an_object_store(tmp_path, store):
    store["memory://store/m/manifest.csv"] = b"model,source\ngood-1,a.h5\ncrash-1,../b.h5\ngone,c.h5\n"
    store["memory://store/m/a.h5"] = store["memory://store/b.h5"] = b"lstm x"
    run = fake_run(tmp_path, tmp_path / "out")
    settings = replace(run.settings, output="memory://store/out")
    run = replace(run, manifest="memory://store/m/manifest.csv", settings=settings)
    status, frame = run_and_read(run)
    found = {model: row.reason or row.status for model, row in frame.iterrows()}
    assert (status, found) == (3, {"good-1": "migrated", "crash-1": "crashed", "gone": "source_missing"})
    assert frame.loc["good-1"].output == "memory://store/out/good-1/1"
    assert len([path for path in store if path.startswith("memory://store/out/good-1")]) == 5
    history = [path for path in MemoryFileSystem.written if "_h5ferry" in path]
    assert history == [f"memory://store/out/_h5ferry/{name}" for name in ("runs/test-run/run.json", "latest.json")]
    MemoryFileSystem.written.clear()
    assert run_and_read(run)[1].loc["good-1"].status == "unchanged"
    assert [path for path in MemoryFileSystem.written if "_h5ferry" not in path] == []
    assert {path.rpartition("/")[0] for path in store if path.endswith("run.json")} == {
        f"memory://store/out/_h5ferry/runs/{name}" for name in ("test-run", "test-run.1")
    }
