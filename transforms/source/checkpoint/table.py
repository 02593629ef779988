"""The sorted table of an `.index` file: keys and values in checksummed blocks.

The format is that of tensorflow/core/lib/io/table_format.txt:

```
[data block] ... [meta index block] [index block] [footer: handle, handle, padding to 40 bytes, magic of 8]
block   = entries, restart offsets (4 bytes each), their number (4 bytes);  then type (1 byte), crc32c (4 bytes)
entry   = shared key bytes, other key bytes, value bytes (varints);  rest of the key;  value
handle  = offset, size (varints)
```
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import google_crc32c

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits, over_budget
from transforms.source.checkpoint.files import MAGIC

FOOTER_BYTES = 48
_TRAILER_BYTES = 5
_MASK_DELTA = 0xA282EAD8


def read_table(data: bytes, limits: Limits) -> dict[bytes, bytes]:
    """Every key of a table with its value, in order.

    Args:
        data: the whole file.
        limits: the budget.

    Raises:
        MigrationError: `corrupt_checkpoint`, `over_budget`, `unsafe_storage` for compressed blocks.
    """
    if len(data) < FOOTER_BYTES or struct.unpack_from("<Q", data, len(data) - 8)[0] != MAGIC:
        raise damaged("it does not end as an index does")
    position = len(data) - FOOTER_BYTES
    _, position = _handle(data, position)
    index, _ = _handle(data, position)
    found: dict[bytes, bytes] = {}
    last: bytes | None = None
    for _, value in _entries(_block(data, *index)):
        handle, _ = _handle(value, 0)
        for key, content in _entries(_block(data, *handle)):
            if last is not None and key <= last:
                raise damaged("its keys are not in order")
            if len(found) >= limits.entries:
                raise over_budget(f"The checkpoint's index has {len(found) + 1:,} entries", "entries", limits)
            found[key] = content
            last = key
    return found


def unmasked(stored: int) -> int:
    """The checksum from its stored form: stored = rotate_right(crc32c, 15) + 0xa282ead8 (core/lib/hash/crc32c.h)."""
    rotated = (stored - _MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def damaged(what: str) -> MigrationError:
    """The error of an index that cannot be read."""
    return MigrationError(
        Reason.CORRUPT_CHECKPOINT,
        f"The checkpoint's index is damaged: {what}",
        advice="The file is cut short or altered: restore it from its origin.",
    )


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + _TRAILER_BYTES > len(data) - FOOTER_BYTES:
        raise damaged("a block lies beyond the end of the file")
    kind, checksum = struct.unpack_from("<BI", data, end)
    if google_crc32c.value(data[offset : end + 1]) != unmasked(checksum):
        raise damaged("a block does not match its checksum")
    if kind != 0:
        raise MigrationError(
            Reason.UNSAFE_STORAGE,
            f"The checkpoint's index is stored in compressed blocks (type {kind})",
            advice="Restore the checkpoint in TensorFlow and save it again.",
        )
    return data[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    restarts = struct.unpack_from("<I", block, len(block) - 4)[0] if len(block) >= 4 else 0
    end = len(block) - 4 - 4 * restarts
    if restarts == 0 or end < 0:
        raise damaged("a block has no room for its entries")
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        other, position = _varint(block, position)
        length, position = _varint(block, position)
        if shared > len(key) or position + other + length > end:
            raise damaged("an entry reaches beyond its block")
        key = key[:shared] + block[position : position + other]
        position += other
        yield key, block[position : position + length]
        position += length


def _handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(data, position)
    size, position = _varint(data, position)
    return (offset, size), position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            raise damaged("a number is cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise damaged("a number is too long")
