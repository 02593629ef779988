"""Whole runs over registries: many models of one architecture, different architectures, one worker against two."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchmarks.measured_run import MeasuredRun, MemorySample, migrate
from benchmarks.model_files import RETRAINED, different_architectures, retrained_copies, write_manifest
from benchmarks.scale import Scale

#: Models after which memory must not grow any more.
SETTLED = 50
_WORKERS = "--direct_num_workers"


def same_architecture(scale: Scale, scratch: Path) -> dict[str, Any]:
    """Runs over ever more retrained copies of one model, and the memory over the longest."""
    copies = retrained_copies(scale.models[-1], scratch / "sources")
    runs, longest = [], MeasuredRun()
    for count in scale.models:
        manifest = write_manifest(scratch / f"{count}.csv", [(f"m/{path.stem}", path) for path in copies[:count]])
        longest = migrate(manifest, scratch / "out")
        runs.append({"models": count, "seconds": longest.seconds, "cpu_seconds": longest.cpu_seconds})
        shutil.rmtree(scratch / "out")
    return {
        "model": RETRAINED,
        "source_bytes": copies[0].stat().st_size,
        "runs": runs,
        "marginal": _marginal(runs),
        "memory": _memory(longest),
    }


def _marginal(runs: list[dict[str, Any]]) -> float | None:
    """Seconds that one more model costs, between the two longest runs."""
    if len(runs) < 2:
        return None
    shorter, longer = runs[-2:]
    return float((longer["seconds"] - shorter["seconds"]) / (longer["models"] - shorter["models"]))


def _memory(run: MeasuredRun) -> dict[str, Any]:
    """Peak of resident memory up to the models after which it should have settled, and after; of each process too."""
    early = [sample for sample in run.samples if sample.ended <= SETTLED]
    late = [sample for sample in run.samples if sample.ended > SETTLED]
    if not early or not late:
        return {}
    processes = [
        {"role": run.processes[pid].role, "until": _peak(early, pid), "after": _peak(late, pid)}
        for pid in run.processes
        if any(pid in sample.resident for sample in late)
    ]
    until, after = max(sample.total for sample in early), max(sample.total for sample in late)
    step = max(1, len(run.samples) // 200)
    curve = [[sample.ended, sample.total] for sample in run.samples[::step]]
    return {"until": until, "after": after, "growth": after - until, "processes": processes, "curve": curve}


def _peak(samples: list[MemorySample], pid: int) -> int:
    return max((sample.resident.get(pid, 0) for sample in samples), default=0)


def architectures(scale: Scale, scratch: Path) -> dict[str, Any]:
    """One run over models that share nothing, with one worker: each is traced and validated."""
    models = different_architectures(scale.architectures)
    manifest = write_manifest(scratch / "manifest.csv", models)
    run = migrate(manifest, scratch / "out", f"{_WORKERS}=1")
    between = (run.ends[-1] - run.ends[0]) / max(1, len(run.ends) - 1) if run.ends else run.seconds
    return {
        "models": [name for name, _ in models],
        "seconds": run.seconds,
        "cpu_seconds": run.cpu_seconds,
        "each": between,
        "ends": run.ends,
    }


def workers(scale: Scale, scratch: Path) -> dict[str, Any]:
    """The same registry with one worker, on one core and on all of them, and with two."""
    copies = retrained_copies(scale.worker_models, scratch / "sources")
    manifest = write_manifest(scratch / "manifest.csv", [(f"m/{path.stem}", path) for path in copies])
    runs = []
    for count, cores in ((1, 1), (1, None), (2, None)):
        run = migrate(manifest, scratch / "out", f"{_WORKERS}={count}", cores=cores)
        runs.append({"workers": count, "cores": cores, "seconds": run.seconds, "cpu_seconds": run.cpu_seconds})
        shutil.rmtree(scratch / "out")
    return {
        "models": len(copies),
        "runs": runs,
        "ratio": runs[1]["seconds"] / runs[2]["seconds"],
        "ratio_to_one_core": runs[0]["seconds"] / runs[2]["seconds"],
    }
