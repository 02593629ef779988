"""Two full runs at once, one element twice, one source under many names: one identical artefact of each model."""

from dataclasses import replace

import apache_beam as beam
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that

from pipeline.audit.verify import VerifyRequest, verify
from pipeline.graph import Convert, Inspect
from pipeline.manifest.reader import read_manifest
from tests.faults.misbehaving import CHILDREN
from tests.faults.programs import FAKES, Program, outcomes, published, registry_of, run
from tests.pipeline.matching import statuses_are
from tests.pipeline.registry import fake_run

MODELS = [f"m{number}" for number in range(12)]


def arguments(folder, report, *more):
    return (
        "migrate",
        folder / "registry/manifest.csv",
        "--output",
        folder / "out",
        "--report",
        folder / report,
        *FAKES,
        "--quiet",
        *more,
    )


def test_two_runs_at_once(tmp_path):
    registry_of(tmp_path / "registry", MODELS)
    assert run(tmp_path / "whole", *arguments(tmp_path, "r0", "--output", tmp_path / "alone")) == 0
    runs = [
        Program(tmp_path / name, *arguments(tmp_path, name, "--no-lock", "--run-id", name)) for name in ("r1", "r2")
    ]
    assert [each.ended() for each in runs] == [0, 0], [each.printed for each in runs]
    for name in ("r1", "r2"):
        assert set(outcomes(tmp_path / name)) == set(MODELS)
        assert set(outcomes(tmp_path / name).values()) <= {"migrated", "unchanged"}
    assert published(tmp_path / "out") == published(tmp_path / "alone")
    found = verify(VerifyRequest(tmp_path / "out", run_samples=False))
    altered = {finding.message for state in found.outputs for finding in state.findings}
    assert found.runs == 2 and not found.findings, found.findings
    assert not altered, altered


def test_the_lock_says_who_holds_it(tmp_path):
    registry_of(tmp_path / "registry", ["convert.once"])
    children = ("--converter", CHILDREN, "--verifier", CHILDREN, "--inspector", f"{CHILDREN}:inspect")
    first = Program(tmp_path / "first", *arguments(tmp_path, "r1", "--run-id", "the-first", *children))
    while not (tmp_path / "first/convert.seen").exists():
        assert first.running, first.printed
    second = Program(tmp_path / "second", *arguments(tmp_path, "r2", "--wait=0"))
    assert second.ended() == 2 and "the-first" in second.printed, second.printed
    first.send(15)
    assert first.ended() == 143
    assert run(tmp_path / "second", *arguments(tmp_path, "r2")) == 0


def test_the_same_element_twice(tmp_path):
    manifest = registry_of(tmp_path / "registry", ["good-1", "good-2", "refuse-1"])
    settings = replace(fake_run(manifest, tmp_path / "out").settings, attempt="a")
    rows = [row for row in read_manifest(str(manifest)).rows for _ in range(3)]
    with test_pipeline.TestPipeline("FnApiRunner") as pipeline:
        inspected = pipeline | beam.Create(rows) | Inspect(settings)
        converted = inspected.candidates | Convert(settings)
        expected = {"good-1": "migrated", "good-2": "migrated", "refuse-1": "unsupported_layer"}
        names = converted | beam.Map(lambda row: row.model) | beam.combiners.Count.PerElement()
        assert_that(names, lambda counted: _each(counted, expected, 3), label="counted")
        once = converted | beam.Map(lambda row: (row.model, row)) | beam.combiners.Latest.PerKey() | beam.Values()
        assert_that(once, statuses_are(expected), label="outcomes")
    assert [path for path in published(tmp_path / "out") if path.count("/") == 1] == ["good-1/1", "good-2/1"]


def _each(counted, expected, times):
    assert dict(counted) == dict.fromkeys(expected, times)


def test_one_source_under_many_names(tmp_path):
    registry_of(tmp_path / "registry", ["one"])
    lines = ["model,source", *(f"many/m{number},0.h5" for number in range(10))]
    (tmp_path / "registry/manifest.csv").write_text("\n".join(lines) + "\n")
    assert run(tmp_path / "scratch", *arguments(tmp_path, "report", "--direct_num_workers=2")) == 0
    assert set(outcomes(tmp_path / "report").values()) == {"migrated"}
    outputs = [tmp_path / f"out/many/m{number}/1" for number in range(10)]
    assert len({(each / "variables/variables.data-00000-of-00001").read_bytes() for each in outputs}) == 1
    assert verify(VerifyRequest(tmp_path / "out", run_samples=False)).sound
