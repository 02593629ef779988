"""What the newest record tells of a whole output."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.history.inventory import carried_over, inventory
from tests.pipeline.history.test_record import RECORD


def record(run_id, manifest, names, output, state="finished", before=None, rows=None):
    """A record over a manifest of `rows` (by default what was published), after another one."""
    digests = {name: f"{run_id} {name}" for name in names}
    new = replace(
        RECORD,
        run_id=run_id,
        state=state,
        manifest={"path": manifest},
        output=str(output),
        receipts=digests,
        outputs={name: f"output {digest}" for name, digest in digests.items()},
        previous=None if before is None else before.reference,
        earlier=(),
    )
    return replace(new, earlier=carried_over(before, new, set(names if rows is None else rows)))


@pytest.fixture
def output(tmp_path):
    for name in ("gone", "kept", "new", "other", "failed"):
        (tmp_path / name / "1").mkdir(parents=True)
    return tmp_path


def runs_of(newest):
    return {name: (entry.run_id, entry.demanded) for name, entry in inventory(newest).items()}


def test_what_must_be_there(output):
    """What the newest whole run over a manifest published, and interrupted ones since; other manifests apart."""
    first = record("r2", "/a.csv", ["gone/1", "kept/1"], output)
    second = record("r3", "/a.csv", ["kept/1", "new/1"], output, before=first)
    third = record("r4", "/b.csv", ["other/1"], output, before=second)
    fourth = record("r5", "/a.csv", ["new/1"], output, "interrupted", third, ["kept/1", "new/1"])
    assert runs_of(fourth) == {
        "new/1": ("r5", True),
        "other/1": ("r4", True),
        "kept/1": ("r3", True),
        "gone/1": ("r2", False),
    }
    assert inventory(fourth)["kept/1"].receipt_sha256 == "r3 kept/1"
    assert inventory(fourth)["gone/1"].output_sha256 == "output r2 gone/1"
    assert inventory(None) == {}


def test_a_row_that_failed_since_must_still_be_there(output):
    first = record("r1", "/a.csv", ["failed/1", "kept/1"], output)
    second = record("r2", "/a.csv", ["kept/1"], output, before=first, rows=["failed/1", "kept/1"])
    assert runs_of(second) == {"kept/1": ("r2", True), "failed/1": ("r1", True)}


def test_what_was_taken_out_of_its_manifest_may_go(output):
    first = record("r1", "/a.csv", ["gone/1", "kept/1"], output)
    second = record("r2", "/a.csv", ["kept/1"], output, before=first)
    assert runs_of(second)["gone/1"] == ("r1", False)
    (output / "gone/1").rmdir()
    third = record("r3", "/b.csv", ["other/1"], output, before=second)
    assert runs_of(third) == {"other/1": ("r3", True), "kept/1": ("r2", True)}


def test_what_is_gone_is_demanded_by_its_manifest(output):
    """Somebody removes a model, and its record; a run over another manifest does not forget it."""
    first = record("r1", "/a.csv", ["new/1"], output)
    (output / "new/1").rmdir()
    second = record("r2", "/b.csv", ["other/1"], output, before=first)
    assert runs_of(second)["new/1"] == ("r1", True)


NAMES = st.sampled_from(["a/1", "b/1", "c/1"])
RUNS = st.lists(st.tuples(st.sampled_from(["/a.csv", "/b.csv"]), st.sets(NAMES, min_size=1), st.booleans()), min_size=1)


@given(runs=RUNS)
def test_the_newest_record_knows_the_last_digest_of_each_name(runs):
    """Whatever runs follow on each other, over whichever manifests, whole or cut short."""
    records = []
    last = {}
    for number, (manifest, names, whole) in enumerate(runs):
        before = records[-1] if records else None
        state = "finished" if whole else "interrupted"
        records.append(record(f"r{number}", manifest, sorted(names), "/", state, before, ["a/1", "b/1", "c/1"]))
        last |= {name: f"r{number} {name}" for name in names}
        assert {name: entry.receipt_sha256 for name, entry in inventory(records[-1]).items()} == last
    for before, after in pairwise(records):
        assert after.previous == before.reference
        assert inventory(before).keys() <= inventory(after).keys()
