"""The program in an interpreter without what Linux alone has (see `tests.faults.other_system`).

This stands in for macOS, where none of this was run.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[3]
FAKES = "tests.pipeline.fakes"
SAYS = """
import errno, os, resource, sys
from pathlib import Path
from transforms.platform import system_calls as platform
assert not hasattr(os, "sched_getaffinity")
assert platform.usable_cpus() == (os.cpu_count(), "CPUs of the machine")
assert platform.address_space() is None
folder = Path(sys.argv[1])
first, second = folder / "first", folder / "second"
first.mkdir(), second.mkdir()
opened = os.open(folder, os.O_RDONLY)
assert not platform.exchange(opened, "first", opened, "second")
with (folder / "room").open("wb") as stream:
    platform.reserve(stream.fileno(), (1 << 20) + 7)
assert (folder / "room").stat().st_size == (1 << 20) + 7
platform.read_ahead(os.open(folder / "room", os.O_RDONLY), 0, 7)
platform.limit(resource.RLIMIT_AS, 1 << 30)
assert not platform.is_memory_bounded(1 << 30)
from pipeline.isolation.machine import this_machine
assert (this_machine().cpus_from, this_machine().memory_from) == ("CPUs of the machine", "memory of the machine")
from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from transforms.errors import MigrationError, Reason
child = ConfinedProcess(Isolation(timeout=60, memory_bytes=1 << 30))
assert child.call("tests.pipeline.isolation.test_process:number", 5) == 5
try:
    child.call("tests.pipeline.isolation.test_other_systems:fill", 1536)
except MigrationError as error:
    assert error.reason is Reason.OUT_OF_MEMORY and "more than it may" in str(error), error
else:
    raise AssertionError("nobody watched the memory")
assert child.call("tests.pipeline.isolation.test_process:number", 6) == 6
child.close()
print("as told")
"""


def fill(mebibytes):
    """Holds so much memory, and touches it, until somebody objects."""
    import time

    held = [b"x" * (1 << 20) for _ in range(mebibytes)]
    time.sleep(60)
    return len(held)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment with this one's packages, in which each process lacks those functions."""
    environment = tmp_path_factory.mktemp("other") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    # Not as `sitecustomize`: Debian's interpreter has one of its own, which comes first.
    (packages / "other_system.py").write_text((ROOT / "tests/faults/other_system.py").read_text())
    (packages / "these.pth").write_text(f"{sysconfig.get_path('purelib')}\nimport other_system\n")
    return environment / "bin/python"


def test_each_function_has_its_stand_in(python, tmp_path):
    done = subprocess.run([python, "-c", SAYS, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "as told", done.stderr


@pytest.mark.parametrize("command", [["--help"], ["inspect", "tests/fixtures/keras-2.2.4/multi_io.h5"]])
def test_commands(python, command):
    done = subprocess.run(
        [python, "-m", "tests.pipeline.program", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout, done.stderr


def test_a_run_replaces_what_was_published(python, tmp_path):
    """Two renames take the place of the exchange."""
    source, manifest = tmp_path / "m.h5", tmp_path / "manifest.csv"
    manifest.write_text("model,source\nm,m.h5\n")
    command = [
        python,
        "-m",
        "tests.pipeline.program",
        "migrate",
        manifest,
        "--output",
        tmp_path / "out",
        "--report",
        tmp_path / "r",
    ]
    fakes = ["--converter", FAKES, "--verifier", FAKES, "--inspector", f"{FAKES}:inspect", "--quiet"]
    for content in ("first", "second"):
        source.write_text(content)
        done = subprocess.run([*command, *fakes], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (row,) = pd.read_parquet(tmp_path / "r/report.parquet").itertuples()
        assert row.status == "migrated"
        data = tmp_path / "out/m/1/variables/variables.data-00000-of-00001"
        assert data.read_text() == content
    assert not list((tmp_path / "out/m").glob(".h5ferry*"))
