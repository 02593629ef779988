"""What a child is given: its environment, and its share of the machine."""

from __future__ import annotations

import os
import sys

from transforms.limits import GIB

_PARENT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")


def child_environment(workers: int) -> dict[str, str]:
    """The child's whole environment: no credentials, no GPU, no HDF5 plug-ins, and its share of the cores."""
    threads = str(max(1, len(os.sched_getaffinity(0)) // max(1, workers)))
    kept = {name: os.environ[name] for name in _PARENT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "HDF5_PLUGIN_PRELOAD": "::",
        "HDF5_PLUGIN_PATH": os.devnull,
        "HDF5_USE_FILE_LOCKING": "FALSE",
    }


def share_of_memory(workers: int) -> int:
    """Bytes of memory for each child, where the operator states no limit."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(4 * GIB, machine * 4 // 5 // max(1, workers))
