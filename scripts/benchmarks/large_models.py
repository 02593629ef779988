"""Single models of growing size against `cp` and `sha256sum`: time, memory and disk traffic."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measured_run import MeasuredRun, migrate
from benchmarks.model_files import put_out_of_the_page_cache, write_manifest, write_stack
from benchmarks.scale import Scale

_MEGABYTE = 10**6
#: Small models are measured in numbers, so that a second of noise does not decide.
_BYTES_MEASURED, _MOST = 500 * _MEGABYTE, 10


def large_models(scale: Scale, scratch: Path) -> dict[str, Any]:
    """For each size: a run with one model, one with more of the same architecture; the difference is one model's."""
    baseline = _run(_sources(1, 1, scratch)[0], scratch)
    memory = [process.peak_bytes for process in baseline.children_with_tensorflow()]
    shutil.rmtree(scratch / "sources")
    return {
        "baseline_bytes": memory[0] if memory else 0,
        "baseline_total_bytes": baseline.peak_bytes,
        "sizes": [_size(megabytes, scale.large_repeats, scratch) for megabytes in scale.megabytes],
    }


@dataclass(frozen=True)
class Round:
    """`cp` and `sha256sum` of all sources but the first, a run with the first, and one with all."""

    copied: float
    synced: float
    one: MeasuredRun
    all: MeasuredRun


def _round(sources: Sequence[Path], scratch: Path) -> Round:
    copied, synced = _copied_and_hashed(sources[1:], scratch)
    return Round(copied, synced, _run(sources[:1], scratch), _run(sources, scratch))


def _sources(megabytes: int, count: int, scratch: Path) -> tuple[list[Path], int]:
    """Models of one architecture, and the bytes of their largest tensor."""
    folder = scratch / "sources"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{index}.h5" for index in range(count)]
    tensors = [write_stack(path, megabytes * _MEGABYTE, index) for index, path in enumerate(paths)]
    return paths, tensors[0]


def _size(megabytes: int, repeats: int, scratch: Path) -> dict[str, Any]:
    further = max(1, min(_MOST, _BYTES_MEASURED // (megabytes * _MEGABYTE)))
    sources, tensor = _sources(megabytes, 1 + further, scratch)
    rounds = [_round(sources, scratch) for _ in range(repeats)]
    one, all_ = rounds[-1].one, rounds[-1].all
    converter = one.children_with_tensorflow()[0] if one.children_with_tensorflow() else None
    result = {
        "megabytes": megabytes,
        "source_bytes": sources[0].stat().st_size,
        "largest_tensor_bytes": tensor,
        "further_models": further,
        "repeats": repeats,
        "first_seconds": median(each.one.seconds for each in rounds),
        "seconds": median(each.all.seconds - each.one.seconds for each in rounds) / further,
        "copy_seconds": median(each.copied for each in rounds) / further,
        "copy_synced_seconds": median(each.synced for each in rounds) / further,
        "peak_bytes": converter.peak_bytes if converter else 0,
        "peak_total_bytes": max(one.peak_bytes, all_.peak_bytes),
        "read_calls_bytes": (_read(all_, "read_calls_bytes") - _read(one, "read_calls_bytes")) // further,
        "disk_read_bytes": (_read(all_, "disk_read_bytes") - _read(one, "disk_read_bytes")) // further,
    }
    shutil.rmtree(scratch / "sources")
    return result


def _read(run: MeasuredRun, count: str) -> int:
    return sum(getattr(process, count) for process in run.processes.values())


def _run(sources: Sequence[Path], scratch: Path) -> MeasuredRun:
    manifest = write_manifest(scratch / "manifest.csv", [(f"m/{path.stem}", path) for path in sources])
    put_out_of_the_page_cache(sources)
    run = migrate(manifest, scratch / "out", "--direct_num_workers=1", "--memory-limit=64G")
    shutil.rmtree(scratch / "out")
    return run


def _copied_and_hashed(sources: Sequence[Path], scratch: Path) -> tuple[float, float]:
    """Seconds of `cp` and `sha256sum` over all sources, read from the disk; and until the copies are durable too."""
    copies = scratch / "copies"
    copies.mkdir()
    put_out_of_the_page_cache(sources)
    start = time.perf_counter()
    for source in sources:
        subprocess.run(["cp", source, copies / source.name], check=True)
        subprocess.run(["sha256sum", copies / source.name], check=True, stdout=subprocess.DEVNULL)
    copied = time.perf_counter() - start
    subprocess.run(["sync", *(copies / source.name for source in sources)], check=True)
    synced = time.perf_counter() - start
    shutil.rmtree(copies)
    return copied, synced
