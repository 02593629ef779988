"""Writes checkpoints as TensorFlow's saver does, and as it never would."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from transforms.source.checkpoint.files import MAGIC
from transforms.source.checkpoint.messages import MESSAGES

FLOAT = 1


def masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def block(entries: list[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    """One block with its trailer; keys share what they have in common with the one before."""
    body, last = b"", b""
    for key, value in entries:
        shared = next((i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last)))
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    body += struct.pack("<II", 0, 1)
    return body + bytes([kind]) + struct.pack("<I", masked(body + bytes([kind])))


def table(entries: list[tuple[bytes, bytes]], kind: int = 0, per_block: int = 3) -> bytes:
    """A whole table of several data blocks."""
    data, handles = b"", []
    for start in range(0, len(entries), per_block):
        part = entries[start : start + per_block]
        written = block(part, kind)
        handles.append((part[-1][0], varint(len(data)) + varint(len(written) - 5)))
        data += written
    meta, index = block([]), block(handles)
    footer = varint(len(data)) + varint(len(meta) - 5) + varint(len(data) + len(meta)) + varint(len(index) - 5)
    return data + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def header(shards: int = 1, endianness: int = 0) -> bytes:
    made = MESSAGES["BundleHeader"](num_shards=shards, endianness=endianness)
    made.version.producer = 1
    return bytes(made.SerializeToString())


def entry(array: np.ndarray, offset: int, changes: Mapping[str, Any]) -> bytes:
    """The entry of a float32 array; `changes` are fields to set otherwise, `shape` among them."""
    fields = {"dtype": FLOAT, "offset": offset, "size": array.nbytes, "crc32c": masked(array.tobytes())} | changes
    shape, slices = fields.pop("shape", array.shape), fields.pop("slices", 0)
    made = MESSAGES["BundleEntry"](**fields)
    for extent in shape:
        made.shape.dim.add(size=extent)
    for _ in range(slices):
        made.slices.add()
    return bytes(made.SerializeToString())


def write_checkpoint(
    prefix: Path,
    arrays: Mapping[str, np.ndarray],
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    **options: int,
) -> Path:
    """Writes float32 arrays by name in one shard; `changes` to entries by name, `options` to table and header."""
    data, entries = b"", [(b"", header(options.get("shards", 1), options.get("endianness", 0)))]
    for name in sorted(arrays):
        array = np.asarray(arrays[name], "<f4")
        entries.append((name.encode(), entry(array, len(data), (changes or {}).get(name, {}))))
        data += array.tobytes()
    Path(f"{prefix}.index").write_bytes(table(entries, options.get("kind", 0)))
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    return prefix
