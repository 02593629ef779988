import os
import sys
from pathlib import Path

import pytest

from pipeline.isolation.environment import child_command, module_folders

ROOT = str(Path(__file__).parents[3])


@pytest.mark.parametrize(
    "paths, python_path, expected",
    [
        (["/a", "/b"], "", ["/a", "/b"]),
        (["/a", "/b", "/c"], "/a", ["/b", "/c", "/a"]),
        (["/a", "/b", "/c"], "/b:/a", ["/c", "/a", "/b"]),
        (["/a", "/b"], ":/none:", ["/a", "/b"]),
        ([ROOT, "/b"], f"{ROOT}:/b", [ROOT, "/b"]),
        (["", "b"], "b", [os.getcwd(), f"{os.getcwd()}/b"]),
    ],
)
def test_python_path_comes_last(paths: list[str], python_path: str, expected: list[str]) -> None:
    assert module_folders(paths, python_path) == expected


def test_a_child_gets_its_modules_from_nowhere_else() -> None:
    command = child_command(7, 8)
    assert command[:4] == [sys.executable, "-s", "-P", "-c"] and command[5:7] == ["7", "8"]
    assert command[7:] == module_folders(sys.path, os.environ.get("PYTHONPATH", ""))
