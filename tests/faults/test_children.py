"""Crash, exit, exhaustion, hang, leak and lies in each of the three children: one typed row each, the rest goes on."""

import re
import time
from dataclasses import replace

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.graph import MigrateRegistry
from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from pipeline.manifest.reader import read_manifest
from pipeline.settings import ChildFunctions
from tests.faults.misbehaving import CHILDREN
from tests.faults.programs import Program, outcomes, published, registry_of
from transforms.errors import MigrationError, Reason

ROLES = ("read", "convert", "verify")
#: What each way costs its row, whichever child it is.
ANYWHERE = {
    "segfault": "crashed",
    "killed": "out_of_memory",
    "exit": "crashed",
    "leave": "crashed",
    "hang": "timeout",
    "stop": "timeout",
    "leak": "out_of_memory",
    "close": "crashed",
    "huge": "internal_error",
    "promise": "timeout",
    "garbage": "internal_error",
    "opened": "internal_error",
}
LIES = {
    "read.nothing": "internal_error",
    "read.other": "internal_error",
    "read.words": "internal_error",
    "read.surrogate": "internal_error",
    "read.number": "internal_error",
    "read.endless": "internal_error",
    "convert.nothing": "internal_error",
    "convert.claims": "internal_error",
    "convert.link": "output_error",
    "convert.folder": "output_error",
    "convert.fifo": "output_error",
    "convert.receipt": "output_error",
    "convert.digest": "digest_mismatch",
    "convert.words": "internal_error",
    "convert.surrogate": "internal_error",
    "convert.endless": "internal_error",
    "convert.error": "internal_error",
    "verify.asks": "internal_error",
    "verify.nothing": "internal_error",
    "verify.changes": "internal_error",
    "verify.removes": "internal_error",
    "verify.replaces": "internal_error",
    "verify.link": "output_error",
    "verify.fifo": "output_error",
    "verify.reason": "internal_error",
}
ALL = {f"{role}.{way}": reason for role in ROLES for way, reason in ANYWHERE.items()} | LIES
#: One of each kind in each role; those that wait for a limit are few.
SHORT = [*LIES, "read.segfault", "convert.exit", "verify.leave", "verify.close", "read.garbage"]
MISBEHAVING = ("--converter", CHILDREN, "--verifier", CHILDREN, "--inspector", f"{CHILDREN}:inspect")


def mixed_among_good(names):
    """Each bad name is followed by a good one of the same architecture."""
    return [each for index, name in enumerate(names) for each in (f"{name}-x", f"good-{index}")]


def check(tmp_path, names, timeout):
    models = mixed_among_good(names)
    manifest = registry_of(tmp_path / "registry", models)
    arguments = ("--output", tmp_path / "out", "--report", tmp_path / "report", "--timeout", timeout)
    limits = ("--memory-limit", "3GiB", "--direct_num_workers=2")
    program = Program(tmp_path / "scratch", "migrate", manifest, *arguments, *limits, *MISBEHAVING, "--quiet")
    assert program.ended(600) == 3, program.printed
    expected = {model: ALL.get(model.partition("-")[0], "migrated") for model in models}
    assert outcomes(tmp_path / "report") == expected
    assert {path for path in published(tmp_path / "out") if "/" not in path} == {
        model for model in models if expected[model] == "migrated"
    }


def test_each_costs_one_row(tmp_path):
    check(tmp_path, SHORT, 20)


@pytest.mark.soak
def test_every_one_costs_one_row(tmp_path):
    check(tmp_path, list(ALL), 8)


def test_metrics_count_them(tmp_path):
    from tests.pipeline.registry import fake_run

    models = ["read.exit-1", "convert.segfault-1", "verify.killed-1", "good-1"]
    manifest = read_manifest(str(registry_of(tmp_path, models)))
    settings = fake_run(tmp_path, tmp_path / "out").settings
    settings = replace(settings, children=ChildFunctions(f"{CHILDREN}:inspect", CHILDREN, CHILDREN, preload=()))
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    pipeline | MigrateRegistry(manifest.path, manifest.sha256, settings, f"{tmp_path}/rows")
    result = pipeline.run()
    result.wait_until_finish()
    counted = {counter.key.metric.name: counter.committed for counter in result.metrics().query()["counters"]}
    told = {name: counted.get(name) for name in ("migrated", "failed", "crashed", "out_of_memory")}
    assert told == {"migrated": 1, "failed": 3, "crashed": 2, "out_of_memory": 1}


def test_a_child_that_does_not_read(tmp_path):
    """It is stopped while it waits for the next request, which is larger than the pipe."""
    child = ConfinedProcess(Isolation(timeout=2, preload=(CHILDREN,)))
    pid = child.call("os:getpid")
    child.call(f"{CHILDREN}:stop_soon", pid)
    time.sleep(1)
    with pytest.raises(MigrationError) as caught:
        child.call("builtins:len", bytes(1 << 20))
    assert caught.value.reason is Reason.TIMEOUT and re.search("2 seconds", str(caught.value))
    assert child.call("os:getpid") != pid
    child.close()
