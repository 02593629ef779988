"""The machine on which the figures were measured."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("tensorflow", "tf-keras", "apache-beam", "h5py", "numpy")


#: Of other work: looked at before any of ours begins.
_LOAD = os.getloadavg()[0]


def describe_machine(scratch: Path) -> dict[str, Any]:
    """CPU, memory, disk of `scratch`, kernel, load before it all, and the versions of what does the work."""
    information = Path("/proc/cpuinfo").read_text("utf-8")
    model = re.search(r"^model name\s*: (.+)$", information, re.MULTILINE)
    flags = re.search(r"^flags\s*: (.+)$", information, re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "sha_instructions": bool(flags and "sha_ni" in flags[1].split()),
        "memory_bytes": psutil.virtual_memory().total,
        "file_system": _file_system(scratch),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "load": _LOAD,
    }


def _file_system(folder: Path) -> str:
    resolved = str(folder.resolve())
    holding = [part for part in psutil.disk_partitions(all=True) if resolved.startswith(part.mountpoint)]
    return max(holding, key=lambda part: len(part.mountpoint)).fstype if holding else "unknown"
