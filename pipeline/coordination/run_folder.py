"""The folder through which the launcher and the workers of one run communicate; workers may be other processes.

```
FOLDER/<process>-<thread>.jsonl   progress marks of one worker, appended
FOLDER/stop                       why the run ends early; each worker reads it before each row
FOLDER/launcher                   process id of the launcher, while it handles signals
FOLDER/shards/                    the report's rows
```
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

_STOP = "stop"
_LAUNCHER = "launcher"
_MARKS = ".jsonl"


class Stop(StrEnum):
    """Why a run ends early."""

    INTERRUPTED = "interrupted"
    OUTPUT_FULL = "output full"


@dataclass(frozen=True)
class ProgressMark:
    """One step of one model.

    Attributes:
        step: `inspect`, `convert` (that step begins), `ready` (inspected, to be converted) or `end`.
        line: the row's line in the manifest.
        name: model and version.
        status, reason, seconds: how it ended.
        worker: process and thread that wrote the mark.
    """

    step: str
    line: int
    name: str
    status: str = ""
    reason: str = ""
    seconds: float = 0.0
    worker: str = ""


@dataclass(frozen=True)
class RunFolder:
    """A local folder, or none: workers on other machines have none, and receive no request.

    Attributes:
        path: of the folder, "" for none.
    """

    path: str = ""

    def __bool__(self) -> bool:
        return bool(self.path)

    @property
    def shards(self) -> str:
        """Folder for the report's shards from local workers."""
        return f"{self.path}/shards"

    def mark(self, mark: ProgressMark) -> None:
        """Appends a mark to this thread's file. A missing folder is no error, since progress is optional."""
        if not self.path:
            return
        worker = f"{os.getpid()}-{threading.get_ident()}"
        line = json.dumps(asdict(replace(mark, worker=worker))) + "\n"
        with contextlib.suppress(OSError), Path(self.path, f"{worker}{_MARKS}").open("a", encoding="utf-8") as stream:
            stream.write(line)

    def mark_files(self) -> Iterator[Path]:
        """The files with marks, in a fixed order."""
        yield from sorted(Path(self.path).glob(f"*{_MARKS}"))

    def request_stop(self, why: Stop) -> None:
        """Asks all workers to start no further row. The first reason given is kept."""
        with contextlib.suppress(OSError), Path(self.path, _STOP).open("x", encoding="utf-8") as stream:
            stream.write(why.value)

    def stop_requested(self) -> Stop | None:
        """Why the run must end, None if it may continue."""
        if not self.path:
            return None
        try:
            return Stop(Path(self.path, _STOP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def enter_launcher(self) -> None:
        """Records that this process is the launcher, which handles the signals that stop a run."""
        Path(self.path, _LAUNCHER).write_text(str(os.getpid()), encoding="ascii")

    def launcher(self) -> int | None:
        """The launcher's process id; None without such a folder, or if no process handles signals."""
        if not self.path:
            return None
        try:
            return int(Path(self.path, _LAUNCHER).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None


NO_FOLDER = RunFolder()
