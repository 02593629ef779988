"""Processes that a confined child left behind, also those that left its session: ended before its work counts.

An orphan becomes a child of this process once that adopts orphans. What tells it from this program's own children, and
from those of a program around it: it was not started here, and bears the limit of memory that every descendant of a
confined child inherits and that none can raise.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import time
from collections.abc import Collection
from pathlib import Path

_ADDRESS_SPACE = re.compile(rb"^Max address space +[0-9a-z]+ +([0-9]+) ", re.MULTILINE)
#: A stray may start others until it is ended itself.
_SECONDS = 10.0


def end_strays(memory_bytes: int, ours: Collection[int]) -> int:
    """Ends the strays among this process's children, and theirs as they are orphaned.

    Args:
        memory_bytes: the most that the confined child could hold.
        ours: processes that this program started.

    Returns:
        How many were ended. 0 where this process is itself bounded so, and nothing tells strays apart.
    """
    _, own = resource.getrlimit(resource.RLIMIT_AS)
    if own != resource.RLIM_INFINITY and own <= memory_bytes:
        return 0
    ended: set[int] = set()
    deadline = time.monotonic() + _SECONDS
    while (strays := _strays(memory_bytes, ours)) and time.monotonic() < deadline:
        for process in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)
        ended |= strays
    return len(ended)


def _strays(memory_bytes: int, ours: Collection[int]) -> set[int]:
    return {
        process
        for process in _children()
        if process not in ours and (bound := _address_space_limit(process)) is not None and bound <= memory_bytes
    }


def _children() -> set[int]:
    """Every child of any thread of this process."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):
                found.update(map(int, (task / "children").read_text(encoding="ascii").split()))
    return found


def _address_space_limit(process: int) -> int | None:
    """The hard limit in bytes; None for no limit, or no such process."""
    try:
        found = _ADDRESS_SPACE.search(Path(f"/proc/{process}/limits").read_bytes())
    except OSError:
        return None
    return None if found is None else int(found[1])
