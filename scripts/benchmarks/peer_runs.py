"""The peers on the same files: tf-keras load + save, and load + export, in one warm process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measured_run import environment
from benchmarks.model_files import FIXTURES, RETRAINED, different_architectures, retrained_copies
from benchmarks.scale import Scale


def peers_on_one_architecture(scale: Scale, scratch: Path) -> dict[str, Any]:
    """Medians per model over the genuine file, whose right answers are known, and retrained copies of it."""
    copies = retrained_copies(scale.peer_models - 1, scratch / "sources")
    found = _convert([FIXTURES / f"{RETRAINED}.h5", *copies], scratch, export=True)
    models = found["models"]
    return {
        "import": found["import"],
        "models": len(models),
        "load": _median(models, "load"),
        "save": _median(models, "save"),
        "export": _median(models, "export"),
        "max_abs_error": models[0].get("max_abs_error"),
        "refused": [model["refused"] for model in models if "refused" in model],
    }


def peers_on_architectures(scale: Scale, scratch: Path) -> dict[str, Any]:
    """Load + save of models that share nothing; those that the peer cannot take are named."""
    models = different_architectures(scale.architectures)
    found = _convert([path for _, path in models], scratch, export=False)
    results = dict(zip((name for name, _ in models), found["models"], strict=True))
    seconds = {name: each["load"] + each["save"] for name, each in results.items() if "save" in each}
    return {
        "import": found["import"],
        "seconds": seconds,
        "each": statistics.mean(seconds.values()) if seconds else None,
        "refused": {name: each["refused"] for name, each in results.items() if "refused" in each},
        "wrong": {name: each["max_abs_error"] for name, each in results.items() if _is_wrong(each)},
    }


def _is_wrong(model: dict[str, Any]) -> bool:
    """Whether the outputs of the loaded model are far from those of the runtime that wrote the file."""
    error = model.get("max_abs_error")
    return error is not None and not error < 1e-3


def _median(models: list[dict[str, Any]], step: str) -> float | None:
    times = [model[step] for model in models if step in model]
    return statistics.median(times) if times else None


def _convert(files: list[Path], scratch: Path, export: bool) -> dict[str, Any]:
    """Raises RuntimeError when the process itself fails."""
    job = scratch / "job.json"
    job.write_text(json.dumps({"files": [*map(str, files)], "folder": str(scratch / "peers"), "export": export}))
    command = [sys.executable, str(Path(__file__).with_name("peer_process.py")), str(job)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The peers' process ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
