"""Runs the command line in a process of its own, forked from one with the libraries imported, with a fault in it."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import importlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.publication.layout import RECEIPT
from tests.pipeline.fakes import CONVERTER, INSPECTOR, VERIFIER

FAKES = ("--converter", CONVERTER, "--verifier", VERIFIER, "--inspector", INSPECTOR)
#: Columns of a report that two equal runs do not share.
OF_THE_RUN = ["seconds", "run_id", "finished_at", "receipt_sha256"]
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["pipeline.run.migrate", "pipeline.cli.app", "tests.pipeline.program", "tests.faults.programs"]
)


@dataclass(frozen=True)
class Kill:
    """Where a process, with its group, is killed by SIGKILL.

    Attributes:
        function: "module:name" as its caller looks it up, or "module:class.name".
        call: which call of it, from 1.
        after: once it has returned, else before it begins.
    """

    function: str
    call: int = 1
    after: bool = False

    def __str__(self) -> str:
        return f"{self.function.rpartition('.')[2]} {self.call} {'after' if self.after else 'before'}"

    def plant(self) -> None:
        """Puts the fault into this process."""
        calls = 0

        def around(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls != self.call:
                return function(*arguments, **options)
            if self.after:
                function(*arguments, **options)
            os.killpg(0, signal.SIGKILL)

        replace_function(self.function, around)


@dataclass(frozen=True)
class Refuse:
    """Where the operating system refuses: each call of a function from the `call`th on raises an OSError.

    Attributes:
        function: as in `Kill`.
        number: errno.
        call: the first that fails, from 1.
        calls: how many fail.
    """

    function: str
    number: int
    call: int = 1
    calls: int = 1 << 30

    def __str__(self) -> str:
        return f"{self.function.rpartition('.')[2]} {self.call} {os.strerror(self.number)}"

    def plant(self) -> None:
        """Puts the fault into this process."""
        made = 0

        def around(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            nonlocal made
            made += 1
            if self.call <= made < self.call + self.calls:
                raise OSError(self.number, os.strerror(self.number), str(arguments[0]) if arguments else None)
            return function(*arguments, **options)

        replace_function(self.function, around)


@dataclass(frozen=True)
class Send:
    """Where a signal comes to the program itself: as the first call of a function begins."""

    function: str
    number: int

    def plant(self) -> None:
        """Puts the fault into this process."""
        sent: list[int] = []

        def around(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            if not sent:
                sent.append(self.number)
                os.kill(os.getpid(), self.number)
            return function(*arguments, **options)

        replace_function(self.function, around)


@dataclass(frozen=True)
class Stall:
    """A function that takes so many seconds longer, as on a disk that hangs."""

    function: str
    seconds: float

    def plant(self) -> None:
        """Puts the fault into this process."""

        def around(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            time.sleep(self.seconds)
            return function(*arguments, **options)

        replace_function(self.function, around)


@dataclass(frozen=True)
class Meddle:
    """Somebody changes a source, as a function is called for its row (or candidate)."""

    function: str
    source: Path
    how: str

    def __str__(self) -> str:
        return f"{self.how} at {self.function.rpartition(':')[2]}"

    def plant(self) -> None:
        """Puts the fault into this process."""

        def around(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            if getattr(arguments[0], "row", arguments[0]).source == str(self.source):
                self._change()
            return function(*arguments, **options)

        replace_function(self.function, around)

    def _change(self) -> None:
        data = self.source.read_bytes()
        match self.how:
            case "truncate":
                os.truncate(self.source, len(data) // 2)
            case "append":
                self.source.write_bytes(data + b"more")
            case "overwrite":
                self.source.write_bytes(data[:-4] + b"\x01\x02\x03\x04")
            case "replace":
                other = self.source.with_name("other")
                other.write_bytes(data[:-4] + b"\x01\x02\x03\x04")
                other.replace(self.source)
            case "remove":
                self.source.unlink()
            case "fifo":
                self.source.unlink()
                os.mkfifo(self.source)
            case "loop":
                self.source.unlink()
                self.source.symlink_to(self.source)


Fault = Kill | Refuse | Send | Stall | Meddle


def replace_function(name: str, around: Callable[..., Any]) -> None:
    """Has every call of "module:name" in this process go through `around(function, *arguments)`."""
    module, _, path = name.partition(":")
    *outer, last = path.split(".")
    holder: Any = functools.reduce(getattr, outer, importlib.import_module(module))
    function = getattr(holder, last)

    @functools.wraps(function)
    def replaced(*arguments: Any, **options: Any) -> Any:
        return around(function, *arguments, **options)

    setattr(holder, last, replaced)


class Program:
    """`h5ferry ARGUMENTS` in a process group of its own; what it prints goes to a file in its scratch folder."""

    def __init__(self, scratch: Path, *arguments: object, fault: Fault | None = None, permitted: bool = True) -> None:
        scratch.mkdir(exist_ok=True)
        self._scratch = scratch
        self._log = scratch.with_name(f"{scratch.name}.log")
        words = [str(argument) for argument in arguments]
        self._process: BaseProcess = _processes.Process(
            target=_run, args=(words, str(scratch), str(self._log), fault, permitted)
        )
        self._process.start()

    def send(self, number: int, *, to_all: bool = False) -> None:
        """Sends a signal to the program alone, or to its group, as a terminal does."""
        assert self._process.pid is not None
        (os.killpg if to_all else os.kill)(self._process.pid, number)

    def ended(self, seconds: float = 60) -> int:
        """Its exit status, negative for a signal; in so many seconds."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            self.send(signal.SIGUSR1)  # It says where its threads are.
            time.sleep(1)
            os.killpg(self._process.pid, signal.SIGKILL)  # type: ignore[arg-type]
            raise AssertionError(f"still running after {seconds} s, having said: {self.printed}")
        return self._process.exitcode

    @property
    def running(self) -> bool:
        return self._process.exitcode is None

    @property
    def printed(self) -> str:
        """What it said on both streams."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def orphans(self, seconds: float = 5) -> list[int]:
        """Processes of its that still live so long after it."""
        deadline = time.monotonic() + seconds
        while (left := _processes_of(self._scratch)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


def _run(words: list[str], scratch: str, log: str, fault: Fault | None, permitted: bool) -> None:
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.environ["TMPDIR"] = scratch  # It marks the children, too.
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not permitted:
        give_up_privileges()
    if fault is not None:
        fault.plant()
    from tests.pipeline.program import main

    main(words)


def give_up_privileges() -> None:
    """Has the permissions of files hold for root too, in this thread and those it starts."""
    version_3, capabilities = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(version_3, capabilities) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities cannot be given up")


def run(scratch: Path, *arguments: object, fault: Fault | None = None, permitted: bool = True) -> int:
    """Runs the program to its end. Returns its exit status."""
    return Program(scratch, *arguments, fault=fault, permitted=permitted).ended()


def _processes_of(scratch: Path) -> list[int]:
    mark = b"TMPDIR=" + os.fsencode(scratch) + b"\0"
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes() and b"Z (zombie)" not in (entry / "status").read_bytes():
                    found.append(int(entry.name))
    return found


def published(output: Path) -> dict[str, bytes]:
    """Every entry of an output but the runs' records: path -> content, of folders b"".

    Hidden ones are leftovers, and count. A receipt is left without what says which run wrote it, and
    without its seal, the digest over that.
    """
    return {
        path.relative_to(output).as_posix(): _content(path)
        for path in sorted(output.rglob("*"))
        if path.relative_to(output).parts[0] != "_h5ferry"
    }


def _content(path: Path) -> bytes:
    if path.is_dir():
        return b""
    if path.as_posix().endswith(RECEIPT):
        receipt = json.loads(path.read_bytes())
        return json.dumps({key: receipt[key] for key in receipt if key not in ("run_id", "attempt", "seal")}).encode()
    return path.read_bytes()


def report_of(folder: Path) -> pd.DataFrame:
    """A report by model, without what tells one run from another."""
    frame = pd.read_parquet(folder / "report.parquet")
    return frame.drop(columns=OF_THE_RUN).set_index("model")


def outcomes(folder: Path) -> dict[str, str]:
    """Reason, or status where there is none, of each model of a report."""
    return {str(model): row.reason or row.status for model, row in report_of(folder).iterrows()}


def registry_of(folder: Path, models: Sequence[str], word: str = "lstm") -> Path:
    """A manifest with one fake source for each model, whose first word is the architecture."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["model,source"]
    for index, model in enumerate(models):
        (folder / f"{index}.h5").write_text(f"{word} {model}")
        lines.append(f"{model},{index}.h5")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest
