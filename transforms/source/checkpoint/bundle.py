"""An open checkpoint: its tensors and their places, each checked before its bytes are read."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget
from transforms.source.checkpoint.files import INDEX, combined_digest, local_shards
from transforms.source.checkpoint.messages import parse
from transforms.source.checkpoint.table import damaged, read_table, unmasked
from transforms.source.file import (
    SourceDigest,
    hash_file,
    open_regular,
    refuse_change,
    refuse_other_digest,
    refuse_size,
)
from transforms.source.stored_array import StoredArray

#: tensorflow/core/framework/types.proto: the types whose values are plain numbers.
_NUMBERS: Mapping[int, str] = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "u1",
    5: "<i2",
    6: "i1",
    8: "<c8",
    9: "<i8",
    10: "?",
    14: "V2",  # bfloat16, which NumPy lacks
    17: "<u2",
    18: "<c16",
    19: "<f2",
    22: "<u4",
    23: "<u8",
}
_WEIGHTS = ("<f2", "<f4", "<f8")
_STRING = 7
_LITTLE_ENDIAN = 0
_BUNDLE_VERSION = 1
_BLOCK = 1 << 20
_MOST_AXES = 64  # of a NumPy array
_RESAVE = "Restore the checkpoint in TensorFlow and save it again, in one piece."


@dataclass(frozen=True)
class Tensor:
    """The place of a tensor: byte range of a shard, with the masked crc32c of its bytes. `dtype` is None for text."""

    key: str
    dtype: np.dtype[np.generic] | None
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int

    @property
    def is_scalar(self) -> bool:
        """True for a single number: a counter, a learning rate."""
        return self.dtype is not None and not self.shape


@dataclass(frozen=True)
class CheckpointArray(StoredArray):
    """A weight in a checkpoint; `name` is the variable's, or its key."""

    tensor: Tensor
    bundle: Bundle

    def read(self) -> npt.NDArray[np.generic]:
        """The array in native byte order. Raises MigrationError `corrupt_checkpoint` if its checksum is wrong."""
        array = np.frombuffer(self.bundle.content(self.tensor), self.dtype).reshape(self.shape)
        return array.astype(array.dtype.newbyteorder("="), copy=False)


class Bundle:
    """The tensors of an open checkpoint.

    Attributes:
        tensors: by key, in the index's order.
        digest: combined SHA-256 of all files, and their size.
    """

    def __init__(self, tensors: Mapping[str, Tensor], shards: Sequence[int], digest: SourceDigest) -> None:
        self.tensors = tensors
        self.digest = digest
        self._shards = shards

    def array(self, tensor: Tensor, name: str, limits: Limits) -> CheckpointArray:
        """A weight, with checked type and size, not yet read. Raises MigrationError `unsafe_storage`, `over_budget`."""
        if tensor.dtype is None or tensor.dtype.str not in _WEIGHTS:
            kind = "text" if tensor.dtype is None else tensor.dtype.name
            raise MigrationError(
                Reason.UNSAFE_STORAGE,
                f"The variable {name!r} holds {kind} values, not IEEE floats of 2, 4 or 8 bytes",
                advice="Weights of this type cannot be migrated exactly.",
            )
        if tensor.size > limits.array_bytes:
            raise over_budget(f"{name!r} holds {tensor.size:,} bytes", "array_bytes", limits)
        return CheckpointArray(name, tensor.shape, tensor.dtype, tensor, self)

    def content(self, tensor: Tensor) -> bytearray:
        """The bytes of a tensor of numbers. Raises MigrationError `corrupt_checkpoint`."""
        data, done, checksum = bytearray(tensor.size), 0, 0
        while done < tensor.size:
            part = self._part(tensor, done)
            checksum = google_crc32c.extend(checksum, part)
            data[done : done + len(part)] = part
            done += len(part)
        if checksum != unmasked(tensor.checksum):
            raise _altered(tensor)
        return data

    def text(self, tensor: Tensor, limit: int) -> bytes:
        """A scalar string tensor: length (varint), masked crc32c of the length as 4 bytes, and the text.

        The tensor's own checksum is over length, length checksum and text (`WriteStringTensor` in
        tensorflow/core/util/tensor_bundle/tensor_bundle.cc). Raises MigrationError `corrupt_checkpoint`,
        `over_budget` if it has more than `limit` bytes.
        """
        if tensor.dtype is not None or tensor.shape or not 0 < tensor.size <= limit:
            raise MigrationError(
                Reason.CORRUPT_CHECKPOINT if tensor.size <= limit else Reason.OVER_BUDGET,
                f"{tensor.key!r} is not one text of at most {limit:,} bytes",
                advice=_RESAVE,
            )
        data = b""
        while len(data) < tensor.size:
            data += self._part(tensor, len(data))
        start = next((index + 1 for index, byte in enumerate(data[:5]) if byte < 0x80), len(data))
        text, stored = data[start + 4 :], data[start : start + 4]
        head = struct.pack("<I", len(text))
        wrong = sum((byte & 0x7F) << 7 * index for index, byte in enumerate(data[:start])) != len(text)
        if (
            wrong
            or unmasked(int.from_bytes(stored, "little")) != google_crc32c.value(head)
            or google_crc32c.value(head + stored + text) != unmasked(tensor.checksum)
        ):
            raise _altered(tensor)
        return text

    def _part(self, tensor: Tensor, done: int) -> bytes:
        part = os.pread(self._shards[tensor.shard], min(_BLOCK, tensor.size - done), tensor.offset + done)
        if not part:
            raise _altered(tensor)
        return part


