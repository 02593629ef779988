import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from pipeline import __version__
from tests.pipeline.fakes import CONVERTER, INSPECTOR, VERIFIER
from tests.pipeline.program import main
from tests.pipeline.registry import tree, write_registry

FAKES = ["--converter", CONVERTER, "--verifier", VERIFIER, "--inspector", INSPECTOR]
FIXTURE = Path(__file__).parents[2] / "fixtures/keras-2.2.4/emb_cudnn_lstm.h5"
HEAVY = ["tensorflow", "tf_keras", "keras", "apache_beam", "pandas"]


def exit_status(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code


@pytest.fixture
def good(tmp_path):
    return write_registry(tmp_path, ["good-1", "a/good-2"])


def test_version_and_help(capsys):
    assert exit_status("--version") == 0
    assert capsys.readouterr().out == f"h5ferry {__version__}\n"
    for command in ("migrate", "inspect", "scan", "verify", "report", "diff"):
        assert exit_status(command, "--help") == 0


def test_migrate_all(good, tmp_path, capsys):
    arguments = ["migrate", good, "--output", tmp_path / "out", *FAKES]
    assert exit_status(*arguments, "--run-id", "r1") == 0
    printed = capsys.readouterr()
    assert "migrated            2" in printed.out and "[2/2] 2 migrated" in printed.err
    reports = tmp_path / "out/_h5ferry/runs/r1"
    assert sorted(os.listdir(reports)) == ["report.csv", "report.html", "report.parquet", "run.json"]
    frame = pd.read_parquet(reports / "report.parquet")
    assert list(frame["run_id"]) == ["r1", "r1"] and list(frame["model"]) == ["good-1", "a/good-2"]
    assert exit_status(*arguments, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_migrate_some(tmp_path):
    manifest = write_registry(tmp_path, ["good-1", "refuse-1"])
    assert exit_status("migrate", manifest, "--output", tmp_path / "out", "--report", tmp_path / "r", *FAKES) == 3
    assert (tmp_path / "r/report.parquet").exists()


@pytest.mark.parametrize(
    "change",
    [
        ["--unknown-flag"],
        ["--timout=5"],
        ["--timeout", "soon"],
        ["--direct_num_worker=2"],
        ["--direct_num_workers=two"],
        ["--require-evidence", "none"],
        ["--memory-limit", "much"],
        ["--run-id", "../x"],
        ["surplus.csv"],
    ],
    ids=" ".join,
)
def test_unusable_command_line_does_nothing(good, tmp_path, change):
    assert exit_status("migrate", good, "--output", tmp_path / "out", *change, *FAKES) == 2
    assert not (tmp_path / "out").exists()


def test_unusable_manifest_does_nothing(tmp_path, capsys):
    (tmp_path / "m.csv").write_text("model\na\n")
    for manifest in (tmp_path / "m.csv", tmp_path / "none.csv"):
        assert exit_status("migrate", manifest, "--output", tmp_path / "out") == 2
        assert str(manifest) in capsys.readouterr().err
    assert exit_status("migrate", tmp_path / "m.csv") == 2
    assert exit_status() == 2
    assert not (tmp_path / "out").exists()


def test_program_failure_is_1(good, tmp_path):
    (tmp_path / "file").write_text("")
    command = [
        sys.executable,
        "-m",
        "tests.pipeline.program",
        "migrate",
        good,
        "--output",
        tmp_path / "out",
        "--report",
        tmp_path / "file",
    ]
    assert subprocess.run([*command, *FAKES], capture_output=True).returncode == 1


def loaded_modules(*arguments, watched=HEAVY):
    """Which of the watched modules the program has imported by the time it ends."""
    code = (
        "import sys, atexit, json\n"
        f"atexit.register(lambda: print(json.dumps(sorted(set({watched!r}) & set(sys.modules))), file=sys.stderr))\n"
        f"from {'tests.pipeline.program' if '--converter' in arguments else 'pipeline.cli.app'} import main\n"
        f"main({[str(argument) for argument in arguments]!r})\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode in (0, 3), result.stderr
    return json.loads(result.stderr.splitlines()[-1])


def test_what_is_not_needed_is_not_imported(good, tmp_path):
    assert loaded_modules("--help") == []
    assert loaded_modules("migrate", "--help") == []
    assert loaded_modules("scan", FIXTURE) == []
    assert loaded_modules("inspect", FIXTURE) == []
    assert loaded_modules("migrate", good, "--output", tmp_path / "out", *FAKES) == ["apache_beam", "pandas"]
    report = next((tmp_path / "out/_h5ferry/runs").iterdir())
    assert loaded_modules("report", report, "-o", tmp_path / "r.html") == []
    assert loaded_modules("report", report, "-o", tmp_path / "r.html", watched=["h5py", "rich", "yaml"]) == []
    assert loaded_modules("diff", report, report) == []
    assert loaded_modules("verify", "--no-run-samples", tmp_path / "out") == []


def test_commands_that_only_look_leave_files_and_arrays_to_their_children():
    light = ["h5py", "numpy", "rich", "yaml"]
    assert loaded_modules("scan", FIXTURE, watched=light) == []
    assert loaded_modules("inspect", FIXTURE, watched=light) == []
    assert loaded_modules("completion", "bash", watched=light) == []


def test_killed_run_is_taken_up_again(tmp_path):
    manifest = write_registry(tmp_path, ["good-1", "once-1", "once-2"], source="lstm {model}")
    output = tmp_path / "out"
    program = [sys.executable, "-m", "tests.pipeline.program", "migrate", manifest, "--quiet", *FAKES]
    command = [*program, "--output", output]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "1.seen").exists() and not (tmp_path / "2.seen").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1.5)  # The orphaned child notices.
    for number in (1, 2):
        (tmp_path / f"{number}.seen").touch()
    assert subprocess.run(command).returncode == 0
    assert subprocess.run([*program, "--output", output.with_name("other")]).returncode == 0
    contents = [
        {name: data for name, (_, data) in tree(folder).items() if not name.endswith("h5ferry.json")}
        for folder in (output, output.with_name("other"))
    ]
    assert contents[0] == contents[1] and len(contents[0]) == 12
    frame = pd.concat(pd.read_parquet(path) for path in output.rglob("report.parquet"))
    assert len(frame) == 3
