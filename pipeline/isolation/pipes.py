"""Frames between a parent and its child: a length (8 bytes, big-endian) and as many bytes, over two pipes.

The parent never waits beyond a deadline, because a child may stop reading as well as answering; and no buffer is
allocated for a length that was only announced.
"""

from __future__ import annotations

import io
import os
import select
import struct
import time
from collections.abc import Callable

from transforms.limits import GIB, MIB

_LENGTH = struct.Struct(">Q")
#: Batches of images and models' outputs are sent here.
_MOST_BYTES = 2 * GIB
_MOST_AT_ONCE = MIB
_WATCH_SECONDS = 0.25


class FrameError(Exception):
    """A frame exceeds the maximum length."""


def open_pipe(*, child_reads: bool) -> tuple[int, io.FileIO]:
    """Opens a pipe: the child's descriptor, and the parent's end, which never blocks."""
    reader, writer = os.pipe()
    child, parent = (reader, writer) if child_reads else (writer, reader)
    os.set_blocking(parent, False)
    return child, io.FileIO(parent, "w" if child_reads else "r")


def send_until(stream: io.FileIO, frame: bytes, deadline: float) -> None:
    """Sends a frame from the parent.

    Raises:
        TimeoutError: the child does not read it in time.
        BrokenPipeError: the child is gone.
    """
    view = memoryview(_LENGTH.pack(len(frame)) + frame)
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    while view:
        _wait(poll, deadline)
        view = view[stream.write(view) or 0 :]


def receive_until(stream: io.FileIO, deadline: float, watch: Callable[[], None] | None = None) -> bytearray:
    """Receives a frame in the parent; calls `watch` repeatedly while it waits.

    Raises:
        TimeoutError: none came in time.
        EOFError: the child is gone.
        FrameError: it is too long.
    """
    length = _checked_length(_read_until(stream, _LENGTH.size, deadline, watch))
    return _read_until(stream, length, deadline, watch)


def send(stream: io.FileIO, frame: bytes) -> None:
    """Sends a frame from the child. Raises BrokenPipeError when the parent is gone."""
    view = memoryview(_LENGTH.pack(len(frame)) + frame)
    while view:
        view = view[stream.write(view) :]


def receive(stream: io.FileIO) -> bytearray | None:
    """Receives a frame in the child; None if the parent closed the pipe. Raises FrameError if it is too long."""
    header = _read(stream, _LENGTH.size)
    return _read(stream, _checked_length(header)) if header else None


def _checked_length(header: bytearray) -> int:
    length = int(_LENGTH.unpack(header)[0])
    if length > _MOST_BYTES:
        raise FrameError(f"it has {length} bytes")
    return length


def _wait(poll: select.poll, deadline: float, watch: Callable[[], None] | None = None) -> None:
    while (left := deadline - time.monotonic()) > 0:
        if poll.poll(1000 * (left if watch is None else min(left, _WATCH_SECONDS))):
            return
        if watch is not None:
            watch()
    raise TimeoutError


def _read_until(stream: io.FileIO, count: int, deadline: float, watch: Callable[[], None] | None) -> bytearray:
    data = bytearray()
    poll = select.poll()
    poll.register(stream, select.POLLIN | select.POLLHUP)
    while len(data) < count:
        _wait(poll, deadline, watch)
        block = stream.read(min(count - len(data), _MOST_AT_ONCE))
        if not block:
            raise EOFError
        data += block
    return data


def _read(stream: io.FileIO, count: int) -> bytearray | None:
    data = bytearray()
    while len(data) < count:
        block = stream.read(min(count - len(data), _MOST_AT_ONCE))
        if not block:
            return None
        data += block
    return data
