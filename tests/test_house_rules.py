"""The arrows of the house run one way, and the reference stays independent."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported_by(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("transforms"), ids=lambda path: str(path.relative_to(ROOT)))
def test_transforms_know_neither_beam_nor_pipeline(path: Path) -> None:
    assert not {name for name in imported_by(path) if name.split(".")[0] in ("apache_beam", "pipeline")}


@pytest.mark.parametrize("path", files("transforms/reference"), ids=lambda path: path.name)
def test_the_reference_sees_only_the_legacy_side(path: Path) -> None:
    admitted = ("transforms.reference", "transforms.architecture", "transforms.runtime", "transforms.errors")
    own = {name for name in imported_by(path) if name.split(".")[0] == "transforms"}
    assert not {name for name in own if not name.startswith(admitted)}
    assert not {name for name in imported_by(path) if name.split(".")[0] in ("tensorflow", "tf_keras", "keras", "h5py")}


def test_reading_and_canonicalising_need_no_tensorflow() -> None:
    code = "import sys, transforms.inspection, transforms.migration; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "False"
