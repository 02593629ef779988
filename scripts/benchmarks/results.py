"""The results on disk: one JSON file, written by section, so that an interrupted run continues where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Results = dict[str, Any]


def read_results(path: Path) -> Results:
    """The earlier measurements; empty if there are none."""
    if not path.exists():
        return {"sections": {}}
    results: Results = json.loads(path.read_text("utf-8"))
    return results


def write_section(path: Path, machine: dict[str, Any], name: str, section: dict[str, Any]) -> Results:
    """Merges one section into the file."""
    results = read_results(path)
    results["machine"] = machine
    results["sections"][name] = section
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_rounded(results), indent=1, sort_keys=True) + "\n", "utf-8")
    return results


def _rounded(value: Any) -> Any:
    """Times to tenths of a millisecond: no more was measured. Small errors keep their digits."""
    if isinstance(value, float):
        return float(f"{value:.3g}") if abs(value) < 1e-3 else round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
