"""Custom code reads no memory of another process of ours, and nothing that it started outlives its row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from transforms.errors import MigrationError, Reason

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system offers it")
ROOT = Path(__file__).parents[3]
PRYING = "tests.pipeline.isolation.prying"
WAYS = ("plain", "deaf", "another program", "less memory", "unbounded", "a family", "a successor")

_LAUNCHER = """
import json, os, subprocess, sys
from pipeline.history.signing import read_passphrase
from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from transforms.platform.system_calls import adopt_orphans, hide_memory

held = read_passphrase(None)
hide_memory()
adopt_orphans()
child, other = (ConfinedProcess(Isolation(memory_bytes=8 << 30)) for _ in range(2))
own = subprocess.Popen(["sleep", "600"])
other.start()
read = child.call("tests.pipeline.isolation.prying:readable", os.getpid())
left = [child.call("tests.pipeline.isolation.prying:leave", how) for how in sys.argv[1:]]
ended = child.close_with_strays()
other_is_up = bool(other.call("os:getpid"))
other.close()
with open("/proc/self/environ", "rb") as stream:
    environ = stream.read()
print(json.dumps({
    "passphrase": held.decode(), "environ": "a secret" in environ.decode(), "inherited": len(os.environ),
    "left_in_environ": "H5FERRY_SIGN_KEY_PASSPHRASE" in os.environ,
    "read": read, "ended": ended, "alive": [os.path.exists(f"/proc/{process}") for process in left],
    "own": own.poll() is None, "other": other_is_up,
}))
own.kill()
"""


@pytest.fixture(scope="module")
def launcher() -> dict[str, Any]:
    """What a launching process sees of custom code that pries and leaves processes behind."""
    environment = {**os.environ, "H5FERRY_SIGN_KEY_PASSPHRASE": "a secret"}
    command = [sys.executable, "-c", _LAUNCHER, *WAYS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_launchers_memory_cannot_be_read(launcher: dict[str, Any]) -> None:
    assert launcher["read"] == []


def test_the_passphrase_leaves_the_environment(launcher: dict[str, Any]) -> None:
    assert launcher["passphrase"] == "a secret"
    assert not launcher["left_in_environ"] and not launcher["environ"]


def test_whatever_was_left_behind_is_ended(launcher: dict[str, Any]) -> None:
    assert launcher["alive"] == [False] * len(WAYS)
    assert launcher["ended"] >= len(WAYS)


def test_nothing_else_is_ended(launcher: dict[str, Any]) -> None:
    assert launcher["own"] and launcher["other"]


def test_too_deep_a_model_is_refused_with_a_reason() -> None:
    child = ConfinedProcess(Isolation())
    try:
        with pytest.raises(MigrationError) as caught:
            child.call(f"{PRYING}:descend", 10**9)
        assert caught.value.reason is Reason.OVER_BUDGET
        assert child.call(f"{PRYING}:descend", 100) == 100
    finally:
        child.close()


def test_children_cannot_read_each_other() -> None:
    one, other = ConfinedProcess(Isolation()), ConfinedProcess(Isolation())
    try:
        assert one.call(f"{PRYING}:readable", other.call("os:getpid")) == []
    finally:
        one.close()
        other.close()
