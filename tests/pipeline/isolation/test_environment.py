"""What a child is given: modules from where they belong, and nothing of its user's settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.isolation.environment import child_command, child_environment, module_folders
from pipeline.isolation.policy import Isolation, Role
from pipeline.isolation.process import ConfinedProcess
from transforms.errors import MigrationError, Reason

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["package", "module", "folder"])
def foreign(request, tmp_path):
    """Makes a `pipeline` or `transforms` of somebody else's, of each kind that Python imports."""

    def make(name):
        if request.param == "module":
            (tmp_path / f"{name}.py").write_text("")
        else:
            (tmp_path / name).mkdir()
            if request.param == "package":
                (tmp_path / name / "__init__.py").write_text("")
        return tmp_path, request.param

    return make


@pytest.mark.parametrize("name", ["pipeline", "transforms"])
def test_a_child_that_would_import_another_package_is_not_started(foreign, name, monkeypatch):
    folder, kind = foreign(name)
    monkeypatch.syspath_prepend(folder)
    child = ConfinedProcess(Isolation(timeout=20, role=Role.VERIFYING))
    if kind == "folder":  # Python takes a package before a folder without __init__.py, wherever the two lie.
        assert child.call("os:getpid") != os.getpid()
        child.close()
        return
    with pytest.raises(MigrationError) as caught:
        child.call("os:getpid")
    assert caught.value.reason is Reason.CRASHED
    assert f"verifying process was not started: it would import {folder}/{name}" in caught.value.message


def test_a_program_that_would_import_another_package_says_so(foreign):
    folder, kind = foreign("transforms")
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"}
    run = subprocess.run(
        [sys.executable, "-P", "-c", "import pipeline.cli.app"],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (run.returncode == 0) == (kind == "folder")
    assert kind == "folder" or f"h5ferry would import {folder}/transforms" in run.stderr.splitlines()[-1]


def test_environment_holds_no_secrets_and_no_gpu(monkeypatch):
    monkeypatch.setenv("CLOUD_SECRET_KEY", "x")
    environment = child_environment(workers=1)
    assert "CLOUD_SECRET_KEY" not in environment
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1" and environment["TF_USE_LEGACY_KERAS"] == "1"


@pytest.mark.parametrize(
    "paths, python_path, expected",
    [
        (["/a", "/b"], "", ["/a", "/b"]),
        (["/a", "/b", "/c"], "/a", ["/b", "/c", "/a"]),
        (["/a", "/b", "/c"], "/b:/a", ["/c", "/a", "/b"]),
        (["/a", "/b"], ":/none:", ["/a", "/b"]),
        ([str(ROOT), "/b"], f"{ROOT}:/b", [str(ROOT), "/b"]),
        (["", "b"], "b", [os.getcwd(), f"{os.getcwd()}/b"]),
    ],
)
def test_python_path_comes_last(paths: list[str], python_path: str, expected: list[str]) -> None:
    assert module_folders(paths, python_path) == expected


def test_a_child_gets_its_modules_from_nowhere_else() -> None:
    command = child_command(7, 8)
    assert command[:4] == [sys.executable, "-s", "-P", "-c"] and command[5:7] == ["7", "8"]
    assert command[7:] == module_folders(sys.path, os.environ.get("PYTHONPATH", ""))
