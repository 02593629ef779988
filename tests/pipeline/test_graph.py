import apache_beam as beam
import pytest
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that, equal_to

from pipeline.graph import ENDED, Convert, Inspect, MigrateModels, ReadManifest
from pipeline.manifest.reader import read_manifest
from pipeline.manifest.row import ManifestRow
from tests.pipeline.matching import statuses_are
from tests.pipeline.registry import fake_run, run_and_read, tree, write_registry

MIXED = {
    "good-1": "migrated",
    "text/crash-1": "crashed",
    "good-2": "migrated",
    "hang-1": "timeout",
    "killed-1": "out_of_memory",
    "greedy-1": "out_of_memory",
    "broken-1": "internal_error",
    "mismatch-1": "mismatch",
    "refuse-1": "unsupported_layer",
    "empty-1": "internal_error",
    "link-1": "output_error",
    "bad name": "invalid_row",
    "good-3": "migrated",
}


@pytest.fixture
def registry(tmp_path):
    return write_registry(tmp_path, list(MIXED))


def outcomes(frame):
    return {model: row.reason or row.status for model, row in frame.iterrows()}


def test_each_step_in_memory(tmp_path):
    path = write_registry(tmp_path, ["good-1", "crash-1", "a//b", "good-2"])
    settings = fake_run(path, tmp_path / "out").settings
    with test_pipeline.TestPipeline("FnApiRunner") as pipeline:
        inspected = pipeline | ReadManifest(str(path), read_manifest(str(path)).sha256) | Inspect(settings)
        converted = inspected.candidates | Convert(settings)
        assert_that(inspected[ENDED], statuses_are({"a//b": "invalid_row"}), label="ended")
        expected = {"good-1": "migrated", "crash-1": "crashed", "good-2": "migrated"}
        assert_that(converted, statuses_are(expected), label="converted")


def test_models_of_anybodys_pipeline(tmp_path, monkeypatch):
    """Rows of whatever origin, of which each gives one row, whose names and places are checked as a manifest's are."""
    write_registry(tmp_path, ["good-1", "crash-1", "good-2"])
    monkeypatch.chdir(tmp_path)
    entries = [
        {"model": "team/good-1", "source": "0.h5", "other": 7},
        ManifestRow(5, "crash-1", str(tmp_path / "1.h5")),
        ManifestRow(6, "good-2", "2.h5", 3),
        {"model": "../out", "source": "2.h5"},
        {"model": "good-3", "source": "0.h5"},
        {"model": "good-3", "source": "2.h5"},
        {"model": "good-3/1", "source": "2.h5"},
        {"source": "2.h5"},
    ]
    expected = ["migrated", "crashed", "migrated", "invalid_row", *["duplicate_output"] * 3, "invalid_row"]
    settings = fake_run(tmp_path, tmp_path / "out").settings
    with test_pipeline.TestPipeline("FnApiRunner") as pipeline:
        found = pipeline | beam.Create(entries) | MigrateModels(settings)
        told = found | "Told" >> beam.Map(lambda row: (row.model, row.reason or row.status))
        names = [entry.model if isinstance(entry, ManifestRow) else entry.get("model", "") for entry in entries]
        assert_that(told, equal_to(list(zip(names, expected, strict=True))), label="one row each")
        published = found | beam.Filter(lambda row: row.output) | beam.Map(lambda row: row.outcome.evidence)
        assert_that(published, equal_to(["reference"] * 2), label="further steps")
    assert (tmp_path / "out/good-2/3/assets.extra/h5ferry.json").exists()


def test_nothing_stops_the_others(tmp_path, registry):
    status, frame = run_and_read(fake_run(registry, tmp_path / "out", timeout=3))
    assert status == 3
    assert outcomes(frame) == MIXED
    published = {path.split("/")[0] for path in tree(tmp_path / "out")}
    assert published == {"good-1", "good-2", "good-3"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["_h5ferry", *sorted(published)]
    good = frame.loc["good-1"]
    assert good.output == str(tmp_path / "out/good-1/1") and good.output_bytes > 0 and len(good.output_sha256) == 64
    assert list(good.rewrites) == ["lstm: cudnn_lstm (two biases added)"] and good.seconds > 0
    assert frame.loc["text/crash-1"].keras_version == "2.2.4"


def test_second_run_is_unchanged_and_touches_nothing(tmp_path):
    path = write_registry(tmp_path, ["good-1", "a/good-2", "mismatch-1"])
    run = fake_run(path, tmp_path / "out")
    assert run_and_read(run)[0] == 3
    before = tree(tmp_path / "out")
    status, frame = run_and_read(run)
    assert outcomes(frame) == {"good-1": "unchanged", "a/good-2": "unchanged", "mismatch-1": "mismatch"}
    assert status == 3 and tree(tmp_path / "out") == before
    assert frame.loc["good-1"].max_abs_error == 1e-7 and frame.loc["good-1"].evidence == "reference"


def test_what_changes_is_done_again_and_what_is_refused_keeps_the_old(tmp_path):
    path = write_registry(tmp_path, ["good-1", "good-2", "good-3"])
    run = fake_run(path, tmp_path / "out")
    assert run_and_read(run)[0] == 0
    before = tree(tmp_path / "out")
    (tmp_path / "1.h5").write_text("lstm retrained")
    (tmp_path / "2.h5").write_text("refuse")
    (tmp_path / "out/good-1/1/saved_model.pb").unlink()
    status, frame = run_and_read(run)
    assert status == 3
    assert outcomes(frame) == {"good-1": "migrated", "good-2": "migrated", "good-3": "unsafe_lambda"}
    after = tree(tmp_path / "out")
    changed = {name.split("/")[0] for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"good-1", "good-2"} and before.keys() == after.keys()


def test_required_evidence_is_checked_by_the_parent(tmp_path):
    from transforms.records.outcome import Evidence

    run = fake_run(write_registry(tmp_path, ["good-1"]), tmp_path / "out", require_evidence=Evidence.GOLDEN)
    assert outcomes(run_and_read(run)[1]) == {"good-1": "weak_evidence"}
    assert not (tmp_path / "out").exists() or tree(tmp_path / "out") == {}


def test_unwritable_output_fails_every_row_but_not_the_run(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/good-1").write_text("a file where a folder should be")
    path = write_registry(tmp_path, ["good-1", "good-2"])
    assert outcomes(run_and_read(fake_run(path, tmp_path / "out"))[1]) == {
        "good-1": "output_occupied",
        "good-2": "migrated",
    }


@pytest.mark.parametrize(
    "beam",
    [
        ["--direct_running_mode=multi_processing", "--direct_num_workers=2"],
        ["--direct_running_mode=multi_threading", "--direct_num_workers=2"],
        ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"],
    ],
    ids=lambda beam: beam[0].partition("=")[2],
)
def test_other_runners(tmp_path, beam):
    expected = {"good-1": "migrated", "crash-1": "crashed", "a//b": "invalid_row", "good-2": "migrated"}
    path = write_registry(tmp_path, list(expected))
    status, frame = run_and_read(fake_run(path, tmp_path / "out", *beam))
    assert status == 3 and outcomes(frame) == expected
    assert set(tree(tmp_path / "out")) == {f"good-{n}/1/{file}" for n in (1, 2) for file in FILES}


FILES = (
    "assets.extra/h5ferry.json",
    "assets.extra/samples.npz",
    "saved_model.pb",
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
)
