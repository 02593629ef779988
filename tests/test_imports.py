"""Which part may know which: the layout's rules, read from the source."""

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
        ("transforms", {"h5ferry", "pipeline", "apache_beam"}, ()),
        ("pipeline", {*TENSORFLOW, "h5ferry"}, {"replay.py"}),
        ("h5ferry", {*TENSORFLOW, "apache_beam"}, ()),
        ("transforms/reference", {*TENSORFLOW, "transforms.canonical", "transforms.rebuild"}, ()),
        ("transforms/canonical", TENSORFLOW, ()),
    ],
)
def test_arrows_run_one_way(folder, forbidden, exempt):
    assert offenders(folder, forbidden, exempt) == []


def test_only_the_graph_and_what_runs_it_need_beam_at_once():
    """Others import Beam inside the function that needs it, so that commands without Beam start quickly."""
    at_once = {
        str(path.relative_to(ROOT / "pipeline"))
        for path in (ROOT / "pipeline").rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "apache_beam" in (ast.unparse(node))
    }
    assert at_once == {"graph.py", "run/graph_run.py", "publication/object_store.py"}


def test_the_reference_sees_only_the_legacy_side():
    admitted = (
        "transforms.reference",
        "transforms.architecture",
        "transforms.legacy.release",
        "transforms.records.expression",
        "transforms.records.runtime",
        "transforms.errors",
    )
    assert [
        found for found in offenders("transforms/reference", {"transforms"}) if not found[1].startswith(admitted)
    ] == []
    assert offenders("transforms/reference", {*TENSORFLOW, "h5py"}) == []


def known_to(module):
    """The modules of the project that one imports, and those that these import."""
    found, pending = set(), [module]
    while pending:
        path = ROOT / (pending.pop().replace(".", "/") + ".py")
        for name in imported(path):
            if (
                name not in found
                and name.startswith("transforms.")
                and (ROOT / (name.replace(".", "/") + ".py")).exists()
            ):
                found.add(name)
                pending.append(name)
    return found


def test_the_two_assignments_of_arrays_share_no_code():
    """What both start from: the parsed graph, the mark of a custom class, and an array with its name and shape."""
    assert known_to("transforms.weights.by_position") & known_to("transforms.weights.by_name") == {
        "transforms.architecture.graph",
        "transforms.source.stored_array",
        "transforms.architecture.custom_names",
    }


def test_reading_and_canonicalising_need_no_tensorflow():
    code = "import sys, transforms.inspection.inspect, transforms.migration.migrate; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "False"


#: The packages from the ground up: a package imports only what stands before it.
ORDER = """
    transforms.errors transforms.platform
    transforms.limits transforms.records
    transforms.source
    transforms.architecture
    transforms.layer_specs transforms.releases
    transforms.lambda_functions transforms.weights
    transforms.admission
    transforms.legacy
    transforms.canonical transforms.reference
    transforms.custom
    transforms.inspection transforms.rebuild
    transforms.saved_model
    transforms.evidence transforms.training
    transforms.migration
    pipeline pipeline.printable pipeline.storage
    pipeline.isolation
    pipeline.coordination pipeline.publication
    pipeline.history pipeline.manifest
    pipeline.report
    pipeline.monitoring
    pipeline.settings pipeline.audit pipeline.inspection pipeline.scan
    pipeline.registries
    pipeline.steps
    pipeline.graph
    pipeline.run
    pipeline.diagnosis
    pipeline.cli
    pipeline.__main__
    h5ferry
"""
LEVEL = {package: level for level, line in enumerate(ORDER.strip().splitlines()) for package in line.split()}


FOLDERS = ("h5ferry", "pipeline", "transforms")


def package_of(module):
    return "h5ferry" if module.startswith("h5ferry.") else ".".join(module.split(".")[:2])


def test_imports_run_from_the_ground_up():
    """Packages of one level do not know each other: so there is no cycle among packages either."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    upwards = []
    for path in files:
        own = package_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        for module in imported(path):
            package = package_of(module)
            if package in LEVEL and package != own and LEVEL[package] >= LEVEL.get(own, -1):
                upwards.append((str(path.relative_to(ROOT)), module))
    assert upwards == []


def test_each_package_says_what_lives_in_it_and_what_it_may_import():
    packages = [path.parent for folder in ("pipeline", "transforms") for path in (ROOT / folder).rglob("__init__.py")]
    assert {package_of(".".join(each.relative_to(ROOT).parts)) for each in packages} <= {*LEVEL, "transforms"}
    for package in packages:
        assert ast.get_docstring(ast.parse((package / "__init__.py").read_text())), package


def test_no_loose_files():
    loose = {
        folder: {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__", "__main__"}
        for folder in ("pipeline", "transforms")
    }
    assert loose == {"pipeline": {"graph", "settings", "printable"}, "transforms": {"errors", "limits"}}
