"""CPU and memory quotas of this process's control groups, cgroups versions 1 and 2.

The quotas of a container, a pod, a batch job or a systemd unit are there; the affinity mask and the machine's memory do
not show them. A group is bounded by each of its ancestors, as far up as they are mounted. Sources:
Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst of the Linux kernel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: In version 1, the largest multiple of a page in 63 bits means "no limit".
_NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class Quota:
    """A bound, and the file that states it."""

    amount: float
    file: str


def cpu_quota(root: Path = Path("/")) -> Quota | None:
    """The smallest CPU quota of any group, as a number of CPUs; None if there is none. `root` holds `proc` and
    `sys`.
    """
    return _least(root, "cpu", (_cpu_max, _cfs_quota))


def memory_quota(root: Path = Path("/")) -> Quota | None:
    """The smallest memory quota of any group, in bytes; None if there is none."""
    names = ("memory.max", "memory.high", "memory.limit_in_bytes")
    return _least(root, "memory", tuple(map(_bytes_in, names)))


def _least(root: Path, controller: str, readers: tuple[Callable[[Path], Quota | None], ...]) -> Quota | None:
    found = (read(folder) for folder in _groups(root, controller) for read in readers)
    return min((quota for quota in found if quota is not None), key=lambda quota: quota.amount, default=None)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's groups that may bound `controller`, with their ancestors."""
    memberships = [line.split(":", 2) for line in _lines(root / "proc/self/cgroup") if line]
    paths = {name: path for _, names, path in memberships for name in names.split(",")}
    for line in filter(None, _lines(root / "proc/self/mountinfo")):
        mount, _, source = line.partition(" - ")
        kind, _, options = (*source.split(" ", 2), "", "")[:3]
        name = "" if kind == "cgroup2" else controller
        if name not in paths or (kind != "cgroup2" and (kind != "cgroup" or controller not in options.split(","))):
            continue
        mounted, place = (_unescaped(field) for field in mount.split(" ")[3:5])
        below = PurePosixPath(paths[name])
        # A group outside the mounted tree is its root: the path is another namespace's name for it.
        inner = below.relative_to(mounted) if below.is_relative_to(mounted) else PurePosixPath()
        for each in (inner, *inner.parents):
            yield root / place.lstrip("/") / each


def _cpu_max(folder: Path) -> Quota | None:
    """Version 2: "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return _quotient(quota, period, folder / "cpu.max")


def _cfs_quota(folder: Path) -> Quota | None:
    """Version 1: a quota of -1 means none."""
    period = _text(folder / "cpu.cfs_period_us")
    return _quotient(_text(folder / "cpu.cfs_quota_us"), period, folder / "cpu.cfs_quota_us")


def _quotient(quota: str, period: str, file: Path) -> Quota | None:
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None
    return Quota(int(quota) / int(period), str(file))


def _bytes_in(name: str) -> Callable[[Path], Quota | None]:
    def read(folder: Path) -> Quota | None:
        text = _text(folder / name)
        return Quota(int(text), str(folder / name)) if text.isdecimal() and int(text) < _NO_LIMIT else None

    return read


def _text(path: Path) -> str:
    return next(iter(_lines(path)), "")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
