import re
import time
from collections.abc import Sequence
from pathlib import Path

import interpreters
import pytest
from interpreters import Interpreter, Tried, found, table

ROOT = Path(__file__).parents[2]


def python(folder: Path, name: str, release: str, status: int = 0) -> None:
    """A program that answers as an interpreter of this release would."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {release}\nexit {status}\n")
    program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without interpreters: a folder on the path, and one as pyenv's."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(interpreters, "_PLACES", ("python{minor}", f"{tmp_path}/versions/{{minor}}.*/bin/python"))
    return tmp_path


@pytest.mark.parametrize(
    "releases, taken",
    [
        ((), ()),
        (("3.11.7",), ("3.11.7",)),
        (("3.11.9", "3.11.10", "3.11.2"), ("3.11.2", "3.11.10")),
    ],
)
def test_the_oldest_and_the_newest_are_taken(machine: Path, releases: Sequence[str], taken: Sequence[str]) -> None:
    for release in releases:
        python(machine / f"versions/{release}/bin", "python", release)
    python(machine / "versions/3.12.1/bin", "python", "3.12.1")
    assert [each.release for each in found("3.11")] == list(taken)


def test_one_release_in_two_places_is_taken_once(machine: Path) -> None:
    python(machine / "bin", "python3.12", "3.12.1")
    python(machine / "versions/3.12.1/bin", "python", "3.12.1")
    assert found("3.12") == [Interpreter("3.12.1", str(machine / "bin/python3.12"))]


def test_one_that_lacks_a_module_or_is_another_is_not_taken(machine: Path) -> None:
    python(machine / "bin", "python3.13", "", status=1)
    python(machine / "versions/3.13.0/bin", "python", "3.14.0")
    assert found("3.13") == []


def test_the_page_tells_what_was_not_found() -> None:
    page = "\n".join(table([Tried("3.11.2", "7 s", "passes, 30 s", "9 passed, 40 s", True)], ["3.12"]))
    assert "| 3.11.2 | 7 s | passes, 30 s | 9 passed, 40 s |" in page and "| 3.12 | not found | - | - |" in page


def test_the_page_of_the_documents_is_as_the_run_writes_it() -> None:
    """All but the machine, the releases and the figures; and nothing failed."""
    page = (ROOT / "docs/platforms.md").read_text("utf-8").splitlines()
    rows = [line for line in page if re.match(r"\| 3\.\d+(\.\d+)? \|", line)]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    missing = [row[0] for row in cells if row[1] == "not found"]
    tried = [Tried(*row, passed=True) for row in cells if row[0] not in missing]
    figures = re.compile(r"^The last run was on .*")
    wanted = [figures.sub("", line) for line in table(tried, missing)]
    assert [figures.sub("", line) for line in page] == wanted
    assert {each.release.rpartition(".")[0] for each in tried} == set(interpreters.MINORS) - set(missing)
    for each in tried:
        assert re.fullmatch(r"passes, \d+ s", each.sample)
        assert re.fullmatch(r"\d+ passed(, \d+ skipped)?, \d+ s|all tests ran on it", each.tests)


def test_where_all_tests_ran_the_sample_alone_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def succeed(release: str, command: Sequence[str], deadline: float) -> tuple[bool, float, str]:
        ran.append(" ".join(command))
        return True, 1.0, "7 passed in 1.00s"

    monkeypatch.setattr(interpreters, "_run", succeed)
    here = Interpreter("3.12.1", "python3.12")
    assert interpreters.try_on(here, "3.12.1") == Tried("3.12.1", "1 s", "passes, 1 s", "all tests ran on it", True)
    assert not any("pytest" in command for command in ran)
    assert interpreters.try_on(here, "3.11.7") == Tried("3.12.1", "1 s", "passes, 1 s", "7 passed, 1 s", True)


def test_what_runs_at_the_deadline_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "ROOT", tmp_path)  # no make file: it fails at once
    here = Interpreter("3.12.1", "python3.12")
    assert interpreters.try_on(here) == Tried("3.12.1", "**fails**")
    late = Tried("3.12.1", "no time left", in_time=False)
    assert interpreters.try_on(here, deadline=time.monotonic()) == late
    (tmp_path / "Makefile").write_text(f"{tmp_path}/build/environments/3.12.1/.installed:\n\tsleep 60; false\n")
    start = time.monotonic()
    assert interpreters.try_on(here, deadline=start + 0.2) == late
    assert time.monotonic() - start < 30


def test_the_quick_tests_are_there() -> None:
    paths = [*interpreters.QUICK, *(test.partition("::")[0] for test in interpreters.NOT_QUICK)]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for path, _, name in (test.partition("::") for test in interpreters.NOT_QUICK):
        assert f"def {name}(" in (ROOT / path).read_text("utf-8")
