"""Detects groups and arrays of a file with two names or shared bytes, which are refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import h5py

from transforms.errors import MigrationError, Reason
from transforms.source.hdf5.objects import HDF5Array, data_offset, object_address


@dataclass
class StorageMap:
    """The objects read so far, by address, and the extents of contiguous data."""

    _objects: dict[int, str] = field(default_factory=dict)
    _extents: list[tuple[int, int, str]] = field(default_factory=list)

    def add_object(self, name: str, item: h5py.Group | h5py.Dataset) -> None:
        """Records a group or array. Raises MigrationError `unsafe_storage` if another name led to it before."""
        address = object_address(item)
        if address in self._objects:
            raise _shared(name, self._objects[address], "are one object under two names")
        self._objects[address] = name

    def add_array(self, array: HDF5Array) -> None:
        """Records an array and the place of its data. Raises as `add_object`."""
        self.add_object(array.name, array.dataset)
        offset = data_offset(array)
        if offset is not None and array.bytes:
            self._extents.append((offset, offset + array.bytes, array.name))

    def refuse_overlaps(self) -> None:
        """Raises MigrationError `unsafe_storage` if two contiguous arrays share bytes."""
        self._extents.sort()
        for (_, end, name), (start, _, other) in zip(self._extents, self._extents[1:], strict=False):
            if start < end:
                raise _shared(other, name, "share bytes of the file")


def _shared(name: str, other: str, how: str) -> MigrationError:
    return MigrationError(
        Reason.UNSAFE_STORAGE, f"{name!r} and {other!r} {how}", advice="Save the model again with Keras."
    )
