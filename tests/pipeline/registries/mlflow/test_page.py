"""docs/registries.md as it stands, in its order: every command with the real programs, then its Python.

Makes environments with MLflow 3 and with tf2onnx below `.legacy`. Only the ports are others.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib

import pytest
from make_fixtures import LegacyRuntime
from mlflow_fixture import SERVER

from tests.pipeline.registries.mlflow.registry_files import GENUINE
from tests.pipeline.registries.mlflow.servers import ROOT, answers, free_port, interpreter_of
from tests.shown_commands import shell_commands

pytestmark = pytest.mark.soak
PAGE = ROOT / "docs/registries.md"
#: Commands that go on until they are stopped -> what answers when they are ready.
SERVERS = {"mlflow server": "/health", "mlflow models serve": "/ping"}


def onnx_interpreter():
    table = tomllib.loads((ROOT / "scripts/consumers/consumers.toml").read_text("utf-8"))["environments"]["onnx"]
    return interpreter_of(LegacyRuntime("onnx", table["python"], tuple(table["requirements"]), "onnx"))


def test_the_page_works_from_top_to_bottom(tmp_path):
    for name in ("mlflow.db", "artifacts"):
        (shutil.copytree if (GENUINE / name).is_dir() else shutil.copy)(GENUINE / name, tmp_path / name)
    onnx, mlflow = onnx_interpreter(), interpreter_of(SERVER)
    programs = tmp_path / "programs"
    programs.mkdir()
    calls = {
        "h5ferry": f"{shlex.quote(sys.executable)} -m pipeline",
        "mlflow": f"{mlflow} -c 'from mlflow.cli import cli; cli()'",
        "python": str(onnx),
    }
    for name, call in calls.items():
        paths = {"h5ferry": f"PYTHONPATH={ROOT} ", "mlflow": f"PATH={mlflow.parent}:$PATH "}
        (programs / name).write_text(f'#!/bin/sh\n{paths.get(name, "")}exec {call} "$@"\n')
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CUDA_VISIBLE_DEVICES": "-1"}
    ports = {"5000": str(free_port()), "5001": str(free_port())}
    started = []
    try:
        for shown in shell_commands(PAGE):
            command = re.sub(r"\b500[01]\b", lambda found: ports[found[0]], shown)
            ready = next((path for start, path in SERVERS.items() if start in command), None)
            log = (tmp_path / f"{len(started)}.log").open("w+")
            process = subprocess.Popen(
                command, shell=True, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            if ready is None:
                assert process.wait(600) == 0, f"{command}\n{(tmp_path / log.name).read_text()[-3000:]}"
                continue
            started.append(process)
            port = re.search(r"--port (\d+)", command)[1]
            end = time.monotonic() + 240
            while not answers(f"http://127.0.0.1:{port}{ready}"):
                assert process.poll() is None and time.monotonic() < end, f"{command}\n{log.name}"
                time.sleep(0.5)
        blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        assert len(blocks) == 2
        for block in blocks:
            subprocess.run([str(onnx), "-c", block], cwd=tmp_path, check=True, env=environment)
    finally:
        for process in started:
            os.killpg(process.pid, 15)
            process.wait(30)
