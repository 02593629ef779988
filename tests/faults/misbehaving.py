"""Stand-ins for all three children that misbehave in the role and the way that a model's name says: "convert.exit-1".

The source's second word is the model's name, for the reading child is not told it. Names without a dot behave.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tests.pipeline import fakes
from transforms.inspection.inspect import Inspection
from transforms.limits import Limits
from transforms.records.file_identity import FileIdentity
from transforms.records.outcome import MigrationOutcome, MigrationRequest
from transforms.records.staged_model import Answers, Question, StagedModel, VerificationRequest

CHILDREN = "tests.faults.misbehaving"
_GIB = 1 << 30


def _segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _exit() -> None:
    os._exit(0)


def _leave() -> None:
    sys.exit(0)


def _hang() -> None:
    time.sleep(600)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _leak() -> None:
    held = []
    while True:
        held.append(bytearray(64 << 20))


def _close() -> None:
    os.close(_answers())
    time.sleep(600)


def _huge() -> None:
    os.write(_answers(), struct.pack(">Q", 1 << 60))
    time.sleep(600)


def _promise() -> None:
    """A frame that says it has a gigabyte, and stays away."""
    os.write(_answers(), struct.pack(">Q", _GIB) + b"x")
    time.sleep(600)


def _garbage() -> None:
    _send(b"\x80\x04\x8c\x04\xff\xff\xff\xff\x94.")


def _opened() -> None:
    fields = {"type": "Refused", "reason": 7, "message": ["no", "text"], "layer": [None], "advice": "", "detail": []}
    _send(msgspec.msgpack.encode(fields))


def _send(frame: bytes) -> None:
    os.write(_answers(), struct.pack(">Q", len(frame)) + frame)
    time.sleep(600)


def _answers() -> int:
    return int(sys.argv[2])


def _wait_the_first_time(role: str) -> None:
    seen = Path(os.environ["TMPDIR"], f"{role}.seen")
    if not seen.exists():
        seen.touch()
        time.sleep(600)


#: Ways that are the same in each role.
WAYS: dict[str, Callable[[], None]] = {
    "segfault": _segfault,
    "killed": _killed,
    "exit": _exit,
    "leave": _leave,
    "hang": _hang,
    "stop": _stop,
    "leak": _leak,
    "close": _close,
    "huge": _huge,
    "promise": _promise,
    "garbage": _garbage,
    "opened": _opened,
}


def _misbehave(role: str, model: str) -> str:
    """Does what the name says; or returns what is left for the role to do."""
    found, _, way = model.rpartition("/")[2].partition("-")[0].partition(".")
    if found != role:
        return ""
    if way == "once":
        _wait_the_first_time(role)
    elif way in WAYS:
        WAYS[way]()
    return way


def inspect(
    path: Path,
    architecture: Path | None,
    backend: str,
    limits: Limits,
    sha256: str,
    hashed: FileIdentity | None,
) -> object:
    way = _misbehave("read", path.read_text().split()[1])
    told: Any = fakes.inspect(path, architecture, backend, limits, sha256, hashed)
    assert isinstance(told, Inspection)
    return {
        "nothing": None,
        "other": MigrationOutcome,
        "words": replace(told, source_bytes="many"),  # type: ignore[arg-type]
        "surrogate": replace(told, fingerprint="\ud800"),
        "number": replace(told, fingerprint=7),  # type: ignore[arg-type]
        "endless": replace(told, parameters=1 << 80),
    }.get(way, told)


def stage(request: MigrationRequest, limits: Limits) -> object:
    way = _misbehave("convert", request.model)
    told = fakes.stage(request, limits)
    assert isinstance(told, StagedModel) and told.known.source is not None
    folder = request.staging
    match way:
        case "nothing":
            return None
        case "claims":
            for path in (*folder.glob("variables/*"), folder / "saved_model.pb"):
                path.unlink()
        case "link":
            (folder / "variables/extra").symlink_to("/etc/hostname")
        case "folder":
            (folder / "assets").symlink_to("/etc")
        case "fifo":
            os.mkfifo(folder / "pipe")
        case "receipt":
            (folder / "assets.extra").symlink_to("/tmp")
        case "digest":
            return replace(told, known=replace(told.known, source=replace(told.known.source, source_sha256="0" * 64)))
        case "words":
            return replace(told, known=replace(told.known, warnings=(7,)))  # type: ignore[arg-type]
        case "surrogate":
            return replace(told, known=replace(told.known, source=replace(told.known.source, keras_version="\udfff")))
        case "endless":
            return replace(told, known=replace(told.known, source=replace(told.known.source, parameters=1 << 80)))
        case "error":
            return replace(told, known=replace(told.known, max_abs_error="none"))  # type: ignore[arg-type]
    return told


def expected_outputs(question: Question) -> Answers:
    return fakes.expected_outputs(question)


def finish() -> None:
    fakes.finish()


def verify(asked: VerificationRequest, ask: Callable[..., Callable[[], Answers]]) -> object:
    way = _misbehave("verify", asked.request.model)
    folder = asked.request.staging
    match way:
        case "asks":
            ask("anything").result()
        case "nothing":
            return None
        case "changes":
            (folder / "saved_model.pb").write_bytes(b"other")
        case "removes":
            (folder / "saved_model.pb").unlink()
        case "replaces":
            (folder / "saved_model.pb").unlink()
            (folder / "saved_model.pb").write_bytes(b"graph")
        case "link":
            (folder / "late").symlink_to("/etc")
        case "fifo":
            os.mkfifo(folder / "late")
        case "reason":
            return replace(asked.staged.known, reason="luck")  # type: ignore[arg-type]
    return fakes.verify(asked, ask)


def stop_soon(pid: int) -> None:
    """Stops its process once the answer is out."""
    threading.Timer(0.2, os.kill, (pid, signal.SIGSTOP)).start()
