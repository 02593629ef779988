"""The benchmark works from end to end, and says of a figure what it is. No figure is asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import pytest
from benchmarks.figures import TARGETS, measured
from benchmarks.model_files import different_architectures, retrained_copies, write_stack
from benchmarks.registry_runs import SETTLED
from benchmarks.tables import document, target_table

from transforms.inspection.inspect import inspect_source

ROOT = Path(__file__).parent.parent
RESULTS: dict[str, Any] = {
    "machine": {
        "cpu": "CPU",
        "cores": 2,
        "memory_bytes": 16 * 10**9,
        "file_system": "ext4",
        "kernel": "6",
        "python": "3.11",
        "packages": {"h5py": "3"},
        "load": 0.1,
    },
    "sections": {
        "same": {
            "model": "m",
            "source_bytes": 26_000,
            "runs": [
                {"models": 10, "seconds": 11.0, "cpu_seconds": 12.0},
                {"models": 100, "seconds": 20.0, "cpu_seconds": 22.0},
            ],
            "marginal": 0.1,
            "memory": {"until": 9 * 10**8, "after": 9 * 10**8 + 49 * 10**6, "growth": 49 * 10**6, "processes": []},
        },
        "peers": {
            "import": 4.0,
            "models": 3,
            "load": 1.0,
            "save": 29.0,
            "export": 4.0,
            "max_abs_error": 1e-7,
            "refused": [],
        },
    },
}
FIGURES = (300.0, 50.0, (4 + 100 * 30) / 20, None, None, 49.0, None)


@pytest.mark.parametrize(
    ("target", "figure"), zip(TARGETS, FIGURES, strict=True), ids=lambda each: getattr(each, "name", None)
)
def test_figures_follow_from_what_was_measured(target: Any, figure: float | None) -> None:
    assert measured(target, RESULTS["sections"]) == (None if figure is None else pytest.approx(figure))


def test_the_table_says_what_is_reached() -> None:
    verdicts = [line.split(" | ")[-1].rstrip(" |") for line in target_table(RESULTS).splitlines()[2:]]
    assert verdicts == ["reached", "not reached", "reached", "", "", "reached", ""]


def test_the_page_shows_each_section_and_no_other() -> None:
    headings = [line for line in document(RESULTS).splitlines() if line.startswith("#")]
    assert headings == ["# How fast", "## Models of one architecture", "## The peers on the same files"]


def test_copies_differ_in_their_weights_alone(tmp_path: Path) -> None:
    first, second = (inspect_source(path) for path in retrained_copies(2, tmp_path))
    assert first.fingerprint == second.fingerprint
    assert first.source_sha256 != second.source_sha256


def test_architectures_differ() -> None:
    fingerprints = [inspect_source(path).fingerprint for _, path in different_architectures(30)]
    assert len(set(fingerprints)) == 30


def test_a_stack_is_a_model_of_the_size_asked_for(tmp_path: Path) -> None:
    largest = write_stack(tmp_path / "stack.h5", 10**6, 0)
    found = inspect_source(tmp_path / "stack.h5")
    assert found.keras_version == "2.2.4"
    assert 4 * found.parameters == pytest.approx(10**6, rel=0.05)
    with h5py.File(tmp_path / "stack.h5") as file:
        assert file["model_weights/dense_1/dense_1/kernel:0"].nbytes == largest


def _benchmark(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "scripts/benchmark.py", "--scale", "tiny", "--folder", str(folder / "docs")]
    subprocess.run([*command, "--scratch", str(folder), *options], cwd=ROOT, check=True, capture_output=True)
    assert (folder / "docs" / "benchmark.svg").read_text("utf-8").rstrip().endswith("</svg>")
    assert "## " in (folder / "docs" / "benchmark.md").read_text("utf-8")
    sections: dict[str, Any] = json.loads((folder / "docs" / "benchmark.json").read_text("utf-8"))["sections"]
    return sections


def test_measures_a_section_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "benchmark.json").write_text(json.dumps({"sections": {"peers": RESULTS["sections"]["peers"]}}))
    sections = _benchmark(tmp_path, "--only", "start_up")
    assert set(sections) == {"start_up", "peers"}
    assert sections["start_up"]["scan"]["files"] == 20
    assert sections["start_up"]["seconds"].keys() == {"--help", "scan", "inspect", "report"}
    assert not [path for path in tmp_path.iterdir() if path.name != "docs"]


@pytest.mark.soak
def test_measures_all_sections(tmp_path: Path) -> None:
    sections = _benchmark(tmp_path)
    assert [run["models"] for run in sections["same"]["runs"]] == [1, 2]
    assert sections["same"]["memory"] == {}, f"less than {SETTLED} models"
    assert sections["peers"]["save"] > 0
    assert len(sections["architectures"]["ends"]) == 2
    assert set(sections["peer_architectures"]["refused"]) | set(sections["peer_architectures"]["seconds"])
    assert sections["workers"]["ratio"] > 0
    (size,) = sections["sizes"]["sizes"]
    assert size["read_calls_bytes"] >= size["source_bytes"]
