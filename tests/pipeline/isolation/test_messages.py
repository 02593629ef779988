"""What crosses between parent and child: records of declared types, whole, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.isolation.messages import (
    Answered,
    Ask,
    Confinement,
    Done,
    Failed,
    Failure,
    MessageError,
    Ready,
    Refused,
    Task,
    Value,
    encode,
    read_from_child,
    read_from_parent,
    read_value,
    value_of,
)
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS
from transforms.records.file_identity import FileIdentity
from transforms.records.input_domain import InputDomain
from transforms.records.inspection import Inspection, LayerSummary
from transforms.records.outcome import MigrationOutcome, MigrationRequest, Rewrite, SourceFacts, Status
from transforms.records.runtime import Family
from transforms.records.staged_model import (
    Answer,
    Answers,
    Feed,
    Oracle,
    PlainArray,
    Question,
    StagedModel,
    VerificationRequest,
    numpy_arrays,
    plain_arrays,
)

OUTCOME = MigrationOutcome(
    Status.MIGRATED,
    reason=Reason.TIMEOUT,
    rewrites=(Rewrite("a", "b"),),
    warnings=("c",),
    max_abs_error=0.5,
    source=SourceFacts("a" * 64, 7, "2.2.4", "theano", 3),
)
OUTCOME = replace(OUTCOME, max_rel_error=0.0, tolerance_used=0.0, reference_max_abs_error=0.0)  # nan is not itself
INSPECTION = Inspection("", 1, "", "", Family.KERAS, "", 2, (LayerSummary("", "", 0, (None, 3)),), (), (), ())
ARRAY = PlainArray("float32", (1,), b"abcd")
REQUEST = MigrationRequest("m", Path("/a\udcff"), Path("/b"), samples=Path("/c"), hashed=FileIdentity(1, 2, 3, 4, 5))
STAGED = StagedModel(OUTCOME, (InputDomain(3, 0.0), InputDomain()), ("x",), ("y",))
RECORDS = [
    OUTCOME,
    INSPECTION,
    ARRAY,
    STAGED,
    Question(Oracle.REFERENCE, (Feed((ARRAY,), ""),)),
    Answers((Answer(None, "why"), Answer((ARRAY,)))),
    REQUEST,
    VerificationRequest(REQUEST, STAGED, in_full=True),
    DEFAULT_LIMITS,
]
OF_ANOTHER_TYPE = [
    replace(OUTCOME, source=SourceFacts(parameters="many")),
    replace(OUTCOME, source=SourceFacts(parameters=True)),
    replace(OUTCOME, source={}),
    replace(OUTCOME, max_abs_error=None),
    replace(OUTCOME, warnings=("a", 7)),
    replace(OUTCOME, rewrites=(Rewrite("a", 7),)),
    replace(OUTCOME, rewrites=("text",)),
    replace(OUTCOME, status="done"),
    replace(OUTCOME, reason="bad_luck"),
    replace(INSPECTION, fingerprint=None),
    replace(INSPECTION, layers=(OUTCOME,)),
    StagedModel(None, (), (), ()),
    StagedModel(OUTCOME, (InputDomain("3"),), (), ()),
    Answers((Answer(("text",)),)),
    Answers((ARRAY,)),
    replace(REQUEST, samples="/c"),
]


def kind_of(record: object) -> str:
    return type(record).__name__


def travelled(value: object, hint: Any) -> Any:
    """What arrives of a value that the child answers with."""
    message = read_from_child(encode(Done(value_of(value))))
    assert isinstance(message, Done)
    return read_value(message.value, hint)


@pytest.mark.parametrize("record", RECORDS, ids=kind_of)
def test_a_record_arrives_whole(record: object) -> None:
    assert travelled(record, type(record)) == record
    assert travelled(record, MigrationError | type(record) | InputDomain) == record


@pytest.mark.parametrize("record", OF_ANOTHER_TYPE, ids=kind_of)
def test_a_field_of_another_type(record: object) -> None:
    with pytest.raises(MessageError):
        travelled(record, type(record))


def altered(record: object, change: Mapping[str, object], without: str = "") -> Value:
    fields = {**msgspec.msgpack.decode(msgspec.msgpack.encode(record)), **change}
    fields.pop(without, None)
    return Value(type(record).__name__, msgspec.Raw(msgspec.msgpack.encode(fields)))


@pytest.mark.parametrize(
    "value, says",
    [
        (altered(OUTCOME, {"extra": 1}), "unknown field `extra`"),
        (altered(STAGED, {"known": {**msgspec.to_builtins(OUTCOME), "extra": 1}}), "unknown field `extra`"),
        (altered(OUTCOME, {}, without="message"), "missing required field `message`"),
        (Value("Path", msgspec.Raw(b"\xc0")), "holds a Path"),
        (Value("", msgspec.Raw(b"\xc0")), "holds a plain value"),
        (Value("MigrationOutcome", msgspec.Raw(b"\xc1")), "cannot be read"),
        (Value("MigrationOutcome", msgspec.Raw(b"\x91" * 5000 + b"\xc0")), "cannot be read"),
        (value_of(INSPECTION), "holds a Inspection"),
    ],
    ids=["unknown field", "unknown inner field", "missing field", "class", "plain", "broken", "deep", "other record"],
)
def test_refused_as_an_outcome_or_a_staged_model(value: Value, says: str) -> None:
    with pytest.raises(MessageError, match=says):
        read_value(value, MigrationOutcome | StagedModel)


@pytest.mark.parametrize(
    "value, hint",
    [
        (7, int),
        (None, Path | None),
        (Path("/a\udcff b"), Path | None),
        ([Path("/a"), Path("b")], list[Path]),
        (("problem", 0.5), tuple[str, float]),
        ({"a": "b"}, dict[str, str]),
        ([1, "a", None, 2.5, b"x"], Any),
    ],
    ids=str,
)
def test_plain_values(value: object, hint: Any) -> None:
    assert travelled(value, hint) == value


@pytest.mark.parametrize("value, hint", [("a", int), (["a", 1], list[str]), ("/a", Path), (2**63, Path), (1, str)])
def test_plain_values_of_another_type(value: object, hint: Any) -> None:
    with pytest.raises(MessageError):
        travelled(value, hint)


@pytest.mark.parametrize("value", [object(), 1 << 80, "\ud800", int, replace(OUTCOME, message="\udcff")])
def test_what_is_never_sent(value: object) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        value_of(value)


MESSAGES = [
    (read_from_parent, Confinement(1, 2, ("a",))),
    (read_from_parent, Task("a:b", (value_of(7),), 1.5, asks=True)),
    (read_from_parent, Answered(value_of("a"))),
    (read_from_parent, Refused.of(MigrationError(Reason.TIMEOUT, "m"))),
    (read_from_child, Ready(memory_bounded=True)),
    (read_from_child, Ask(value_of(None))),
    (read_from_child, Failed(Failure.UNEXPECTED, "why")),
]


@pytest.mark.parametrize("read, message", MESSAGES, ids=kind_of)
def test_messages(read: Any, message: Any) -> None:
    assert encode(read(encode(message))) == encode(message)


@pytest.mark.parametrize("message", [Confinement(), Task("a:b", (), 1.0), Answered(value_of(1))], ids=kind_of)
def test_a_child_gives_no_orders(message: Any) -> None:
    with pytest.raises(MessageError):
        read_from_child(encode(message))


def test_a_refusal_arrives_whole_and_its_file_names_readable() -> None:
    error = MigrationError(Reason.UNSAFE_OP, "No \udcff", layer=("a", "b"), advice="Stop.", detail=("1", "2"))
    refused = read_from_child(encode(Refused.of(error)))
    assert isinstance(refused, Refused)
    told = refused.error()
    assert (told.reason, told.message, told.layer, told.advice, told.detail) == (
        Reason.UNSAFE_OP,
        "No \\udcff",
        ("a", "b"),
        "Stop.",
        ("1", "2"),
    )


@pytest.mark.parametrize("change", [{"reason": 7}, {"reason": "bad_luck"}, {"layer": [None]}, {"code": "import os"}])
def test_a_refusal_of_other_fields(change: dict[str, object]) -> None:
    fields = {"type": "Refused", "reason": "timeout", "message": "", "layer": [], "advice": "", "detail": []}
    assert isinstance(read_from_child(msgspec.msgpack.encode(fields)), Refused)
    with pytest.raises(MessageError):
        read_from_child(msgspec.msgpack.encode(fields | change))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_message_error(data: bytes) -> None:
    for frame in (data, encode(Done(Value("Answers", msgspec.Raw(data or b"\xc0"))))):
        try:
            message = read_from_child(frame)
            if isinstance(message, Done):
                read_value(message.value, Answers)
        except MessageError:
            pass


@given(st.data())
def test_a_changed_byte_is_a_message_or_a_message_error(data: st.DataObject) -> None:
    frame = bytearray(encode(Done(value_of(STAGED))))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = read_from_child(frame)
        if isinstance(message, Done):
            assert isinstance(read_value(message.value, StagedModel | MigrationOutcome), StagedModel | MigrationOutcome)
    except MessageError:
        pass


def test_arrays_keep_dtype_shape_and_values() -> None:
    arrays = [np.arange(6, dtype=">f8").reshape(2, 3), np.zeros((0, 4), "float16"), np.array(True), np.array([1 + 2j])]
    answers = Answers((Answer(plain_arrays(arrays)),))
    found = travelled(answers, Answers).answers[0].outputs
    for array, same in zip(arrays, numpy_arrays(found), strict=True):
        assert same.shape == array.shape and same.dtype == array.dtype.newbyteorder("=") and (same == array).all()


@pytest.mark.parametrize("dtype", ["object", "O", "no type", "float32, object"])
def test_arrays_of_no_numbers_are_not_made(dtype: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        numpy_arrays([PlainArray(dtype, (1,), bytes(16))])
