"""Follows the progress marks of an active run.

FnApiRunner blocks while it runs, so the launcher reads the marks in a thread of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from pipeline.coordination.run_folder import ProgressMark, RunFolder


class MarkFollower:
    """Calls `notice` with each new mark, from a thread, for as long as the context lasts."""

    def __init__(self, folder: RunFolder, notice: Callable[[ProgressMark], None], interval: float = 0.2) -> None:
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
        for path in self._folder.mark_files():
            with path.open("rb") as stream:
                stream.seek(self._read.get(path, 0))
                data = stream.read()
            whole = data.rpartition(b"\n")[0]
            if whole:
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
                for line in whole.split(b"\n"):
                    self._notice(ProgressMark(**json.loads(line)))
