"""Runs the sample and the quick tests on each Python that is supported and found here, and writes what came of it.

Of each minor version the oldest and the newest release are taken, from the path, `/usr/bin` and pyenv. Run as root on
Debian or Ubuntu, the system's own is installed by apt where it is missing and apt has it. Each interpreter gets an
environment of its own, from the lock, below `build/`; as many are tried at a time as there are CPUs. Needs nothing but
Python itself: `make interpreters`.
"""

from __future__ import annotations

import argparse
import glob
import math
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MINORS = ("3.11", "3.12", "3.13")
_PLACES = ("python{minor}", "/usr/bin/python{minor}", "~/.pyenv/versions/{minor}.*/bin/python")
#: What may differ between interpreters: the command line, child processes and their messages, recursion, bytecode, the
#: standard library's readers of text and numbers. The sample runs TensorFlow, Beam, h5py and pandas.
QUICK = (
    "tests/pipeline/cli/test_interpreter.py",
    "tests/pipeline/history",
    "tests/pipeline/isolation",
    "tests/pipeline/manifest",
    "tests/transforms/admission/test_hostile_configs.py",
    "tests/transforms/admission/test_serialized_objects.py",
    "tests/transforms/architecture/test_config_json.py",
    "tests/transforms/architecture/test_parsing.py",
    "tests/transforms/lambda_functions",
    "tests/transforms/source",
)
#: Tests among these that take long, and of which the sample runs the like.
NOT_QUICK = (
    "tests/pipeline/isolation/test_other_systems.py::test_a_run_replaces_what_was_published",
    "tests/transforms/admission/test_hostile_configs.py::test_a_config_alone_allocates_nothing",
    "tests/transforms/lambda_functions/test_constants.py::test_a_model_migrates_with_them",
)
#: A Python that was built without these cannot run what the lock installs.
_VERSION = "import bz2, ctypes, lzma, platform, ssl, zlib; print(platform.python_version())"


@dataclass(frozen=True)
class Interpreter:
    """A Python: its release, such as 3.11.2, and where it lies."""

    release: str
    path: str


@dataclass(frozen=True)
class Tried:
    """What came of one interpreter: a cell of the table for each thing."""

    release: str
    set_up: str
    sample: str = "-"
    tests: str = "-"
    passed: bool = False
    in_time: bool = True


def found(minor: str) -> list[Interpreter]:
    """The oldest and the newest release of a minor version that this machine has."""
    releases: dict[str, Interpreter] = {}
    for path in _candidates(minor):
        asked = subprocess.run([path, "-c", _VERSION], capture_output=True, text=True, check=False)
        release = asked.stdout.strip()
        if asked.returncode == 0 and release.startswith(f"{minor}."):
            releases.setdefault(release, Interpreter(release, path))
    by_age = sorted(releases.values(), key=lambda each: [int(part) for part in re.findall(r"\d+", each.release)])
    return list(dict.fromkeys((*by_age[:1], *by_age[-1:])))


def install_by_apt(minors: Sequence[str]) -> None:
    """Installs the system's own interpreters that are missing, where this is root's to do and apt has them."""
    missing = [minor for minor in minors if not Path(f"/usr/bin/python{minor}").exists()]
    if not missing or os.name != "posix" or os.getuid() or shutil.which("apt-get") is None:
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "check": False}
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", "update"], **quiet, env=environment, timeout=120)
        for minor in missing:
            install = ["apt-get", "install", "--yes", "--no-install-recommends", f"python{minor}"]
            subprocess.run(install, **quiet, env=environment, timeout=120)
    except subprocess.TimeoutExpired as error:
        print(f"{' '.join(error.cmd)} took too long: left alone.")


def try_on(interpreter: Interpreter, tested: str = "", deadline: float = math.inf) -> Tried:
    """Sets an environment up, runs the sample, and the quick tests unless all tests ran on this release (`tested`).

    What runs at the deadline, on the clock of `time.monotonic`, is ended.
    """
    release = interpreter.release
    tried = _tried(interpreter, tested, deadline)
    return tried if tried.passed or time.monotonic() < deadline else Tried(release, "no time left", in_time=False)


