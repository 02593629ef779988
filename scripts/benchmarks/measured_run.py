"""Runs a command and watches its processes: wall clock, progress, memory, CPU and what they read and wrote."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from benchmarks.model_files import ROOT

PROGRAM = (sys.executable, "-m", "pipeline")
_INTERVAL = 0.25
_ENDED = re.compile(r"\[(\d+)/\d+\] (\w+)")


@dataclass
class WatchedProcess:
    """One process of the tree, as last seen.

    Attributes:
        role: `parent`, `tensorflow` (a child that has TensorFlow loaded) or `child`.
        peak_bytes: the kernel's own high-water mark of resident memory.
        cpu_seconds: user and system.
        read_calls_bytes, write_calls_bytes: through system calls (/proc/PID/io rchar, wchar), pipes included.
        disk_read_bytes: what had to come from the disk (read_bytes).
    """

    role: str = "child"
    peak_bytes: int = 0
    cpu_seconds: float = 0.0
    read_calls_bytes: int = 0
    write_calls_bytes: int = 0
    disk_read_bytes: int = 0


@dataclass(frozen=True)
class MemorySample:
    """Resident memory of the tree at one moment: seconds since the start, models ended, bytes by process id."""

    seconds: float
    ended: int
    resident: dict[int, int]

    @property
    def total(self) -> int:
        """Bytes of all processes."""
        return sum(self.resident.values())


@dataclass
class MeasuredRun:
    """Measurements of a command.

    Attributes:
        seconds: wall clock of the command, start-up included.
        ends: seconds since the start at which each model ended.
        samples: memory over time.
        processes: by process id.
    """

    seconds: float = 0.0
    ends: list[float] = field(default_factory=list)
    samples: list[MemorySample] = field(default_factory=list)
    processes: dict[int, WatchedProcess] = field(default_factory=dict)

    @property
    def cpu_seconds(self) -> float:
        """Of all processes."""
        return sum(process.cpu_seconds for process in self.processes.values())

    @property
    def peak_bytes(self) -> int:
        """The most that all processes together were seen to have resident; pages that they share count for each."""
        return max((sample.total for sample in self.samples), default=0)

    def children_with_tensorflow(self) -> list[WatchedProcess]:
        """The converting and verifying children; a converting one writes more than a verifying one."""
        found = [process for process in self.processes.values() if process.role == "tensorflow"]
        return sorted(found, key=lambda process: process.write_calls_bytes, reverse=True)


def run_measured(command: Sequence[str], expected: Sequence[int] = (0,), watched: bool = True) -> MeasuredRun:
    """Runs a command of h5ferry to its end.

    Raises:
        RuntimeError: it ended with another exit status than those expected; with the end of what it said.
    """
    run, said = MeasuredRun(), list[str]()
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    ended = threading.Event()
    assert process.stderr is not None
    threads = [threading.Thread(target=_follow, args=(process.stderr, run, said, start))]
    if watched:
        threads.append(threading.Thread(target=_watch, args=(process.pid, run, start, ended)))
    for thread in threads:
        thread.start()
    status = process.wait()
    run.seconds = time.perf_counter() - start
    ended.set()
    for thread in threads:
        thread.join()
    if status not in expected:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {status}:\n{''.join(said[-20:])}")
    return run


def migrate(
    manifest: Path, output: Path, *options: str, expected: Sequence[int] = (0,), cores: int | None = None
) -> MeasuredRun:
    """A run of `h5ferry migrate`, measured; held to so many cores, with all its processes."""
    held = () if cores is None else ("taskset", "--cpu-list", _first_cores(cores))
    return run_measured((*held, *PROGRAM, "migrate", str(manifest), "--output", str(output), *options), expected)


def _first_cores(count: int) -> str:
    return ",".join(map(str, sorted(os.sched_getaffinity(0))[:count]))


def environment() -> dict[str, str]:
    """This checkout's own code, whatever is installed."""
    return os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def _follow(stream: IO[str], run: MeasuredRun, said: list[str], start: float) -> None:
    for line in stream:
        said.append(line)
        if _ENDED.match(line):
            run.ends.append(time.perf_counter() - start)


def _watch(parent: int, run: MeasuredRun, start: float, ended: threading.Event) -> None:
    while not ended.wait(_INTERVAL):
        resident = {}
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(parent)
            for process in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.Error, OSError):
                    seen = run.processes.setdefault(process.pid, WatchedProcess())
                    resident[process.pid] = _look(process, seen, is_parent=process.pid == parent)
        if resident:
            _take_off_the_reaped(run, parent, resident)
            run.samples.append(MemorySample(time.perf_counter() - start, len(run.ends), resident))


def _take_off_the_reaped(run: MeasuredRun, parent: int, alive: Mapping[int, int]) -> None:
    """Linux adds what a child had read and written to its parent's counts once the parent has waited for its end."""
    own = run.processes[parent]
    for pid, seen in run.processes.items():
        if pid not in alive:
            own.read_calls_bytes -= seen.read_calls_bytes
            own.write_calls_bytes -= seen.write_calls_bytes
            own.disk_read_bytes -= seen.disk_read_bytes


def _look(process: psutil.Process, seen: WatchedProcess, is_parent: bool) -> int:
    """Updates the measurements of a process. Returns its resident bytes."""
    with process.oneshot():
        resident: int = process.memory_info().rss
        times, counts = process.cpu_times(), process.io_counters()
    seen.cpu_seconds = times.user + times.system
    seen.read_calls_bytes, seen.write_calls_bytes = counts.read_chars, counts.write_chars
    seen.disk_read_bytes = counts.read_bytes
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    high_water = re.search(r"VmHWM:\s+(\d+) kB", status)
    seen.peak_bytes = max(seen.peak_bytes, int(high_water[1]) * 1024 if high_water else resident)
    if is_parent:
        seen.role = "parent"
    elif seen.role == "child" and "tensorflow" in Path(f"/proc/{process.pid}/maps").read_text("utf-8", "replace"):
        seen.role = "tensorflow"
    return resident
