"""What README and docs say holds: every command runs or parses, every page that is generated is current."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.report.row import COLUMNS, DESCRIPTIONS
from pipeline.run.exit_status import ExitStatus
from tests.fixture_files import FOLDER
from tests.pipeline.fakes import CONVERTER, VERIFIER
from tests.pipeline.key_files import write_keys
from tests.shown_commands import other_commands, parse, shell_commands
from transforms.errors import MEANINGS, REMEDIES, Reason

ROOT = Path(__file__).parents[1]
#: In this order, in one folder: later pages read what earlier ones wrote.
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/manifest.md",
    "docs/custom_code.md",
    "docs/operators.md",
    "docs/registries.md",
    "docs/auditors.md",
    "docs/contributors.md",
)
GENERATED = ("docs/reason_codes.md", "docs/report_columns.md", "docs/rewrites.md", "docs/supported_layers.md")
#: A part of a command that is only held against the parser -> why it is not run.
PARSED_ONLY = {
    "--runner=DataflowRunner": "needs a Google Cloud project",
    "--runner=FlinkRunner": "needs a Flink cluster",
    "--direct_num_workers": "tests/pipeline/test_graph.py runs the graph with several workers",
    "--allow-custom-code": "tests/transforms/custom/test_code.py runs models with their code",
    "mlflow:http": "needs a server: tests/pipeline/registries/mlflow/test_page.py has one",
}
#: Other programs, which need an environment of their own: tests/pipeline/registries/mlflow/test_page.py runs them.
ELSEWHERE = ("mlflow server ", "mlflow models serve ", "curl ", "python -m tf2onnx.convert ")
#: Make targets are only asked for their recipe: each is what every change runs anyway, or takes minutes.
NOT_OURS = {
    "openssl": "the folder has a pair of keys already: a machine without openssl can run the rest",
    "uv": "fetches from an index: tests/test_installed_program.py installs the wheel with all that it asks for",
    "pipx": "the same",
}
#: Commands that a page before has shown as well.
_RAN: set[str] = set()
STAND_INS = {"migrate": f"--converter {CONVERTER} --verifier {VERIFIER}", "verify": "--no-run-samples"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As the pages say: registries of files and of MLflow, the sample manifest, and the program, twice."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "registry").mkdir()
    shutil.copy(FOLDER / "keras-2.2.4/stateful.h5", folder / "registry/tagger.h5")
    for name in ("manifests", "tests", "scripts", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(FOLDER / "mlflow-1.30/mlflow.db", folder)
    shutil.copytree(FOLDER / "mlflow-1.30/artifacts", folder / "artifacts")
    write_keys(folder / "sign.pem")
    program = folder / ".venv/bin/h5ferry"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tests.pipeline.program "$@"\n')
    program.chmod(0o755)
    return folder


def shell(folder, command):
    environment = {**os.environ, "PATH": f"{folder}/.venv/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)


def run_shown(folder, command):
    """Runs a command as it stands, stand-ins apart; returns it when it ended as it should not."""
    if any(part in command for part in ELSEWHERE):
        return None
    if any(part in command for part in PARSED_ONLY):
        parse(command)
        return None
    words = shlex.split(command, comments=True)
    program = words[0].removeprefix(".venv/bin/")
    if program == "make":
        return None if shell(ROOT, f"make --dry-run {words[1]}").returncode == 0 else command
    if program == "python":
        return None if shell(ROOT, f"{sys.executable} {words[1]} --check").returncode == 0 else command
    if program in NOT_OURS:
        return None
    if program != "h5ferry":
        return f"{command}: neither run nor listed"
    if command in _RAN:
        return None
    _RAN.add(command)
    run = shell(folder, f"{command} {STAND_INS.get(words[1], '')}")
    # One row of the sample is there to be refused.
    allowed = (0, ExitStatus.SOME_NOT) if "sample.csv" in command else (0,)
    return None if run.returncode in allowed else f"{command}: {run.returncode}\n{run.stdout}{run.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_shown_works(folder, page):
    commands = shell_commands(ROOT / page)
    assert [problem for command in commands if (problem := run_shown(folder, command))] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_call_in_the_text_is_one_that_the_program_takes(page):
    for command in other_commands(ROOT / page):
        if not re.fullmatch(r"h5ferry [a-z]+\.json", command):
            parse(command)


@pytest.mark.parametrize(
    "command", ["h5ferry migrate a.csv --outptu x", "h5ferry scam x", "h5ferry inspect --jsn x", "15 * h5ferry nothing"]
)
def test_the_parser_finds_mistakes(command):
    with pytest.raises(Exception, match=r"No such|outptu|scam|jsn|nothing"):
        parse(command)


def test_pages_show_commands_at_all():
    assert len([command for page in PAGES for command in shell_commands(ROOT / page)]) > 15
    assert any("15 2 * * *" in command for page in PAGES for command in other_commands(ROOT / page))


def test_generated_pages_are_current():
    check = [sys.executable, "scripts/docs_tables.py", "--check"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(check, cwd=ROOT, env=environment).returncode == 0, "run scripts/docs_tables.py"


def test_every_code_and_column_is_described():
    assert set(MEANINGS) == set(REMEDIES) == set(Reason)
    assert list(DESCRIPTIONS) == list(COLUMNS)
    auditors = (ROOT / "docs/auditors.md").read_text("utf-8")
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in auditors] == []


@pytest.mark.parametrize("page", [*PAGES, *GENERATED, "docs/consumers.md"])
def test_links_and_files_named_exist(page):
    path = ROOT / page
    text = path.read_text("utf-8")
    linked = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    assert [target for target in linked if not (path.parent / target).exists()] == []
    if page == "docs/contributors.md":
        named = re.findall(r"`((?:pipeline|transforms|tests|scripts)/[^`*]*)`", text)
        assert [name for name in named if not (ROOT / name).exists()] == []
