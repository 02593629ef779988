"""Runs the sample and the quick tests on each Python that is supported and found here, and writes what came of it.

Each interpreter gets an environment of its own, from the lock, below `build/`. Needs nothing but Python itself:
`make interpreters`.
"""

from __future__ import annotations

import argparse
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The lowest release that Debian ships, the one that the project is developed on, and each later minor version.
WANTED = ("3.11.2", "3.11", "3.12", "3.13")
_PLACES = ("python{minor}", "/usr/bin/python{minor}", "~/.pyenv/versions/{minor}.*/bin/python")
#: What shows a difference between interpreters, in about two minutes on two cores.
QUICK = (
    "tests/test_imports.py",
    "tests/pipeline/cli",
    "tests/pipeline/isolation",
    "tests/pipeline/manifest",
    "tests/transforms/admission",
    "tests/transforms/architecture",
    "tests/transforms/canonical",
)
_VERSION = "import platform; print(platform.python_version())"


@dataclass(frozen=True)
class Tried:
    """What came of one interpreter: its version, "" where none was found, and a cell of the table for each thing."""

    wanted: str
    version: str
    set_up: str = "not found"
    sample: str = "-"
    tests: str = "-"
    passed: bool = False


def find(wanted: str) -> tuple[str, str] | None:
    """An interpreter of this minor version, or of exactly this release: its path and version."""
    for path in _candidates(wanted):
        done = subprocess.run([path, "-c", _VERSION], capture_output=True, text=True, check=False)
        version = done.stdout.strip()
        if done.returncode == 0 and (version == wanted or (wanted.count(".") == 1 and _minor(version) == wanted)):
            return path, version
    return None


def try_on(wanted: str) -> Tried:
    """Sets an environment up, runs the sample and the quick tests."""
    found = find(wanted)
    if found is None:
        return Tried(wanted, "")
    path, version = found
    environment = ROOT / "build/environments" / version
    environment.parent.mkdir(parents=True, exist_ok=True)
    make = ["make", f"VENV={environment}", f"PYTHON={path}"]
    set_up, seconds, _ = _run([*make, f"{environment}/.installed"])
    if not set_up:
        return Tried(wanted, version, set_up="failed")
    sample, sample_seconds, _ = _run([*make, "sample"])
    tests, test_seconds, said = _run([f"{environment}/bin/python", "-m", "pytest", "-q", *QUICK])
    counts = re.findall(r"(\d+ (?:passed|failed|error)s?)", said[-400:])
    return Tried(
        wanted,
        version,
        f"{seconds:.0f} s",
        f"passes, {sample_seconds:.0f} s" if sample else "**fails**",
        f"{', '.join(counts) or 'no count'}, {test_seconds:.0f} s",
        sample and tests,
    )


def table(tried: list[Tried]) -> Iterator[str]:
    """The page of the documents, line by line."""
    yield "# Interpreters and systems"
    yield ""
    yield "Written by `make interpreters`, which `.ci/run` calls: every supported Python that the machine has or"
    yield f"can install. The last run was on {_system()}, with {os.cpu_count()} CPUs."
    yield ""
    yield "| Python | release | set-up | sample | quick tests |"
    yield "|---|---|---|---|---|"
    for each in tried:
        yield f"| {each.wanted} | {each.version or '-'} | {each.set_up} | {each.sample} | {each.tests} |"
    yield ""
    yield "Not run: macOS and Linux on aarch64, for which the lock holds packages all the same. In place of macOS the"
    yield "tests take from an interpreter what Linux alone has (`tests/pipeline/isolation/test_other_systems.py`);"
    yield "[`system_calls.py`](../transforms/platform/system_calls.py) lists what is done without it."
    yield "Windows: in WSL 2 only."


def _candidates(wanted: str) -> Iterator[str]:
    minor = _minor(wanted)
    for place in _PLACES:
        pattern = os.path.expanduser(place.format(minor=minor))
        on_path = shutil.which(pattern)
        yield from [on_path] if on_path else sorted(glob.glob(pattern))


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _run(command: list[str]) -> tuple[bool, float, str]:
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, end="", flush=True)
    return done.returncode == 0, time.monotonic() - start, done.stdout


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
    parser.add_argument("wanted", nargs="*", default=list(WANTED))
    arguments = parser.parse_args()
    tried = [try_on(wanted) for wanted in arguments.wanted]
    arguments.page.write_text("\n".join(table(tried)) + "\n", encoding="utf-8")
    for each in tried:
        state = "passed" if each.passed else "FAILED" if each.version else "was not found"
        print(f"Python {each.wanted}: {each.version} {state}")
    found = [each for each in tried if each.version]
    return 0 if found and all(each.passed for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
