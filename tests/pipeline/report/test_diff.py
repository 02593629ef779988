import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipeline.cli.app import main
from pipeline.report.diff import Verdict, compare_reports
from pipeline.report.diff_view import as_json, print_changes
from pipeline.report.table import write_report
from tests.pipeline.report.test_table import frame_of, report_row
from transforms.records.outcome import EVIDENCE_ORDER, Status

NAN = math.nan


def changes(old, new, **options):
    return [
        (change.model, change.what, change.verdict.value)
        for change in compare_reports(frame_of(*old), frame_of(*new), **options)
    ]


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ({}, {}, []),
        ({}, {"seconds": 9, "run_id": "r2", "output": "/elsewhere"}, []),
        ({}, {"status": "unchanged"}, []),
        ({"status": "unchanged"}, {"status": "migrated"}, []),
        ({}, {"status": "refused", "reason": "unsafe_op"}, [("status", "worse"), ("reason", "changed")]),
        ({"status": "failed"}, {}, [("status", "better")]),
        ({"status": "refused"}, {"status": "mismatch"}, [("status", "worse")]),
        ({"status": "failed"}, {"status": "refused"}, [("status", "better")]),
        ({"status": "failed"}, {"status": "mismatch"}, [("status", "changed")]),
        ({"evidence": "golden"}, {"evidence": "rebuilt"}, [("evidence", "worse")]),
        ({"evidence": "reference"}, {"evidence": "golden"}, [("evidence", "better")]),
        ({"evidence": "golden"}, {"evidence": "", "status": "failed"}, [("status", "worse")]),
        ({"max_abs_error": 1e-7}, {"max_abs_error": 9e-7}, []),
        ({"max_abs_error": 1e-7}, {"max_abs_error": 1.1e-6}, [("max_abs_error", "worse")]),
        ({"max_abs_error": 1.1e-6}, {"max_abs_error": 1e-7}, [("max_abs_error", "better")]),
        ({"max_abs_error": 0.0}, {"max_abs_error": 9e-8}, []),
        ({"max_abs_error": 0.0}, {"max_abs_error": 1.1e-7}, [("max_abs_error", "worse")]),
        ({"max_abs_error": 1e-7}, {"max_abs_error": NAN}, [("max_abs_error", "worse")]),
        ({"max_abs_error": NAN}, {"max_abs_error": NAN}, []),
        ({"atol": 1e-5}, {"atol": 1e-3}, [("atol", "worse")]),
        ({"rtol": 1e-3}, {"rtol": 1e-4}, [("rtol", "better")]),
        ({"output_sha256": "1"}, {"output_sha256": "2"}, [("output_sha256", "changed")]),
        ({"source_sha256": "1"}, {"source_sha256": "2"}, [("source_sha256", "changed")]),
    ],
)
def test_one_row(old, new, expected):
    assert changes([report_row(1, **old)], [report_row(9, **new)]) == [("m", *change) for change in expected]


def test_rows_that_come_and_go():
    old = [report_row(1, "gone"), report_row(2, "stopped", status="failed"), report_row(3, "stays")]
    new = [report_row(1, "stays"), report_row(2, "new"), report_row(3, "bad", status="refused")]
    assert changes(old, new) == [
        ("bad", "appeared", "worse"),
        ("gone", "vanished", "worse"),
        ("new", "appeared", "changed"),
        ("stopped", "vanished", "changed"),
    ]


def test_rows_that_share_a_name():
    """Refused rows with one output between them are told apart by their order."""
    twins = [report_row(line, status="refused", reason="duplicate_output") for line in (1, 2)]
    assert changes(twins, twins) == []
    assert changes(twins, twins[:1]) == [("m", "vanished", "changed")]


def test_factor():
    old, new = [report_row(1, max_abs_error=1e-6)], [report_row(1, max_abs_error=3e-6)]
    assert changes(old, new) == []
    assert changes(old, new, factor=2) == [("m", "max_abs_error", "worse")]


ROWS = st.fixed_dictionaries(
    {
        "status": st.sampled_from([status.value for status in Status]),
        "evidence": st.sampled_from([evidence.value for evidence in EVIDENCE_ORDER]),
        "max_abs_error": st.one_of(st.just(NAN), st.floats(0, 1)),
        "atol": st.sampled_from([1e-6, 1e-5]),
    }
)
OPPOSITE = {Verdict.WORSE: Verdict.BETTER, Verdict.BETTER: Verdict.WORSE, Verdict.CHANGED: Verdict.CHANGED}


@settings(deadline=None)
@given(ROWS, ROWS)
def test_what_is_worse_one_way_is_better_the_other(one, other):
    """But for the error's noise floor, which is the new row's."""
    old, new = frame_of(report_row(1, **one)), frame_of(report_row(1, **{**other, "atol": one["atol"]}))
    there = {change.what: change.verdict for change in compare_reports(old, new)}
    back = {change.what: change.verdict for change in compare_reports(new, old)}
    assert back == {what: OPPOSITE[verdict] for what, verdict in there.items()}


def test_views(capsys):
    old, new = frame_of(report_row(1, "a\x1b[31m")), frame_of(report_row(1, "a\x1b[31m", status="failed"))
    found = compare_reports(old, new)
    print_changes(Console(highlight=False), found)
    assert capsys.readouterr().out == (
        "worse    a\\x1b[31m/1  status: migrated -> failed\n1 worse, 0 better, 0 changed\n"
    )
    print_changes(Console(highlight=False, force_terminal=True, width=80), found)
    assert "a\\x1b[31m/1" in capsys.readouterr().out
    print_changes(Console(), [])
    assert capsys.readouterr().out == "No difference.\n"
    content = json.loads(as_json(found, "old", "new", 10))
    assert (content["worse"], content["changes"][0]["new"]) == (1, "failed")


@pytest.mark.parametrize("values, status", [({"status": "unchanged"}, 0), ({"status": "failed"}, 3)])
def test_command(tmp_path, capsys, values, status):
    write_report(frame_of(report_row(1)), str(tmp_path / "old"))
    write_report(frame_of(report_row(1, **values)), str(tmp_path / "new"))
    for flags in ([], ["--json", "--factor", "2"]):
        with pytest.raises(SystemExit) as caught:
            main(["diff", str(tmp_path / "old"), str(tmp_path / "new"), *flags])
        assert caught.value.code == status
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["worse"] == (1 if status else 0)
