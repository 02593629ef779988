"""Start-up times of commands, and scan and inspect over many files."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measured_run import PROGRAM, migrate, run_measured
from benchmarks.model_files import FIXTURES, retrained_copies, write_manifest
from benchmarks.scale import Scale

#: Copied for `scan` and `inspect`.
_SMALL = "keras-2.2.4/emb_cudnn_lstm"


def start_up(scale: Scale, scratch: Path) -> dict[str, Any]:
    """Medians of wall clocks; `scan` against reading the first bytes of each file, `inspect` against hashing them."""
    (model,) = retrained_copies(1, scratch / "one", _SMALL)
    migrate(write_manifest(scratch / "manifest.csv", [("m", model)]), scratch / "out", "--report", f"{scratch}/report")
    commands = {
        "--help": ["--help"],
        "scan": ["scan", str(scratch / "one"), "-o", str(scratch / "scanned.csv")],
        "inspect": ["inspect", str(model)],
        "report": ["report", str(scratch / "report"), "-o", str(scratch / "report.html")],
    }
    seconds = {
        name: statistics.median(_seconds(arguments) for _ in range(scale.repeats))
        for name, arguments in commands.items()
    }
    many = scratch / "many"
    _copies(scale.scanned, many)
    files = sorted(many.rglob("*.h5"))[: scale.inspected]
    return {
        "seconds": seconds,
        "scan": {
            "files": scale.scanned,
            "seconds": _seconds(["scan", str(many), "-o", str(scratch / "scanned.csv")]),
            "against": _shell(f"find {many} -type f -print0 | xargs -0 head -qc8"),
        },
        "inspect": {
            "files": len(files),
            "seconds": _seconds(["inspect", "--json", *map(str, files)]),
            "against": _shell(f"sha256sum {' '.join(map(str, files))}"),
        },
    }


def _copies(count: int, folder: Path) -> None:
    for index in range(count):
        path = folder / f"{index // 100:03}" / f"{index:05}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FIXTURES / f"{_SMALL}.h5", path)


def _seconds(arguments: Sequence[str]) -> float:
    return run_measured((*PROGRAM, *arguments), watched=False).seconds


def _shell(command: str) -> float:
    start = time.perf_counter()
    subprocess.run(["sh", "-c", command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
