"""Messages between a parent and its child: a length (8 bytes, big-endian) and a pickle, over pipes.

The parent never waits beyond a deadline, for a child may stop reading as well as answering, and unpickles through an
allowlist, for a child has read hostile files. The child trusts its parent.
"""

from __future__ import annotations

import io
import os
import pickle
import select
import struct
import time
from typing import Any

from transforms.limits import GIB

_LENGTH = struct.Struct(">Q")
#: Batches of images, and what models make of them, cross here.
_MOST_BYTES = 2 * GIB
_PLAIN_RECORDS = frozenset(
    {
        "pathlib",
        "transforms.errors",
        "transforms.records.input_domain",
        "transforms.records.inspection",
        "transforms.records.outcome",
        "transforms.records.runtime",
        "transforms.records.staged_model",
    }
)


def open_pipe(*, child_reads: bool) -> tuple[int, io.FileIO]:
    """A pipe: the child's descriptor, and the parent's end, which never blocks."""
    reader, writer = os.pipe()
    child, parent = (reader, writer) if child_reads else (writer, reader)
    os.set_blocking(parent, False)
    return child, io.FileIO(parent, "w" if child_reads else "r")


def send_until(stream: io.FileIO, message: object, deadline: float) -> None:
    """Sends a message from the parent.

    Raises:
        TimeoutError: the child does not read it in time.
        BrokenPipeError: the child is gone.
    """
    view = memoryview(_framed(message))
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    while view:
        _wait(poll, deadline)
        view = view[stream.write(view) or 0 :]


def receive_until(stream: io.FileIO, deadline: float) -> Any:
    """Receives a message in the parent.

    Raises:
        TimeoutError: none came in time.
        EOFError: the child is gone.
        pickle.UnpicklingError: it holds what is no plain record, cannot be read, or is too large.
    """
    length = _LENGTH.unpack(_read_until(stream, _LENGTH.size, deadline))[0]
    if length > _MOST_BYTES:
        raise pickle.UnpicklingError(f"it has {length} bytes")
    frame = io.BytesIO(_read_until(stream, length, deadline))
    try:
        return _PlainUnpickler(frame).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # Damaged pickles raise whatever the step that they break raises.
        raise pickle.UnpicklingError(f"it cannot be read ({type(error).__name__})") from error


def send(stream: io.FileIO, message: object) -> None:
    """Sends a message from the child. Raises BrokenPipeError when the parent is gone."""
    view = memoryview(_framed(message))
    while view:
        view = view[stream.write(view) :]


def receive(stream: io.FileIO) -> Any:
    """Receives a message in the child; None when the parent has hung up."""
    header = _read(stream, _LENGTH.size)
    return pickle.loads(_read(stream, _LENGTH.unpack(header)[0])) if header else None


class _PlainUnpickler(pickle.Unpickler):
    """Refuses everything but the records of `transforms`."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if module in _PLAIN_RECORDS and "." not in name else None
        if isinstance(found, type) or (module, name) == ("transforms.errors", "_restore"):
            return found
        raise pickle.UnpicklingError(f"it holds a {module}.{name}")


def _framed(message: object) -> bytes:
    frame = pickle.dumps(message)
    return _LENGTH.pack(len(frame)) + frame


def _wait(poll: select.poll, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


def _read_until(stream: io.FileIO, count: int, deadline: float) -> bytes:
    data = bytearray()
    poll = select.poll()
    poll.register(stream, select.POLLIN | select.POLLHUP)
    while len(data) < count:
        _wait(poll, deadline)
        block = stream.read(count - len(data))
        if not block:
            raise EOFError
        data += block
    return bytes(data)


def _read(stream: io.FileIO, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        block = stream.read(count - len(data))
        if not block:
            return b""
        data += block
    return bytes(data)
