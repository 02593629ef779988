from dataclasses import replace

import pytest

from pipeline.converting import convert_model
from pipeline.inspecting import inspect_row
from pipeline.isolation import Child, Isolation
from pipeline.options import MigrateSettings
from pipeline.records import ManifestRow
from tests.pipeline.fakes import CONVERTER, INSPECTOR
from tests.pipeline.registry import tree


@pytest.fixture(scope="module")
def child():
    child = Child(Isolation(timeout=20))
    yield child
    child.close()


@pytest.fixture
def settings(tmp_path):
    return MigrateSettings(str(tmp_path / "out"), "run", "attempt-1", converter=CONVERTER, inspector=INSPECTOR)


@pytest.fixture
def candidate(child, settings, tmp_path):
    (tmp_path / "m.h5").write_text("lstm weights")
    return inspect_row(ManifestRow(2, "good", str(tmp_path / "m.h5")), settings, child)


def test_same_element_twice_is_migrated_once(candidate, settings, child, tmp_path):
    first = convert_model(candidate, settings, child)
    before = tree(tmp_path / "out")
    again = convert_model(candidate, settings, child)
    assert (first.status, again.status) == ("migrated", "migrated")
    assert first.output_sha256 == again.output_sha256 and tree(tmp_path / "out") == before
    other_run = convert_model(candidate, replace(settings, attempt="attempt-2"), child)
    assert other_run.status == "unchanged"


def test_source_that_changes_between_the_steps(candidate, settings, child, tmp_path):
    (tmp_path / "m.h5").write_text("lstm other weights")
    row = convert_model(candidate, settings, child)
    assert (row.status, row.reason) == ("refused", "digest_mismatch")
    assert not (tmp_path / "out").exists() or tree(tmp_path / "out") == {}


def test_source_that_vanishes_between_the_steps(candidate, settings, child, tmp_path):
    (tmp_path / "m.h5").unlink()
    assert convert_model(candidate, settings, child).reason == "source_missing"


@pytest.mark.parametrize(
    "change", [{"rtol": 1e-3}, {"atol": 1e-3}, {"backend": "theano"}, {"samples": "m.h5"}, {"architecture": "m.h5"}]
)
def test_other_options_are_converted_again(candidate, settings, child, tmp_path, change):
    assert convert_model(candidate, settings, child).status == "migrated"
    change = {name: str(tmp_path / value) if value == "m.h5" else value for name, value in change.items()}
    result = inspect_row(replace(candidate.row, **change), settings, child)
    assert type(result) is type(candidate)
    assert convert_model(result, settings, child).status == "migrated"


def test_custom_code_runs_in_a_child_of_its_own(settings, tmp_path):
    source, code = tmp_path / "m.h5", tmp_path / "code.py"
    source.write_text("lstm weights")
    code.write_text("x = 1")
    settings = replace(settings, allow_custom_code=True)
    child = Child(Isolation(timeout=20))
    try:
        row = ManifestRow(2, "code", str(source), custom_objects=str(code))
        found = inspect_row(row, settings, child)
        first = child.call("os:getpid")
        assert convert_model(found, settings, child).status == "migrated"
        assert child.call("os:getpid") != first
    finally:
        child.close()
