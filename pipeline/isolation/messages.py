"""The messages between a parent and its child: a closed list, encoded in MessagePack.

```
parent: Confinement            child: Ready
parent: Task                   child: Done, Refused or Failed
                               child: Ask, any number of times while a task runs
parent: Answered or Refused    child: …
```
A message carries values: plain ones (numbers, texts, bytes, paths, lists of them) or one of the frozen dataclasses of
`transforms`. The receiver states which types a value may have; each field of a record, and no other, must then be
present and of its declared type. No received value names code to run.
"""

from __future__ import annotations

import functools
import operator
from dataclasses import is_dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from pipeline.isolation.record_types import alternatives, decode_path, encode_path, is_record, wire_type
from transforms.errors import MigrationError, Reason


class MessageError(Exception):
    """The received bytes are not a message, or hold a value of another type."""


class Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """One message, encoded with its class name."""


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value, not yet decoded.

    Attributes:
        record: name of the dataclass, "" for a plain value.
        data: the value in MessagePack.
    """

    record: str
    data: msgspec.Raw


class Confinement(Message, frozen=True):
    """The limits that the child sets for itself before it imports anything large.

    Attributes:
        memory_bytes: address space, 0 for no limit.
        file_bytes: size of a file it may write, 0 for no limit.
        preload: modules to import before it reports `Ready`.
    """

    memory_bytes: int = 0
    file_bytes: int = 0
    preload: tuple[str, ...] = ()


class Task(Message, frozen=True):
    """One call.

    Attributes:
        function: "module:name" of the function.
        arguments: its positional arguments; the function's own annotations say their types.
        seconds: the wall clock that the parent allows.
        asks: whether the function takes, as its last argument, a function that asks the parent
            (`pipeline.isolation.worker.Questions.ask`).
    """

    function: str
    arguments: tuple[Value, ...]
    seconds: float
    asks: bool = False


class Answered(Message, frozen=True):
    """The parent's answer to the question of an `Ask`."""

    value: Value


class Ready(Message, frozen=True):
    """The child has set its limits and imported the modules to preload.

    Attributes:
        memory_bounded: whether the system enforces its memory limit; otherwise its parent must.
    """

    memory_bounded: bool


class Done(Message, frozen=True):
    """The function's result."""

    value: Value


class Ask(Message, frozen=True):
    """A question of the running function."""

    question: Value


class Refused(Message, frozen=True):
    """A MigrationError, field by field; the reason is sent as its code."""

    reason: Reason
    message: str
    layer: tuple[str, ...]
    advice: str
    detail: tuple[str, ...]

    @classmethod
    def of(cls, error: MigrationError) -> Refused:
        """The message for an error. File names that are not UTF-8 are escaped."""
        layer, detail = tuple(map(_encodable, error.layer)), tuple(map(_encodable, error.detail))
        return cls(error.reason, _encodable(error.message), layer, _encodable(error.advice), detail)

    def error(self) -> MigrationError:
        """The error, decoded."""
        return MigrationError(self.reason, self.message, layer=self.layer, advice=self.advice, detail=self.detail)


class Failure(StrEnum):
    """Kinds of unexpected failures of a function."""

    OUT_OF_MEMORY = "out_of_memory"
    FILE_ERROR = "file_error"
    UNEXPECTED = "unexpected"


class Failed(Message, frozen=True):
    """The function raised another exception, with this text."""

    failure: Failure
    text: str

    @classmethod
    def of(cls, failure: Failure, text: str) -> Failed:
        """The message; file names in the text that are not UTF-8 are escaped."""
        return cls(failure, _encodable(text))


FromParent: TypeAlias = Confinement | Task | Answered | Refused
FromChild: TypeAlias = Ready | Done | Ask | Refused | Failed

_encoder = msgspec.msgpack.Encoder(enc_hook=encode_path)
_from_parent: msgspec.msgpack.Decoder[FromParent] = msgspec.msgpack.Decoder(FromParent)
_from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)


def encode(message: Message) -> bytes:
    """Encodes a message."""
    return _encoder.encode(message)


def read_from_parent(frame: bytes | bytearray) -> FromParent:
    """Decodes a message in the child. Raises MessageError if it is not one of the parent's."""
    message: FromParent = _decoded(_from_parent, frame)
    return message


def read_from_child(frame: bytes | bytearray) -> FromChild:
    """Decodes a message in the parent. Raises MessageError if it is not one of a child's."""
    message: FromChild = _decoded(_from_child, frame)
    return message


def value_of(value: object) -> Value:
    """Encodes a value for sending.

    Raises:
        TypeError: it is neither a record nor plain.
        ValueError, OverflowError: a text that is not valid Unicode, or an integer of more than 64 bits.
    """
    return Value(type(value).__name__ if is_dataclass(value) else "", msgspec.Raw(_encoder.encode(value)))


def read_value(value: Value, hint: Any) -> Any:
    """Decodes a value, which must be of the type `hint`; several of a union's alternatives may be dataclasses.

    Raises:
        MessageError: it is of another type, lacks a field, or has an extra one or one of another type.
    """
    kinds = [each for each in alternatives(hint) if is_record(each) == bool(value.record)]
    if value.record:
        kinds = [each for each in kinds if each.__name__ == value.record]
    if not kinds:
        raise MessageError(f"it holds a {value.record or 'plain value'}")
    expected = functools.reduce(operator.or_, kinds)
    return msgspec.convert(_decoded(_value_decoder(expected), value.data), expected, from_attributes=True)


@functools.cache
def _value_decoder(hint: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(wire_type(hint), dec_hook=decode_path)


def _decoded(decoder: msgspec.msgpack.Decoder[Any], data: Any) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageError(f"it cannot be read: {error}") from error


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
