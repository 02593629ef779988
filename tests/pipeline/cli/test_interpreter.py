import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.interpreter import settle_interpreter

ROOT = Path(__file__).parents[3]
#: Prints what it runs in, once that is settled.
PROGRAM = """
import json, os, sys
from pipeline.cli.interpreter import settle_interpreter
settle_interpreter()
print(json.dumps([sys.flags.optimize, sys.getfilesystemencoding(), sys.argv[1:], sys.path[-1]]))
"""
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    "options, variables",
    [
        ([], {}),
        (["-OO"], {}),
        (["-I", "-O", "-O"], {}),
        ([], {"PYTHONOPTIMIZE": "2"}),
        ([], ASCII),
        (["-OO"], {**ASCII, "PYTHONOPTIMIZE": "7"}),
    ],
    ids=str,
)
def test_what_the_program_runs_in(tmp_path: Path, options: list[str], variables: dict[str, str]) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROGRAM}")
    command = [sys.executable, *options, program, "-OO", "é"]
    done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, check=True)
    optimize, encoding, arguments, _ = json.loads(done.stdout)
    assert optimize < 2 and encoding == "utf-8" and arguments == ["-OO", "é"]


def test_optimized_once_stays_so(tmp_path: Path) -> None:
    """Without assertions everything works: nothing needs to start anew."""
    done = subprocess.run([sys.executable, "-O", "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout)[0] == 1


def test_modules_of_python_path_come_last(tmp_path: Path) -> None:
    variables = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout)[3] == str(tmp_path)


def test_windows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as caught:
        settle_interpreter()
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "WSL 2" in line


def test_closed_streams_are_the_null_device() -> None:
    program = "import os, sys; from pipeline.cli.interpreter import settle_interpreter as settle; settle(); "
    program += "print('lost'); sys.exit(7 if os.fstat(1).st_rdev == os.stat(os.devnull).st_rdev else 1)"
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", program], cwd=ROOT, check=False
    )
    assert done.returncode == 7
