"""Real MLflow servers on loopback, in environments of their own below `.legacy`, which are made where missing."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from make_fixtures import LegacyRuntime, ensure_environment

ROOT = Path(__file__).parents[4]
_START_SECONDS = 240.0


def interpreter_of(runtime: LegacyRuntime) -> Path:
    """The Python of an environment, made if needed."""
    return ensure_environment(runtime, ROOT / ".legacy")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(runtime: LegacyRuntime, arguments: list[str], folder: Path, ready: str) -> Iterator[str]:
    """Runs `mlflow …` in a folder; yields its URL once `ready` below it answers."""
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", folder / f"server-{port}.log"
    call = [str(interpreter_of(runtime)), "-c", "from mlflow.cli import cli; cli()"]  # MLflow 1 knows no `-m mlflow`
    command = [*call, *arguments, "--host", "127.0.0.1", "--port", str(port)]
    path = f"{interpreter_of(runtime).parent}:{os.environ['PATH']}"  # it starts other programs of its environment
    environment = {**os.environ, "PATH": path, "GIT_PYTHON_REFRESH": "quiet", "CUDA_VISIBLE_DEVICES": "-1"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            end = time.monotonic() + _START_SECONDS
            while not answers(f"{url}{ready}"):
                assert server.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
                time.sleep(0.5)
            yield url
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, 15)
            server.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def invoke(url: str, body: object) -> dict[str, list[object]]:
    """What `mlflow models serve` answers."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/invocations", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, list[object]] = json.load(answer)["predictions"]
        return found


def h5ferry(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
