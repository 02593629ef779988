"""Reads arrays of an `.npz` under limits: sizes come from each array's header, before anything is decompressed.

Only the requested arrays are read. Archives with an array twice or with a wrong size are refused, as are arrays of
Python objects, which would have to be unpickled.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits, over_budget
from transforms.source.file import open_regular

Array = npt.NDArray[Any]

_SUFFIX = ".npy"
_MOST_ARRAYS = 10_000
_HEADER_BYTES = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Higher compression than this, of much data, indicates an attack (as in `transforms.source.hdf5`).
_COMPRESSION = 100
#: Exceptions of zipfile, zlib and NumPy for damaged, encrypted and unknown content.
_DAMAGED = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)


@dataclass(frozen=True)
class ArrayHeader:
    """The header of one array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """Size of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


class NpzFile:
    """An open archive.

    Args:
        path: a regular file, or a link to one.
        limits: `array_bytes` bounds the total of the arrays read, `inflated_bytes` that of those compressed more than a
            hundredfold.

    Raises:
        MigrationError: `source_missing`, `unsafe_storage`, `over_budget`; `invalid_samples` if it is not an archive of
            arrays.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        self._stream = open(open_regular(path, "samples file"), "rb")  # noqa: SIM115, closed by `__exit__`
        try:
            self._archive = zipfile.ZipFile(self._stream)
            entries = self._archive.infolist()
        except _DAMAGED as error:
            self._stream.close()
            raise _unreadable(error) from error
        names = [entry.filename.removesuffix(_SUFFIX) for entry in entries]
        name, times = Counter(names).most_common(1)[0] if names else ("", 0)
        if times > 1 or len(names) > _MOST_ARRAYS:
            self._stream.close()
            raise _invalid(f"it holds {name[:80]!a} twice" if times > 1 else f"it holds {len(names):,} arrays")
        self._entries = dict(zip(names, entries, strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays, in stored order."""
        return tuple(self._entries)

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Reads the arrays of these names.

        Raises:
            MigrationError: `over_budget`; `invalid_samples` if one is missing, damaged or not of plain values.
        """
        wanted = list(dict.fromkeys(names))
        absent = [name for name in wanted if name not in self._entries]
        if absent:
            raise _invalid(f"it has no {absent[0]!a}")
        try:
            sizes = {name: self._header(name).bytes for name in wanted}
            self._refuse_sizes(sizes)
            return {name: self._array(name) for name in wanted}
        except _DAMAGED as error:
            raise _unreadable(error) from error

    def _refuse_sizes(self, sizes: dict[str, int]) -> None:
        inflated = sum(size for name, size in sizes.items() if size > _COMPRESSION * self._entries[name].compress_size)
        for total, limit in ((sum(sizes.values()), "array_bytes"), (inflated, "inflated_bytes")):
            if total > getattr(self._limits, limit):
                raise over_budget(f"The samples unpack to {total:,} bytes", limit, self._limits)

    def _header(self, name: str) -> ArrayHeader:
        entry = self._entries[name]
        if entry.compress_type not in _METHODS:
            raise ValueError(f"{name} is compressed by a method that is not read")
        with self._archive.open(entry) as stream:
            header = _header_of(stream)
            after = entry.file_size - stream.tell()
        if header.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects")
        if header.bytes != after:
            raise ValueError(f"{name} holds {after} bytes where its header says {header.bytes}")
        return header

    def _array(self, name: str) -> Array:
        with self._archive.open(self._entries[name]) as stream:
            array: Array = np.lib.format.read_array(stream, allow_pickle=False)
            return array


def _header_of(stream: Any) -> ArrayHeader:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=_HEADER_BYTES)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream, max_header_size=_HEADER_BYTES)
    else:
        raise ValueError(f"arrays of format {version} are not read")
    if any(extent < 0 for extent in shape):
        raise ValueError("an extent is negative")
    return ArrayHeader(tuple(shape), dtype)


def _invalid(detail: str) -> MigrationError:
    return MigrationError(
        Reason.INVALID_SAMPLES,
        f"The samples file does not fit the model: {detail}",
        advice="Save inputs as x0, x1, ... (and outputs as y0, y1, ...) with numpy.savez.",
    )


def _unreadable(error: Exception) -> MigrationError:
    return _invalid(f"it cannot be read: {str(error)[:120]}")
