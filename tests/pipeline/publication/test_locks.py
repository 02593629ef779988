import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pipeline.publication import locks as output_lock
from pipeline.publication.layout import LOCK
from pipeline.publication.locks import OutputInUseError, holder_of
from tests.pipeline.cli.test_app import FAKES, exit_status
from tests.pipeline.registry import write_registry

HOLD = """
import sys, time
from pathlib import Path
from pipeline.publication.locks import output_lock
with output_lock(Path(sys.argv[1]), "r1", 0, print, print):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def lock(folder, run_id="r2", wait=0.0, tell=lambda text: None):
    return output_lock.output_lock(folder, run_id, wait, pytest.fail, tell)


def test_the_second_is_told_who_holds_it(tmp_path, held):
    with (
        pytest.raises(OutputInUseError, match=f"in use by run r1 .process {held.pid} on .*, since 2.*--wait"),
        lock(tmp_path),
    ):
        pass
    assert holder_of(tmp_path).run_id == "r1"


def test_a_killed_run_holds_nothing(tmp_path, held):
    os.kill(held.pid, signal.SIGKILL)
    held.wait()
    assert (tmp_path / "_h5ferry" / LOCK).exists() and holder_of(tmp_path) is None
    with lock(tmp_path):
        assert holder_of(tmp_path).run_id == "r2"
    assert not (tmp_path / "_h5ferry" / LOCK).exists() and holder_of(tmp_path) is None


def test_waits_for_the_end(tmp_path, held):
    threading.Timer(0.8, held.kill).start()
    start = time.monotonic()
    told = []
    with lock(tmp_path, wait=30, tell=told.append):
        assert 0.5 < time.monotonic() - start < 20
    assert len(told) == 1 and f"Waiting up to 30 seconds for run r1 (process {held.pid}" in told[0]


def test_one_at_a_time(tmp_path):
    """Many that come and go never overlap, though each removes the file that the next may have opened."""
    inside, overlaps = [], []

    def come_and_go():
        for _ in range(15):
            with lock(tmp_path, wait=60):
                inside.append(1)
                overlaps.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [1] * 60


def test_a_file_system_without_locks_warns_and_goes_on(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(output_lock, "lock", refuse)
    warnings = []
    with output_lock.output_lock(tmp_path, "r1", 0, warnings.append, pytest.fail):
        assert "cannot be locked" in warnings[0]


def test_command(tmp_path, held, capsys):
    manifest = write_registry(tmp_path, ["good-1"])
    arguments = ["migrate", str(manifest), "--output", str(tmp_path), "--quiet", "--run-id", "r2", "--wait", "0"]
    arguments += FAKES
    assert exit_status(*arguments) == 2 and f"process {held.pid}" in capsys.readouterr().err
    assert not (tmp_path / "good-1").exists() and not (tmp_path / "_h5ferry/runs").exists()
    assert exit_status(*arguments, "--no-lock") == 0 and (tmp_path / "good-1/1/saved_model.pb").exists()
