"""Takes away from an interpreter what Linux has and other systems lack; imported by a path file of an environment it
does so in all of its processes.

What macOS lacks is removed, and its bound on memory, which it takes and does not keep, binds nothing.
"""

from __future__ import annotations

import builtins
import ctypes
import io
import os
import resource
from typing import Any

_REMOVED = ("sched_getaffinity", "posix_fadvise", "posix_fallocate")
_C_FUNCTIONS = ("renameat2", "renameatx_np")
_FILES = ("/proc/self/statm", "/proc/self/cgroup", "/proc/self/mountinfo")


def take_away() -> None:
    """Changes the modules of this interpreter, for good."""
    for name in _REMOVED:
        delattr(os, name)
    _without_files()
    _without_c_functions()
    _without_bound_on_memory()


def _without_files() -> None:
    opened = builtins.open

    def open_file(path: Any, *arguments: Any, **options: Any) -> Any:
        if str(path) in _FILES:
            raise FileNotFoundError(2, "No such file or directory", path)
        return opened(path, *arguments, **options)

    builtins.open = io.open = open_file


def _without_c_functions() -> None:
    found = ctypes.CDLL.__getattr__

    def look_up(library: ctypes.CDLL, name: str) -> Any:
        if name in _C_FUNCTIONS:
            raise AttributeError(name)
        return found(library, name)

    ctypes.CDLL.__getattr__ = look_up  # type: ignore[method-assign]


def _without_bound_on_memory() -> None:
    bound = resource.setrlimit

    def set_limit(kind: int, limits: tuple[int, int]) -> None:
        if kind != resource.RLIMIT_AS:
            bound(kind, limits)

    resource.setrlimit = set_limit


take_away()
