"""Stand-ins for the converter, the verifier and the inspector, resolved by name in the children.

What they do is in the model's name.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.settings import ChildFunctions
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.records.file_identity import FileIdentity
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Rewrite, SourceFacts, Status
from transforms.records.staged_model import (
    Answer,
    Answers,
    Feed,
    Oracle,
    Question,
    StagedModel,
    VerificationRequest,
    plain_arrays,
)

CONVERTER = VERIFIER = "tests.pipeline.fakes"
INSPECTOR = "tests.pipeline.fakes:inspect"
FAKE_CHILDREN = ChildFunctions(INSPECTOR, CONVERTER, VERIFIER, preload=())


def inspect(
    path: Path,
    architecture: Path | None,
    backend: str,
    limits: Limits,
    sha256: str,
    hashed: FileIdentity | None,
) -> object:
    """Reads the fake source, a text: its first word is the architecture, or says how the inspection goes."""
    from transforms.records.inspection import Inspection

    data = path.read_bytes()
    word = data.split()[0].decode(errors="replace")
    if word == "refuse":
        raise MigrationError(Reason.UNSAFE_LAMBDA, "It has a Lambda", layer=("a", "b"), advice="Rewrite it.")
    if word == "custom":
        raise MigrationError(Reason.CUSTOM_OBJECTS_NEEDED, "It has an Attention", layer=("a",), advice="Give it.")
    if word == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    return Inspection(
        source_sha256=hashlib.sha256(data).hexdigest(),
        source_bytes=len(data),
        keras_version="2.2.4",
        backend=backend or "tensorflow",
        family="keras",
        fingerprint=word,
        parameters=7,
        layers=(),
        rewrites=(),
        warnings=(),
        uncovered=(),
    )


def stage(request: MigrationRequest, limits: Limits) -> StagedModel | MigrationOutcome:
    """Misbehaves as the last part of the model's name says, or writes something like a SavedModel."""
    outcome = _converted(request)
    return StagedModel(outcome, (), (), ()) if outcome.status is Status.MIGRATED else outcome


def expected_outputs(question: Question) -> Answers:
    """Repeats the question."""
    return Answers(tuple(Answer(feed.inputs) for feed in question.feeds))


def finish() -> None:
    """Does nothing."""


def verify(asked: VerificationRequest, ask: Callable[..., Callable[[], Answers]]) -> MigrationOutcome:
    """Asks once, misbehaves as the last part of the model's name says, or agrees with the conversion."""
    request = asked.request
    question = Question(Oracle.REFERENCE, (Feed(plain_arrays([[1.0, 2.0]]), "a fake"),))
    if ask(question, Answers).result() != expected_outputs(question):
        raise ValueError("the question was lost")
    match request.model.rpartition("/")[2].partition("-")[0]:
        case "unverifiable":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "endless":
            time.sleep(600)
        case "altered":  # by a converter that goes on writing
            (request.staging / "variables/variables.index").write_bytes(b"other")
    write_extras(request.staging)
    return asked.staged.known


def _converted(request: MigrationRequest) -> MigrationOutcome:
    kind = request.model.rpartition("/")[2].partition("-")[0]
    data = request.source.read_bytes()
    outcome = MigrationOutcome(
        Status.MIGRATED,
        evidence=Evidence.GOLDEN if request.samples else Evidence.REFERENCE,
        max_abs_error=1e-7,
        max_rel_error=1e-6,
        samples=4,
        source=SourceFacts(hashlib.sha256(data).hexdigest(), len(data), "2.2.4", "tensorflow", 7),
        architecture=data.split()[0].decode(errors="replace"),
        rewrites=(Rewrite("lstm", "cudnn_lstm", "two biases added"),),
        warnings=("a warning",),
        tensorflow_version="2.21.0",
    )
    match kind:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "once":
            if not (marker := request.source.with_suffix(".seen")).exists():
                marker.touch()
                write_artefact(request.staging, b"half")
                time.sleep(600)
        case "greedy":
            raise MemoryError("no more")
        case "broken":
            raise ZeroDivisionError("a mistake")
        case "mismatch":
            return MigrationOutcome(Status.MISMATCH, message="Outputs differ by 1", max_abs_error=1.0)
        case "refuse":
            return MigrationOutcome(Status.REFUSED, reason=Reason.UNSUPPORTED_LAYER, message="No such layer.")
        case "empty":
            return outcome
        case "code":
            if not request.allow_custom_code or request.custom_objects is None:
                raise ValueError("no custom code came through")
        case "fickle":
            data += os.urandom(8)
        case "link":
            (request.staging / "assets").symlink_to("/etc")
    write_artefact(request.staging, data)
    return outcome


def write_artefact(folder: Path, data: bytes) -> None:
    """A folder with the files that every SavedModel has."""
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables/variables.index").write_bytes(b"index")
    (folder / "variables/variables.data-00000-of-00001").write_bytes(data)


def write_extras(folder: Path) -> None:
    """What verification adds to an artefact."""
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra/samples.npz").write_bytes(b"samples")


def kinds_of(paths: list[Path]) -> list[str]:
    """Dies of the file `kill`, as HDF5 may; all others are models."""
    if any(path.name == "kill" for path in paths):
        os.kill(os.getpid(), signal.SIGSEGV)
    return ["model"] * len(paths)
