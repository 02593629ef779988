import os
from dataclasses import replace

import pytest

from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from pipeline.manifest.row import ManifestRow
from pipeline.settings import CHILD_FUNCTIONS, MigrateSettings
from pipeline.steps.inspect import Candidate, inspect_row, receipt_key
from pipeline.steps.source_files import local_files
from tests.pipeline.fakes import FAKE_CHILDREN
from transforms.limits import Limits

SHA256 = "a5b5c9c15b3ed8b0b5a3d8b5b1fb0bb3"


@pytest.fixture(scope="module")
def child():
    child = ConfinedProcess(Isolation(timeout=20))
    yield child
    child.close()


@pytest.fixture
def settings(tmp_path):
    return MigrateSettings(str(tmp_path / "out"), "run", children=FAKE_CHILDREN, limits=Limits(file_bytes=100))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "m.h5"
    path.write_text("lstm weights")
    return path


def test_candidate_knows_its_source(child, settings, source):
    candidate = inspect_row(ManifestRow(2, "m", str(source)), settings, child)
    assert isinstance(candidate, Candidate)
    assert candidate.fingerprint == "lstm" and candidate.key.source_sha256
    assert candidate.facts.keras_version == "2.2.4"


@pytest.mark.parametrize(
    "change, reason, says",
    [
        ({"reason": "invalid_row", "message": "Line 2."}, "invalid_row", "Line 2."),
        ({"source": "/no/such.h5"}, "source_missing", "No such file"),
        ({"samples": "/no/such.npz"}, "invalid_samples", "/no/such.npz"),
        ({"architecture": "/no/such.json"}, "missing_architecture", "line 2"),
        ({"sha256": SHA256 * 2}, "digest_mismatch", SHA256),
    ],
)
def test_refusals_before_reading(child, settings, source, change, reason, says):
    row = inspect_row(replace(ManifestRow(2, "m", str(source)), **change), settings, child)
    assert (row.status, row.reason) == ("refused", reason), row.message
    assert says in row.message


@pytest.mark.parametrize(
    "content, status, reason",
    [("refuse", "refused", "unsafe_lambda"), ("segfault", "failed", "crashed"), ("x" * 101, "refused", "over_budget")],
)
def test_refusals_while_reading(child, settings, source, content, status, reason):
    source.write_text(content)
    row = inspect_row(ManifestRow(2, "m", str(source)), settings, child)
    assert (row.status, row.reason) == (status, reason), row.message


def test_a_fifo_blocks_nobody(child, settings, source):
    source.unlink()
    os.mkfifo(source)
    row = ManifestRow(2, "m", str(source))
    result = inspect_row(row, replace(settings, children=CHILD_FUNCTIONS), child)
    assert result.status == "refused"


@pytest.mark.parametrize("column, name", [("custom_objects", "code.py"), ("architecture", "arch.py")])
def test_custom_code_may_mend_a_refusal_where_it_is_allowed(child, settings, source, column, name):
    source.write_text("custom")
    file = source.with_name(name)
    file.write_text("class Attention: pass")
    row = replace(ManifestRow(2, "m", str(source)), **{column: str(file)})
    refused = inspect_row(row, settings, child)
    assert (refused.status, refused.reason) == ("refused", "custom_objects_needed")
    candidate = inspect_row(row, replace(settings, allow_custom_code=True), child)
    assert isinstance(candidate, Candidate) and candidate.key.source_sha256
    without = inspect_row(ManifestRow(2, "m", str(source)), replace(settings, allow_custom_code=True), child)
    assert without.reason == "custom_objects_needed"


def test_a_kept_training_state_is_part_of_the_key(settings, source):
    row = ManifestRow(2, "m", str(source))
    with local_files(row, settings.limits) as files:
        keys = [receipt_key(row, files, replace(settings, keep_training=kept)) for kept in (False, True)]
    assert keys[0] != keys[1]
