"""SIGINT and SIGTERM at each step: a prompt end, a report of all rows, nothing left behind, and a rerun completes."""

import os
import signal
import time

import pytest

from tests.faults.misbehaving import CHILDREN
from tests.faults.programs import Program, Send, Stall, outcomes, published, registry_of, run

MISBEHAVING = ("--converter", CHILDREN, "--verifier", CHILDREN, "--inspector", f"{CHILDREN}:inspect")
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
#: Seconds from the signal to the end, on a busy machine; a model that hangs would take its 600.
PROMPT = 30
#: Where the run is when the signal comes: the model that waits there until a file tells that it was there.
STEPS = ("read", "convert", "verify")
PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
THREADS = ("--direct_num_workers=2",)


def arguments(folder, *more):
    manifest = folder / "registry/manifest.csv"
    where = ("--output", folder / "out", "--report", folder / "report")
    return "migrate", manifest, *where, *MISBEHAVING, *more


def check(tmp_path, step, number, workers, *, to_all=False):
    models = ["good-1", f"{step}.once-1", "text/good-2", "good-3"]
    registry_of(tmp_path / "registry", models)
    program = Program(tmp_path / "scratch", *arguments(tmp_path, *workers))
    seen = tmp_path / "scratch" / f"{step}.seen"
    deadline = time.monotonic() + 60
    while not seen.exists():
        assert program.running and time.monotonic() < deadline, program.printed
        time.sleep(0.05)
    program.send(number, to_all=to_all)
    start = time.monotonic()
    assert program.ended(PROMPT + 30) == STATUS[number], program.printed
    assert time.monotonic() - start < PROMPT
    assert program.orphans() == []
    assert "Traceback" not in program.printed, program.printed
    told = outcomes(tmp_path / "report")
    assert set(told) == set(models) and set(told.values()) <= {"migrated", "interrupted"}, told
    assert told[f"{step}.once-1"] == "interrupted"
    there = {model for model in models if (tmp_path / "out" / model / "1").exists()}
    assert there == {model for model, outcome in told.items() if outcome == "migrated"}
    assert not [path for path in published(tmp_path / "out") if "/." in path or path.startswith(".")]
    assert sorted(os.listdir(tmp_path / "scratch")) == [f"{step}.seen"]
    assert run(tmp_path / "scratch", *arguments(tmp_path, "--quiet")) == 0
    assert set(outcomes(tmp_path / "report").values()) <= {"migrated", "unchanged"}


@pytest.mark.parametrize(
    "step, number, workers, to_all",
    [("read", signal.SIGTERM, PROCESSES, True), ("verify", signal.SIGINT, THREADS, False)],
    ids=["its worker processes as well", "the program"],
)
def test_stopped(tmp_path, step, number, workers, to_all):
    check(tmp_path, step, number, workers, to_all=to_all)


@pytest.mark.soak
@pytest.mark.parametrize("to_all", [False, True], ids=["to the program", "to its group"])
@pytest.mark.parametrize("workers", [THREADS, PROCESSES], ids=["threads", "processes"])
@pytest.mark.parametrize("number", list(STATUS), ids=lambda number: number.name)
@pytest.mark.parametrize("step", STEPS)
def test_stopped_at_each_step(tmp_path, step, number, workers, to_all):
    check(tmp_path, step, number, workers, to_all=to_all)


@pytest.mark.soak
@pytest.mark.parametrize(
    "function",
    [
        "pipeline.steps.convert:publish",
        "pipeline.publication.local:_make_durable",
        "pipeline.run.finish:write_report",
    ],
)
@pytest.mark.parametrize("number", list(STATUS), ids=lambda number: number.name)
def test_stopped_while_it_publishes_or_reports(tmp_path, function, number):
    """What has begun to be published is published; a report is finished."""
    registry_of(tmp_path / "registry", ["good-1", "good-2", "good-3"])
    fault = Send(function, int(number))
    program = Program(tmp_path / "scratch", *arguments(tmp_path, "--direct_num_workers=1"), fault=fault)
    status = program.ended()
    assert program.orphans() == []
    if function.endswith("write_report"):  # The run is over: the signal ends the program as any other.
        assert status in (STATUS[number], 1, -number), program.printed
    else:
        assert status == STATUS[number], program.printed
        told = outcomes(tmp_path / "report")
        assert list(told.values()).count("migrated") >= 1 and set(told.values()) <= {"migrated", "interrupted"}
    assert not [path for path in published(tmp_path / "out") if "/." in path]
    assert run(tmp_path / "scratch", *arguments(tmp_path, "--quiet")) == 0
    assert set(outcomes(tmp_path / "report").values()) <= {"migrated", "unchanged"}


@pytest.mark.soak
def test_a_second_signal_ends_at_once(tmp_path):
    """Its first one waits for a thread that does not come back."""
    registry_of(tmp_path / "registry", ["good-1", "good-2"])
    stall = Stall("pipeline.publication.local:_make_durable", 600)
    program = Program(tmp_path / "scratch", *arguments(tmp_path, "--direct_num_workers=1"), fault=stall)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("*/.h5ferry-staging-*/assets.extra/h5ferry.json")):
        assert program.running and time.monotonic() < deadline, program.printed
        time.sleep(0.05)
    program.send(signal.SIGTERM)
    time.sleep(2)
    assert program.running
    program.send(signal.SIGTERM)
    assert program.ended(10) == -signal.SIGTERM
    assert program.orphans() == []
    assert run(tmp_path / "scratch", *arguments(tmp_path, "--quiet")) == 0
    assert not [path for path in published(tmp_path / "out") if "/." in path]