def _tried(interpreter: Interpreter, tested: str, deadline: float) -> Tried:
    release = interpreter.release
    environment = ROOT / "build/environments" / release
    sample = environment / "sample"
    environment.parent.mkdir(parents=True, exist_ok=True)
    make = ["make", f"VENV={environment}", f"PYTHON={interpreter.path}", f"SAMPLE={sample}"]
    set_up, seconds, _ = _run(release, [*make, f"{environment}/.installed"], deadline)
    if not set_up:
        return Tried(release, "**fails**")
    shutil.rmtree(sample, ignore_errors=True)
    migrated, sample_seconds, _ = _run(release, [*make, "sample"], deadline)
    passed, tests = True, "all tests ran on it"
    if release != tested:
        pytest = [f"{environment}/bin/python", "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
        deselected = [f"--deselect={test}" for test in NOT_QUICK]
        passed, test_seconds, output = _run(release, [*pytest, *deselected, *QUICK], deadline)
        counts = re.findall(r"\d+ (?:passed|failed|skipped|error)s?", output[-400:])
        tests = f"{', '.join(counts) or 'no count'}, {test_seconds:.0f} s"
    return Tried(
        release,
        f"{seconds:.0f} s",
        f"{'passes' if migrated else '**fails**'}, {sample_seconds:.0f} s",
        tests,
        migrated and passed,
    )


def table(tried: Sequence[Tried], missing: Sequence[str]) -> Iterator[str]:
    """The page of the documents, line by line."""
    yield "# Interpreters and systems"
    yield ""
    yield "Written by `make interpreters`: of each supported minor version the oldest and the newest release that the"
    yield "machine has. `.ci/run` does the same, and runs all tests on one of them."
    yield f"The last run was on {_system()}, with {os.cpu_count()} CPUs and as many interpreters at a time."
    yield "Set-up is 0 s where the environment was left by an earlier run."
    yield ""
    yield "| Python | set-up | sample | quick tests |"
    yield "|---|---|---|---|"
    for each in tried:
        yield f"| {each.release} | {each.set_up} | {each.sample} | {each.tests} |"
    for minor in missing:
        yield f"| {minor} | not found | - | - |"
    yield ""
    yield "Not run: macOS and Linux on aarch64, for which the lock holds packages all the same. In place of macOS the"
    yield "tests take from an interpreter what Linux alone has (`tests/pipeline/isolation/test_other_systems.py`);"
    yield "[`system_calls.py`](../transforms/platform/system_calls.py) lists what is done without it."
    yield "Windows: in WSL 2 only."


def _candidates(minor: str) -> Iterator[str]:
    for place in _PLACES:
        pattern = os.path.expanduser(place.format(minor=minor))
        on_path = shutil.which(pattern)
        yield from [on_path] if on_path else sorted(glob.glob(pattern))


def _run(release: str, command: Sequence[str], deadline: float) -> tuple[bool, float, str]:
    """Whether a command succeeds, its seconds, and what it prints; the lines are shown with the release in front."""
    start = time.monotonic()
    if start >= deadline:
        return False, 0.0, ""
    # uv of this environment makes the others: an interpreter of Debian's has no pip.
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PATH": search},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=None if deadline == math.inf else 0,
    ) as process:
        lines = []
        end = threading.Timer(min(deadline - start, threading.TIMEOUT_MAX), os.killpg, (process.pid, signal.SIGKILL))
        if deadline < math.inf:
            end.start()
        for line in process.stdout or ():
            print(f"{release}: {line}", end="", flush=True)
            lines.append(line)
        end.cancel()
    return process.returncode == 0, time.monotonic() - start, "".join(lines)


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"


def main() -> int:
    """Tries each, writes the page, and says which failed or was not found. Exit status 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=ROOT / "docs/platforms.md")
    parser.add_argument("--no-page", action="store_true", help="print the table, and leave the page as it is")
    parser.add_argument("--tested", default="", metavar="RELEASE", help="all tests ran on it: the sample alone")
    parser.add_argument("--within", type=float, default=math.inf, metavar="SECONDS", help="what takes longer is ended")
    parser.add_argument("minors", nargs="*", default=list(MINORS), metavar="MINOR", help="such as 3.12")
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.within
    install_by_apt(arguments.minors)
    by_minor = {minor: found(minor) for minor in arguments.minors}
    interpreters = [each for of_minor in by_minor.values() for each in of_minor]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        tried = list(pool.map(lambda each: try_on(each, arguments.tested, deadline), interpreters))
    missing = [minor for minor, of_minor in by_minor.items() if not of_minor]
    page = "\n".join(table(tried, missing)) + "\n"
    if arguments.no_page:
        print(page)
    else:
        arguments.page.write_text(page, encoding="utf-8")
    for each in tried:
        print(f"Python {each.release} {'passed' if each.passed else 'FAILED' if each.in_time else 'had no time left'}")
    for minor in missing:
        print(f"Python {minor} was not found")
    return 0 if all(each.passed or not each.in_time for each in tried) else 1


if __name__ == "__main__":
    sys.exit(main())
