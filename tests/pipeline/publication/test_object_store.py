from dataclasses import replace

import pytest

from pipeline.publication.layout import RECEIPT
from pipeline.publication.object_store import remote_receipt, upload
from pipeline.publication.receipt import Receipt, list_files
from tests.pipeline.fakes import write_artefact
from tests.pipeline.memory_filesystem import MemoryFileSystem
from tests.pipeline.publication.test_receipt import KEY
from tests.pipeline.registry import fake_run, run_and_read
from transforms.errors import MigrationError, Reason

OUTPUT = "memory://store/out"
PLACE = f"{OUTPUT}/m/1"


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
    upload(staged, OUTPUT, receipt_of(staged))
    assert MemoryFileSystem.written[-2:] == [f"{PLACE}/saved_model.pb", f"{PLACE}/{RECEIPT}"]
    assert remote_receipt(OUTPUT, "m", 1).receipt.files == receipt_of(staged).files


def test_replacement_leaves_no_stale_file(staged, store):
    shard = staged / "variables/variables.data-00001-of-00002"
    shard.write_bytes(b"old")
    upload(staged, OUTPUT, receipt_of(staged))
    shard.unlink()
    store["memory://store/out/m/10/saved_model.pb"] = b"another version"
    upload(staged, OUTPUT, receipt_of(staged))
    assert f"{PLACE}/variables/variables.data-00001-of-00002" not in store
    assert "memory://store/out/m/10/saved_model.pb" in store


def test_interrupted_upload_has_no_receipt(staged, store):
    upload(staged, OUTPUT, receipt_of(staged))
    MemoryFileSystem.failing = "saved_model.pb"
    with pytest.raises(OSError):
        upload(staged, OUTPUT, receipt_of(staged))
    assert remote_receipt(OUTPUT, "m", 1) is None


#: What lies on the store before, beside an upload of "m" version 1, and what of it keeps the upload away.
OCCUPIED = {
    f"{PLACE}/notes.txt": "notes.txt",
    f"{PLACE}/saved_model.pb": "saved_model.pb",
    f"{PLACE}/2/{RECEIPT}": RECEIPT,
    f"{OUTPUT}/m/{RECEIPT}": "holds a SavedModel",
    f"{OUTPUT}/saved_model.pbtxt": "holds a SavedModel",
}


@pytest.mark.parametrize("place", OCCUPIED)
@pytest.mark.parametrize("published", [False, True])
def test_what_somebody_else_put_there_stays(staged, store, place, published):
    if published:
        upload(staged, OUTPUT, receipt_of(staged))
    store[place] = b"mine"
    before = dict(store)
    for act in (lambda: upload(staged, OUTPUT, receipt_of(staged)), lambda: remote_receipt(OUTPUT, "m", 1)):
        if published and place.endswith("1/saved_model.pb"):
            continue  # damaged, so that it is published anew
        with pytest.raises(MigrationError, match=OCCUPIED[place]) as refusal:
            act()
        assert refusal.value.reason is Reason.OUTPUT_OCCUPIED and store == before


def test_the_receipt_of_another_is_not_replaced(staged, store):
    upload(staged, OUTPUT, replace(receipt_of(staged), model="M"))
    store.update({path.replace("/M/", "/m/"): store.pop(path) for path in list(store)})
    with pytest.raises(MigrationError, match="holds M/1"):
        upload(staged, OUTPUT, receipt_of(staged))


@pytest.mark.parametrize("failing", ["uploading.json", "variables.index", "saved_model.pb", "h5ferry.json"])
@pytest.mark.parametrize("published", [False, True])
def test_an_interrupted_upload_is_taken_up(staged, store, failing, published):
    if published:
        upload(staged, OUTPUT, receipt_of(staged))
    MemoryFileSystem.failing = failing
    with pytest.raises(OSError):
        upload(staged, OUTPUT, receipt_of(staged))
    upload(staged, OUTPUT, receipt_of(staged))
    assert remote_receipt(OUTPUT, "m", 1).receipt.files == receipt_of(staged).files
    assert len(store) == len(receipt_of(staged).files) + 1


def test_receipt_does_not_vouch_for_lost_files(staged, store):
    upload(staged, OUTPUT, receipt_of(staged))
    del store[f"{PLACE}/saved_model.pb"]
    assert remote_receipt(OUTPUT, "m", 1) is None


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
