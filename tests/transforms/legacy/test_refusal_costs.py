"""Files that are made to exhaust: refusing them takes neither time nor memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from tests.transforms.hostile_models import attribute, circle_of_groups, endless_names, write_model

_MEASURE = """
import sys, time
from pathlib import Path
from transforms.errors import MigrationError
from transforms.inspection.inspect import inspect_source

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

before, start = peak(), time.monotonic()
try:
    inspect_source(Path(sys.argv[1]))
except MigrationError:
    print(time.monotonic() - start, peak() - before)
"""


def cost(path: Path) -> tuple[float, float]:
    """Seconds, and megabytes beyond what the process had before, of refusing a file."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def json_bomb(text: str) -> Callable[[Path], Path]:
    def build(path: Path) -> Path:
        return write_model(path, edit=attribute("model_config", text, dtype=h5py.string_dtype()), libver="latest")

    return build


EXHAUSTING: dict[str, Callable[[Path], Path]] = {
    "one name thousands of times": endless_names,
    "a circle of groups": lambda path: write_model(path, edit=circle_of_groups),
    "brackets": json_bomb("[" * 8_000_000 + "]" * 8_000_000),
    "objects": json_bomb("[" + "{}," * 5_000_000 + "{}]"),
    "quotes": json_bomb('"' * 15_000_000),
    "an open string": json_bomb('{"a": "' + '\\"' * 7_000_000),
    "more text than read": json_bomb("x" * (80 << 20)),
    "a long number": json_bomb("[" + "1" * 15_000_000 + ".5]"),
}


@pytest.mark.parametrize("what", EXHAUSTING)
def test_refusing_takes_little_time_and_memory(what: str, tmp_path: Path) -> None:
    seconds, megabytes = cost(EXHAUSTING[what](tmp_path / "m.h5"))
    assert megabytes < 100
    assert seconds < 10  # measured: far below a second; a busy machine must not fail the test
