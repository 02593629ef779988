"""The example in each command's help, run as it stands, in a folder laid out as the examples say."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pipeline.cli.app import app
from pipeline.cli.completion import Shell, completion_script
from pipeline.cli.examples import EXAMPLES
from tests.fixture_files import FOLDER
from tests.pipeline.cli.test_app import exit_status
from tests.pipeline.fakes import CONVERTER, VERIFIER
from tests.shown_commands import parse

ROOT = Path(__file__).parents[3]
#: What stands in for TensorFlow, which these examples would take long to import.
STAND_INS = {
    "migrate": ["--converter", CONVERTER, "--verifier", VERIFIER],
    "verify": ["--no-run-samples"],
    "doctor": ["--no-run-model"],
}
#: The second run is the first's example under another name.
SECOND = EXAMPLES["migrate"].replace("first", "second")
STORY = ("scan", "inspect", "migrate", "verify", "report", "diff", "register", "serving-config", "doctor", "completion")
#: Only parsed here: tests/pipeline/registries/mlflow/test_loop.py has a server to register in.
NEEDS_A_SERVER = "register"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`registry/tagger.h5`, and the program on the path."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "registry").mkdir()
    shutil.copy(FOLDER / "keras-2.2.4/stateful.h5", folder / "registry/tagger.h5")
    program = folder / "bin/h5ferry"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tests.pipeline.program "$@"\n')
    program.chmod(0o755)
    return folder


def shell(folder, command):
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)


def commands():
    return list(typer.main.get_command(app).commands)


def test_every_command_has_an_example_that_its_help_shows(capsys):
    assert set(commands()) == set(EXAMPLES) == set(STORY)
    for command in commands():
        assert exit_status(command, "--help") == 0
        after = capsys.readouterr().out.partition("Example:")[2]
        assert [line.strip() for line in after.splitlines() if line.strip()] == [EXAMPLES[command]]


def test_the_examples_work_one_after_the_other(folder):
    for command in STORY:
        if command == NEEDS_A_SERVER:
            parse(EXAMPLES[command])
            continue
        lines = [EXAMPLES[command], SECOND] if command == "migrate" else [EXAMPLES[command]]
        for line in lines:
            run = shell(folder, f"{line} {' '.join(STAND_INS.get(command, ()))}".strip())
            assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
    for written in ("manifest.csv", "report.html", "h5ferry.bash", "models.config", "models/tagger/1/saved_model.pb"):
        assert (folder / written).stat().st_size > 0


def test_completion_works_in_bash(folder):
    (folder / "h5ferry.bash").write_text(completion_script(Shell.BASH))
    ask = (
        "source h5ferry.bash; COMP_WORDS=(h5ferry ver); COMP_CWORD=1; "
        '$(complete -p h5ferry | sed "s/.*-F //; s/ .*//") h5ferry; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    run = subprocess.run(
        ["bash", "-c", ask],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.stdout.split() == ["verify"], run.stderr


@pytest.mark.parametrize("shell_name", list(Shell))
def test_completion_scripts_name_the_program(shell_name):
    script = completion_script(shell_name)
    assert re.search(r"\bh5ferry\b", script) and "_H5FERRY_COMPLETE" in script
