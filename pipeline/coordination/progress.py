"""Progress marks: workers append lines to files in one folder, and the launching process follows them.

FnApiRunner blocks while it runs and its workers may be other processes, so a folder is what both can see.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class ProgressMark:
    """One step of one model.

    Attributes:
        step: `inspect`, `convert` (that step begins), `ready` (inspected, to be converted) or `end`.
        line: the row's line in the manifest.
        name: model and version.
        status, reason, seconds: how it ended.
        worker: process and thread that left the mark.
    """

    step: str
    line: int
    name: str
    status: str = ""
    reason: str = ""
    seconds: float = 0.0
    worker: str = ""


def write_mark(folder: str, mark: ProgressMark) -> None:
    """Appends a mark to this thread's file; progress is a courtesy, so a folder that is gone is no error."""
    if not folder:
        return
    worker = f"{os.getpid()}-{threading.get_ident()}"
    line = json.dumps(asdict(replace(mark, worker=worker))) + "\n"
    try:
        with open(os.path.join(folder, f"{worker}.jsonl"), "a", encoding="utf-8") as stream:
            stream.write(line)
    except OSError:
        return


class MarkFollower:
    """Calls `notice` with each new mark, from a thread, for as long as the context lasts."""

    def __init__(self, folder: Path, notice: Callable[[ProgressMark], None], interval: float = 0.2) -> None:
        self._folder = folder
        self._notice = notice
        self._interval = interval
        self._read: dict[Path, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> MarkFollower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._look()

    def _follow(self) -> None:
        while not self._stopped.wait(self._interval):
            self._look()

    def _look(self) -> None:
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as stream:
                stream.seek(self._read.get(path, 0))
                data = stream.read()
            whole = data.rpartition(b"\n")[0]
            if whole:
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
                for line in whole.split(b"\n"):
                    self._notice(ProgressMark(**json.loads(line)))
