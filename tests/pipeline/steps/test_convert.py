from dataclasses import replace
from unittest.mock import patch

import pytest

from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from pipeline.manifest.row import ManifestRow
from pipeline.settings import MigrateSettings
from pipeline.steps.convert import convert_model
from pipeline.steps.converter_pool import ProcessPair
from pipeline.steps.custom_code import WARNING
from pipeline.steps.inspect import inspect_row
from tests.pipeline.fakes import FAKE_CHILDREN
from tests.pipeline.registry import tree
from transforms.records.outcome import Evidence


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = ProcessPair.started(fake_settings(tmp_path_factory.mktemp("unused")))
    yield pair
    pair.close()


@pytest.fixture(scope="module")
def child():
    child = ConfinedProcess(Isolation(timeout=20))
    yield child
    child.close()


def fake_settings(folder):
    return MigrateSettings(
        str(folder / "out"),
        "run",
        "attempt-1",
        isolation=Isolation(timeout=20),
        children=FAKE_CHILDREN,
    )


@pytest.fixture
def settings(tmp_path):
    return fake_settings(tmp_path)


@pytest.fixture
def candidate(child, settings, tmp_path):
    (tmp_path / "m.h5").write_text("lstm weights")
    return inspect_row(ManifestRow(2, "good", str(tmp_path / "m.h5")), settings, child)


def test_same_element_twice_is_migrated_once(candidate, settings, pair, tmp_path):
    first = convert_model(candidate, settings, pair)
    before = tree(tmp_path / "out")
    again = convert_model(candidate, settings, pair)
    assert (first.status, again.status) == ("migrated", "migrated")
    assert first.output_sha256 == again.output_sha256 and tree(tmp_path / "out") == before
    other_run = convert_model(candidate, replace(settings, attempt="attempt-2"), pair)
    assert other_run.status == "unchanged"


def test_what_another_version_published_is_published_again_and_says_why(candidate, settings, pair):
    older = replace(candidate.key, migration_version=candidate.key.migration_version - 1)
    with patch("pipeline.steps.convert.receipt_key", return_value=older):
        convert_model(replace(candidate, key=older), settings, pair)
    row = convert_model(candidate, replace(settings, attempt="attempt-2"), pair)
    assert row.status == "migrated"
    assert "migration_version" in row.message and row.message.startswith("Published again")


def test_source_that_changes_between_the_steps(candidate, settings, pair, tmp_path):
    (tmp_path / "m.h5").write_text("lstm other weights")
    row = convert_model(candidate, settings, pair)
    assert (row.status, row.reason) == ("refused", "digest_mismatch")
    assert not (tmp_path / "out").exists() or tree(tmp_path / "out") == {}


def test_source_that_vanishes_between_the_steps(candidate, settings, pair, tmp_path):
    (tmp_path / "m.h5").unlink()
    assert convert_model(candidate, settings, pair).reason == "source_missing"


@pytest.mark.parametrize(
    "change", [{"rtol": 1e-3}, {"atol": 1e-3}, {"backend": "theano"}, {"samples": "m.h5"}, {"architecture": "m.h5"}]
)
def test_other_options_are_converted_again(candidate, settings, pair, child, tmp_path, change):
    assert convert_model(candidate, settings, pair).status == "migrated"
    change = {name: str(tmp_path / value) if value == "m.h5" else value for name, value in change.items()}
    result = inspect_row(replace(candidate.row, **change), settings, child)
    assert type(result) is type(candidate)
    assert convert_model(result, settings, pair).status == "migrated"


def test_custom_code_runs_in_a_child_of_its_own(settings, child, tmp_path):
    source, code = tmp_path / "m.h5", tmp_path / "code.py"
    source.write_text("lstm weights")
    code.write_text("x = 1")
    settings = replace(settings, allow_custom_code=True)
    pair = ProcessPair.started(settings)
    try:
        row = ManifestRow(2, "code", str(source), custom_objects=str(code))
        found = inspect_row(row, settings, child)
        first, verifier = pair.converter.call("os:getpid"), pair.verifier.call("os:getpid")
        assert first != verifier
        migrated = convert_model(found, settings, pair)
        assert (migrated.status, migrated.outcome.evidence) == ("migrated", "rebuilt")  # the code claimed `reference`
        assert WARNING in migrated.outcome.warnings
        assert pair.converter.call("os:getpid") != first
        assert pair.verifier.call("os:getpid") == verifier
        demanding = replace(settings, require_evidence=Evidence.REFERENCE)
        row = replace(row, model="code-2")
        refused = convert_model(inspect_row(row, demanding, child), demanding, pair)
        assert (refused.status, refused.reason) == ("refused", "weak_evidence")
    finally:
        pair.close()


def test_a_second_conversion_that_differs_is_not_published(settings, pair, child, tmp_path):
    settings = replace(settings, recheck_every=1)
    (tmp_path / "m.h5").write_text("lstm weights")
    same, other = (
        convert_model(inspect_row(ManifestRow(2, model, str(tmp_path / "m.h5")), settings, child), settings, pair)
        for model in ("good", "fickle")
    )
    assert same.status == "migrated"
    assert (other.status, other.reason) == ("failed", "internal_error")
    assert "second conversion" in other.message


@pytest.mark.parametrize(
    ("model", "status", "reason"),
    [
        ("unverifiable", "failed", "crashed"),
        ("altered", "failed", "internal_error"),
        ("empty", "failed", "internal_error"),
    ],
)
def test_what_cannot_be_verified_is_not_published(model, status, reason, settings, pair, child, tmp_path):
    (tmp_path / "m.h5").write_text("lstm weights")
    found = inspect_row(ManifestRow(2, model, str(tmp_path / "m.h5")), settings, child)
    row = convert_model(found, settings, pair)
    assert (row.status, row.reason) == (status, reason), row.message
    assert tree(tmp_path / "out") == {}
    assert convert_model(replace(found, row=replace(found.row, model="good")), settings, pair).status == "migrated"
