"""Which part may know which: the rules of the house, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TENSORFLOW = {"tensorflow", "tf_keras", "keras"}


def imported(path):
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(folder, forbidden, exempt=()):
    return [
        (str(path.relative_to(ROOT)), module)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in exempt
        for module in imported(path)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]


@pytest.mark.parametrize(
    "folder, forbidden, exempt",
    [
        ("transforms", {"pipeline", "apache_beam"}, ()),
        ("pipeline", TENSORFLOW, {"replaying.py"}),
        ("transforms/reference", {*TENSORFLOW, "transforms.canonical", "transforms.rebuild"}, ()),
        ("transforms/canonical", TENSORFLOW, ()),
    ],
)
def test_arrows_run_one_way(folder, forbidden, exempt):
    assert offenders(folder, forbidden, exempt) == []


def test_only_migrating_and_graph_need_beam_at_once():
    """Others import Beam inside the function that needs it, so that commands without Beam start quickly."""
    at_once = {
        path.name
        for path in (ROOT / "pipeline").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "apache_beam" in (ast.unparse(node))
    }
    assert at_once == {"graph.py", "migrating.py", "uploading.py"}


def test_the_reference_sees_only_the_legacy_side():
    admitted = (
        "transforms.reference",
        "transforms.architecture.graph",
        "transforms.records.runtime",
        "transforms.errors",
    )
    assert [
        found for found in offenders("transforms/reference", {"transforms"}) if not found[1].startswith(admitted)
    ] == []
    assert offenders("transforms/reference", {*TENSORFLOW, "h5py"}) == []


def test_reading_and_canonicalising_need_no_tensorflow():
    code = "import sys, transforms.inspection.inspect, transforms.migration.migrate; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "False"
