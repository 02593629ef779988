import io
import json
import logging
import subprocess
import sys
from datetime import datetime

import pytest

from pipeline.coordination.run_folder import ProgressMark
from pipeline.monitoring.event_log import event, json_log, row_ended
from tests.pipeline.cli.test_app import FAKES, exit_status
from tests.pipeline.registry import write_registry


def logged(quiet=False):
    stream = io.StringIO()
    with json_log(stream, quiet=quiet):
        event("run_started", rows=2)
        row_ended(ProgressMark("inspect", 1, "a/1"))
        row_ended(ProgressMark("end", 1, "a\x1b\n/1", "migrated", "", 1.5, "7-8"))
        row_ended(ProgressMark("end", 2, "b/1", "failed", "timeout", 2.0, "7-8"))
        logging.getLogger("apache_beam").error("odd: %s", "x")
        print("Traceback\n  of a library", file=sys.stderr)
    event("later")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_object_for_each_event():
    found = logged()
    assert [each["event"] for each in found] == ["run_started", "row_ended", "row_ended", "message", "message"]
    assert [each["level"] for each in found] == ["info", "info", "error", "error", "warning"]
    assert all(datetime.fromisoformat(each["time"]).tzinfo for each in found)
    assert found[1]["model"] == "a\x1b\n/1" and found[1]["seconds"] == 1.5 and found[1]["worker"] == "7-8"
    assert found[3]["logger"] == "apache_beam" and found[3]["message"] == "odd: x"
    assert found[4]["logger"] == "stderr" and found[4]["message"] == "Traceback\n  of a library"


def test_quiet_leaves_warnings_and_errors():
    assert [each["level"] for each in logged(quiet=True)] == ["error", "error", "warning"]


def test_an_unforeseen_end_is_an_event(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError), json_log(stream, quiet=False):
        _ = 1 / 0
    (found,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert found["event"] == "crashed" and found["level"] == "critical" and "ZeroDivisionError" in found["traceback"]


def test_a_whole_run(tmp_path, capsys):
    manifest = write_registry(tmp_path, ["good-1", "refuse-1"])
    manifest.write_text(manifest.read_text().replace("model,source", "model,source,odd"))
    output = tmp_path / "out"
    arguments = ["migrate", manifest, "--output", output, "--run-id", "r1", "--log-format", "json", *FAKES]
    assert exit_status(*arguments) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    events = [json.loads(line) for line in printed.err.splitlines()]
    assert [each["event"] for each in events] == [
        "warning",
        "run_started",
        "row_ended",
        "row_ended",
        "run_ended",
    ]
    assert events[1]["rows"] == 2 and events[1]["run_id"] == "r1"
    assert {each["model"]: each["status"] for each in events[2:4]} == {"good-1/1": "migrated", "refuse-1/1": "refused"}
    assert events[4]["exit_status"] == 3 and events[4]["counts"] == {"migrated": 1, "refused": 1}
    assert events[4]["report"] == str(output / "_h5ferry/runs/r1")


def test_what_ends_the_run_early_is_json_too(tmp_path, capsys):
    missing = ["migrate", tmp_path / "none.csv", "--output", tmp_path / "out", "--log-format", "json"]
    assert exit_status(*missing) == 2
    (found,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert found["event"] == "unusable" and found["level"] == "error" and "none.csv" in found["message"]
    manifest = write_registry(tmp_path, ["good-1"])
    (tmp_path / "file").write_text("")
    cut_short = [
        "migrate",
        manifest,
        "--output",
        tmp_path / "out",
        "--report",
        tmp_path / "file",
        "--log-format",
        "json",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.program", *cut_short, *FAKES], capture_output=True, text=True
    )
    assert run.returncode == 1
    last = json.loads(run.stderr.splitlines()[-1])
    assert (last["event"], last["level"]) == ("cut_short", "error") and "file" in last["message"]