@contextmanager
def open_bundle(prefix: Path, limits: Limits = DEFAULT_LIMITS, sha256: str = "") -> Iterator[Bundle]:
    """Opens a checkpoint read-only, after hashing all of its files. Tensors can be read until the context ends.

    Args:
        prefix: path without `.index`.
        limits: the budget.
        sha256: expected combined digest (hex), "" for none.

    Raises:
        MigrationError: `source_missing` (also if a file changed while it was read), `corrupt_checkpoint`,
            `unsafe_storage`, `over_budget`, `digest_mismatch`.
    """
    try:
        shards = local_shards(prefix)
    except OSError as error:
        raise MigrationError(
            Reason.SOURCE_MISSING, f"The checkpoint's folder cannot be listed: {error.strerror}"
        ) from error
    with contextlib.ExitStack() as stack:
        descriptors: list[int] = []
        for path in (Path(f"{prefix}{INDEX}"), *shards):
            descriptors.append(open_regular(path))
            stack.callback(os.close, descriptors[-1])
        before = [os.fstat(descriptor) for descriptor in descriptors]
        sizes = [status.st_size for status in before]
        refuse_size(sum(sizes), limits)
        digest = SourceDigest(combined_digest([hash_file(each) for each in descriptors]), sum(sizes))
        refuse_other_digest(digest, sha256)
        yield Bundle(_tensors(descriptors[0], sizes, limits), descriptors[1:], digest)
        for status, descriptor in zip(before, descriptors, strict=True):
            refuse_change(status, os.fstat(descriptor))


def _tensors(index: int, sizes: Sequence[int], limits: Limits) -> Mapping[str, Tensor]:
    if sizes[0] > limits.index_bytes:
        raise over_budget(f"The checkpoint's index has {sizes[0]:,} bytes", "index_bytes", limits)
    table = read_table(os.pread(index, sizes[0], 0), limits)
    if b"" not in table:
        raise damaged("it has no header")
    header = parse("BundleHeader", table.pop(b""))
    if header.endianness != _LITTLE_ENDIAN or header.version.min_consumer > _BUNDLE_VERSION:
        raise MigrationError(
            Reason.UNSAFE_STORAGE, "The checkpoint is big-endian, or of a later format", advice=_RESAVE
        )
    if header.num_shards != len(sizes) - 1:
        raise damaged(f"it names {header.num_shards} shards, {len(sizes) - 1} lie beside it")
    tensors = {tensor.key: tensor for key, value in table.items() for tensor in (_tensor(key, value, sizes[1:]),)}
    _refuse_overlaps(tensors)
    return tensors


def _tensor(key: bytes, value: bytes, shard_sizes: Sequence[int]) -> Tensor:
    try:
        name = key.decode("utf-8")
    except UnicodeError as error:
        raise damaged("a key is not UTF-8 text") from error
    entry = parse("BundleEntry", value)
    shape = _shape(name, entry)
    if not 0 <= entry.shard_id < len(shard_sizes):
        raise damaged(f"{name!r} lies in shard {entry.shard_id} of {len(shard_sizes)}")
    if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > shard_sizes[entry.shard_id]:
        raise damaged(f"{name!r} lies beyond the end of its shard")
    dtype = np.dtype(_NUMBERS[entry.dtype]) if entry.dtype in _NUMBERS else None
    if dtype is None and entry.dtype != _STRING:
        raise MigrationError(
            Reason.UNSAFE_STORAGE, f"{name!r} holds values of TensorFlow's type {entry.dtype}", advice=_RESAVE
        )
    if dtype is not None and math.prod(shape) * dtype.itemsize != entry.size:
        raise damaged(f"{name!r} of shape {list(shape)} has {entry.size:,} bytes")
    return Tensor(name, dtype, shape, entry.shard_id, entry.offset, entry.size, entry.crc32c)


def _shape(name: str, entry: Any) -> tuple[int, ...]:
    if entry.slices:
        raise MigrationError(
            Reason.UNSAFE_STORAGE, f"The variable {name!r} is stored in slices (partitioned)", advice=_RESAVE
        )
    shape = tuple(dim.size for dim in entry.shape.dim)
    if entry.shape.unknown_rank or len(shape) > _MOST_AXES:
        raise damaged(f"{name!r} has no shape")
    if min(shape, default=0) < 0:
        raise damaged(f"{name!r} has a negative extent")
    return shape


def _refuse_overlaps(tensors: Mapping[str, Tensor]) -> None:
    placed = sorted((each for each in tensors.values() if each.size), key=lambda each: (each.shard, each.offset))
    for first, second in itertools.pairwise(placed):
        if first.shard == second.shard and first.offset + first.size > second.offset:
            raise MigrationError(
                Reason.UNSAFE_STORAGE,
                f"{first.key!r} and {second.key!r} share bytes of one shard",
                advice=_RESAVE,
            )


def _altered(tensor: Tensor) -> MigrationError:
    return MigrationError(
        Reason.CORRUPT_CHECKPOINT,
        f"The tensor {tensor.key!r} does not match its checksum",
        advice="The file was altered or damaged: restore it from its origin.",
    )
