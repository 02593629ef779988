"""The facts that `h5ferry doctor` reports, with their meaning. Changes nothing outside a scratch folder."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline import __version__
from pipeline.isolation.machine import address_space_of, this_machine, threads_of
from pipeline.storage.paths import is_remote
from transforms.errors import MigrationError
from transforms.limits import GIB
from transforms.platform.system_calls import address_space, exchange, folds_case, lock

LIBRARIES = ("tensorflow", "tf-keras", "apache-beam", "h5py", "numpy", "pandas", "pyarrow", "msgspec")
#: Sources of settings for other programs, which this one ignores.
_IGNORED = (
    "KERAS_HOME",
    "KERAS_BACKEND",
    "TF_USE_LEGACY_KERAS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_FUNCTION_JIT_COMPILE_DEFAULT",
    "NVIDIA_TF32_OVERRIDE",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "HDF5_PLUGIN_PATH",
)


class State(StrEnum):
    """What a fact means for a run."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Fact:
    """One line: what was examined, what the result means, and the result."""

    name: str
    state: State
    found: str


def examine(places: Sequence[str], *, run_model: bool = True) -> Iterator[Fact]:
    """Yields every fact as soon as it is determined.

    Args:
        places: folders, files or URLs that must be reachable.
        run_model: whether to migrate and verify a model, which starts TensorFlow.
    """
    yield from _program()
    yield from _machine()
    with tempfile.TemporaryDirectory(prefix="h5ferry-doctor-") as scratch:
        yield from _confinement(Path(scratch))
        yield from _settings()
        yield _gpu()
        yield from map(_reachable, places)
        if run_model:
            yield _own_model(Path(scratch))


def _program() -> Iterator[Fact]:
    yield Fact("h5ferry", State.GOOD, __version__)
    python = f"{platform.python_version()} ({sys.executable})"
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Fact("Python", State.GOOD if supported else State.BAD, python if supported else f"{python}: not supported")
    yield Fact("system", State.GOOD, platform.platform())
    for name in LIBRARIES:
        try:
            yield Fact(name, State.GOOD, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Fact(name, State.BAD, "is not installed")


def _machine() -> Iterator[Fact]:
    machine = this_machine()
    yield Fact("CPUs", State.GOOD, f"{machine.cpus} ({machine.cpus_from})")
    yield Fact("memory", State.GOOD, f"{machine.memory_bytes / GIB:.1f} GiB ({machine.memory_from})")
    shortage = machine.shortage(machine.cpus)
    yield Fact("workers", State.NOTE if shortage else State.GOOD, shortage or f"{machine.workers}")
    yield Fact("threads of a worker", State.GOOD, f"{threads_of(machine.workers)}")
    space = address_space_of(machine.workers)
    yield Fact("address space of a child", State.GOOD, f"{space / GIB:.1f} GiB")


def _confinement(scratch: Path) -> Iterator[Fact]:
    from pipeline.isolation.policy import Isolation
    from pipeline.isolation.process import ConfinedProcess

    child = ConfinedProcess(Isolation(timeout=60))
    try:
        child.call("os:getpid", returns=int)
        how = "bounded by the system" if child.memory_bounded else "watched by the parent process"
        yield Fact("memory of a child", State.GOOD if child.memory_bounded else State.NOTE, how)
    except MigrationError as error:
        yield Fact("child process", State.BAD, str(error))
    finally:
        child.close()
    bounded = address_space() is not None
    one_call = "bounded by the system" if bounded else "bounded by that of the process alone"
    yield Fact("memory of one call into HDF5", State.GOOD if bounded else State.NOTE, one_call)
    yield _replacement(scratch)
    descriptor = os.open(scratch, os.O_RDONLY)
    try:
        lock(descriptor)
        yield Fact("locks", State.GOOD, f"work in {tempfile.gettempdir()}")
    except OSError as error:
        yield Fact("locks", State.NOTE, f"{error.strerror}: nothing keeps two runs from one output")
    finally:
        os.close(descriptor)


def _replacement(scratch: Path) -> Fact:
    """Whether a published version can be replaced atomically."""
    for name in ("first", "second"):
        (scratch / name).mkdir()
    descriptor = os.open(scratch, os.O_RDONLY)
    try:
        swapped = exchange(descriptor, "first", descriptor, "second")
    finally:
        os.close(descriptor)
    return Fact(
        "replacement of a version",
        State.GOOD if swapped else State.NOTE,
        "in one step" if swapped else "by two renames: a reader may find no version for a moment",
    )


def _settings() -> Iterator[Fact]:
    ignored = [name for name in _IGNORED if name in os.environ]
    files = (Path(os.environ.get("KERAS_HOME", "~/.keras")) / "keras.json", Path("~/.keras/keras.json"))
    found = [*ignored, *{str(path): None for path in map(Path.expanduser, files) if path.is_file()}]
    yield Fact("settings", State.NOTE if found else State.GOOD, f"ignored: {', '.join(found)}" if found else "none")
    if os.environ.get("PYTHONPATH"):
        yield Fact("PYTHONPATH", State.NOTE, f"looked at last: {os.environ['PYTHONPATH']}")


def _gpu() -> Fact:
    if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None:
        return Fact("GPU", State.NOTE, "there is one; it is not used")
    return Fact("GPU", State.GOOD, "none; none is used")


def _reachable(place: str) -> Fact:
    if is_remote(place):
        from apache_beam.io.filesystems import FileSystems

        try:
            there = FileSystems.exists(place)
        except Exception as error:  # Beam's file systems raise types of their own.
            return Fact(place, State.BAD, f"cannot be reached: {error}")
        return Fact(place, State.GOOD, "is there" if there else "can be reached; nothing is there")
    path = Path(place)
    if not os.path.lexists(path):
        return Fact(place, State.BAD, "is not there")
    if not os.access(path, os.R_OK):
        return Fact(place, State.BAD, "cannot be read")
    writable = "can be written" if os.access(path, os.W_OK) else "cannot be written"
    folds = "; names that differ only in case are one file there" if folds_case(path.absolute()) else ""
    return Fact(place, State.GOOD, f"can be read; {writable}{folds}")


def _own_model(scratch: Path) -> Fact:
    """Migrates a model and compares it with outputs calculated by hand."""
    from pipeline.diagnosis.own_model import write_own_model
    from pipeline.manifest.row import checked_row
    from pipeline.run.one_model import migrate_row
    from pipeline.settings import migrate_settings
    from transforms.records.outcome import Evidence, Status

    try:
        model, samples = write_own_model(scratch)
        row = checked_row({"model": "own", "source": str(model), "samples": str(samples)}, str(scratch))
        result = migrate_row(row, migrate_settings(str(scratch / "models")))
    except (MigrationError, OSError) as error:
        return Fact("a model of its own", State.BAD, str(error))
    evidence = Evidence(result.outcome.evidence)
    if result.status != Status.MIGRATED or evidence is not Evidence.GOLDEN:
        reason = f" ({result.reason})" if result.reason else ""
        return Fact("a model of its own", State.BAD, f"{result.status}{reason}: {result.message}".rstrip(": "))
    seconds, worst = result.seconds, result.outcome.max_abs_error
    return Fact("a model of its own", State.GOOD, f"migrated and verified in {seconds:.1f} s, worst error {worst:.1e}")
