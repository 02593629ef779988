"""Reads groups, attributes and arrays of an HDF5 file, each checked before it is read.

Only named paths are walked, part by part, over hard links; an attribute's type and size are checked before its value is
read; an array's storage, filters, type and extent before its data. HDF5's exceptions become `corrupt_h5` only here:
around more code that would hide errors of this program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget
from transforms.source.aligned_arrays import aligned_empty
from transforms.source.hdf5.file import hdf5_errors
from transforms.source.hdf5.memory_guard import bounded_growth
from transforms.source.stored_array import StoredArray

_FLOATS = (
    (h5t.IEEE_F16LE, "<f2"),
    (h5t.IEEE_F16BE, ">f2"),
    (h5t.IEEE_F32LE, "<f4"),
    (h5t.IEEE_F32BE, ">f4"),
    (h5t.IEEE_F64LE, "<f8"),
    (h5t.IEEE_F64BE, ">f8"),
)
_LAYOUTS = (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED)
_FILTERS = {h5z.FILTER_DEFLATE: "deflate", h5z.FILTER_SHUFFLE: "shuffle", h5z.FILTER_FLETCHER32: "fletcher32"}


@dataclass(frozen=True)
class HDF5Array(StoredArray):
    """A weight in an HDF5 file; `name` is the dataset's, below its group."""

    dataset: h5py.Dataset

    @property
    def stored_bytes(self) -> int:
        """Size of the values in the file."""
        return int(self.dataset.id.get_storage_size())

    def read(self) -> npt.NDArray[np.generic]:
        """The array in native byte order, of its stored shape and precision. Raises MigrationError `corrupt_h5`."""
        with hdf5_errors():
            array = aligned_empty(self.shape, self.dtype.newbyteorder("="))
            self.dataset.id.read(h5s.ALL, h5s.ALL, array)
        return array


@hdf5_errors()
def group_at(parent: h5py.Group, path: str) -> h5py.Group:
    """The group at a path below `parent`. Raises MigrationError `unsafe_storage`, `weights_mismatch`."""
    found = _walk(parent, path)
    if not isinstance(found, h5py.Group):
        raise MigrationError(Reason.WEIGHTS_MISMATCH, f"{path!r} is not a group", advice=_RESTORE)
    return found


@hdf5_errors()
def has_group(parent: h5py.Group, name: str) -> bool:
    """True if `parent` has a hard link of that name (one path part) to a group."""
    link = parent.get(name, getlink=True)
    return isinstance(link, h5py.HardLink) and parent.get(name, getclass=True) is h5py.Group


@hdf5_errors()
def has_link(parent: h5py.Group, name: str) -> bool:
    """True if `parent` has a link of that name, of any kind and target."""
    return parent.get(name, getlink=True) is not None


@hdf5_errors()
def array_at(parent: h5py.Group, path: str, limits: Limits = DEFAULT_LIMITS) -> HDF5Array:
    """The array at a path below `parent`, checked but not read: of IEEE floats, integers or booleans.

    Raises:
        MigrationError: `unsafe_storage` for links, external or virtual storage, foreign filters and types;
            `over_budget`; `corrupt_h5` for data never written; `weights_mismatch` if there is none.
    """
    found = _walk(parent, path)
    if not isinstance(found, h5py.Dataset):
        raise MigrationError(Reason.WEIGHTS_MISMATCH, f"{path!r} is not an array", advice=_RESTORE)
    dtype = _number_dtype(found, path)
    shape = _extent(found, path)
    _check_size(path, shape, dtype, limits)
    _check_storage(found, path, limits)
    return HDF5Array(path, shape, dtype, found)


#: Hard links may form cycles.
_MAX_PARTS = 256
_RESTORE = "The file's index and content disagree: restore it from its origin."


def _walk(parent: h5py.Group, path: str) -> h5py.Group | h5py.Dataset:
    parts = path.split("/")
    if len(parts) > _MAX_PARTS or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise MigrationError(Reason.UNSAFE_STORAGE, f"{path[:80]!r} is not a plain path", advice=_RESTORE)
    current = parent.id
    for part in parts:
        if not isinstance(current, h5g.GroupID):
            raise MigrationError(Reason.WEIGHTS_MISMATCH, f"{path!r} leads through an array", advice=_RESTORE)
        name, links = part.encode(), current.links
        if not links.exists(name):
            raise MigrationError(Reason.WEIGHTS_MISMATCH, f"The file lacks {path!r}", advice=_RESTORE)
        if links.get_info(name).type != h5l.TYPE_HARD:
            raise MigrationError(
                Reason.UNSAFE_STORAGE,
                f"{path!r} leads through a soft or external link",
                advice="Copy the linked data into the file (h5repack does).",
            )
        current = h5o.open(current, name)
    if isinstance(current, h5g.GroupID):
        return h5py.Group(current)
    if isinstance(current, h5d.DatasetID):
        return h5py.Dataset(current)
    raise MigrationError(Reason.WEIGHTS_MISMATCH, f"{path!r} is neither a group nor an array", advice=_RESTORE)


@hdf5_errors()
def data_offset(array: HDF5Array) -> int | None:
    """The offset of a contiguous array in the file, None for other storage."""
    offset = array.dataset.id.get_offset()
    return None if offset is None else int(offset)


@hdf5_errors()
def object_address(item: h5py.Group | h5py.Dataset) -> int:
    """Address of the object header: two names with one address are one object."""
    return int(h5py.h5o.get_info(item.id).addr)


#: Classes of HDF5 types that hold no numbers, in words.
_OTHER_VALUES = {
    h5t.STRING: "text",
    h5t.BITFIELD: "bit fields",
    h5t.OPAQUE: "opaque bytes",
    h5t.COMPOUND: "records",
    h5t.REFERENCE: "references",
    h5t.ENUM: "names of an enumeration",
    h5t.VLEN: "sequences of varying length",
    h5t.ARRAY: "arrays",
}


def _number_dtype(dataset: h5py.Dataset, path: str) -> np.dtype[np.generic]:
    stored = dataset.id.get_type()
    kind = stored.get_class()
    if kind == h5t.FLOAT:
        for known, name in _FLOATS:
            if stored.equal(known):
                return np.dtype(name)
    # h5py stores booleans as an enumeration of FALSE and TRUE, and reads that as such.
    if kind == h5t.INTEGER or (kind == h5t.ENUM and dataset.dtype == np.dtype(bool)):
        stated: np.dtype[np.generic] = np.dtype(dataset.dtype)
        return stated
    values = _OTHER_VALUES.get(kind, f"numbers of {stored.get_size()} bytes that are no IEEE floats")
    raise MigrationError(
        Reason.UNSAFE_STORAGE,
        f"{path!r} holds {values}, not IEEE floats of 2, 4 or 8 bytes",
        advice="If these are weights, write them as float32 into a copy of the file.",
    )


def _extent(dataset: h5py.Dataset, path: str) -> tuple[int, ...]:
    space = dataset.id.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        raise MigrationError(Reason.WEIGHTS_MISMATCH, f"{path!r} is an empty dataspace", advice=_RESTORE)
    extent = tuple(int(size) for size in space.get_simple_extent_dims())
    if 0 in extent:
        raise MigrationError(Reason.WEIGHTS_MISMATCH, f"{path!r} holds no values", advice=_RESTORE)
    return extent


def _check_size(path: str, shape: tuple[int, ...], dtype: np.dtype[np.generic], limits: Limits) -> None:
    size = math.prod(shape) * dtype.itemsize
    if size > limits.array_bytes:
        raise over_budget(f"{path!r} holds {size:,} bytes", "array_bytes", limits)


def _check_storage(dataset: h5py.Dataset, path: str, limits: Limits) -> None:
    properties = dataset.id.get_create_plist()
    layout = properties.get_layout()
    if properties.get_external_count() or layout not in _LAYOUTS:
        raise MigrationError(
            Reason.UNSAFE_STORAGE,
            f"{path!r} keeps its data outside this file (external or virtual storage)",
            advice="Copy the data into the file (h5repack does).",
        )
    _check_filters(properties, path)
    size = math.prod(dataset.shape) * dataset.id.get_type().get_size()
    if layout == h5d.CHUNKED:
        _check_chunks(dataset, properties, path, limits)
    elif layout == h5d.CONTIGUOUS and size and dataset.id.get_storage_size() != size:
        raise MigrationError(Reason.CORRUPT_H5, f"{path!r} was never written in full", advice=_RESTORE)


def _check_filters(properties: h5py.h5p.PropDCID, path: str) -> None:
    codes = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    if not set(codes) <= set(_FILTERS) or len(codes) != len(set(codes)):
        raise MigrationError(
            Reason.UNSAFE_STORAGE,
            f"{path!r} is stored through the HDF5 filters {codes}; only deflate, shuffle and fletcher32, each once, "
            "are read",
            advice="Rewrite the file with `h5repack -f GZIP=4`.",
        )


def _check_chunks(dataset: h5py.Dataset, properties: h5py.h5p.PropDCID, path: str, limits: Limits) -> None:
    chunk = properties.get_chunk()
    chunk_bytes = math.prod(chunk) * dataset.id.get_type().get_size()
    wanted = math.prod(-(-extent // step) for extent, step in zip(dataset.shape, chunk, strict=True))
    if chunk_bytes > limits.chunk_bytes:
        raise over_budget(f"{path!r} has chunks of {chunk_bytes:,} bytes", "chunk_bytes", limits)
    if wanted > limits.chunks:
        raise over_budget(f"{path!r} has {wanted:,} chunks", "chunks", limits)
    if dataset.id.get_num_chunks() != wanted:
        raise MigrationError(Reason.CORRUPT_H5, f"{path!r} has chunks that were never written", advice=_RESTORE)


#: HDF5, h5py and Python each hold one while a string is read.
_COPIES = 4


@hdf5_errors()
def text_attribute(item: h5py.Group, name: str, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """A scalar string attribute (fixed or variable length, bytes or UTF-8), None if there is none.

    Raises MigrationError `not_a_model` if it is not a scalar string, `over_budget` if it is too large.
    """
    attribute = _attribute(item, name, limits)
    if attribute is None:
        return None
    if attribute.get_type().get_class() != h5t.STRING or _count(attribute) != 1:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The attribute {name!r} is not one string", advice="Not written by Keras."
        )
    return _decoded(_strings(item, name, attribute, limits)[0], name, limits)


@hdf5_errors()
def list_attribute(item: h5py.Group, name: str, limits: Limits = DEFAULT_LIMITS) -> list[str] | None:
    """A list of names, whole or in chunks `name0`, `name1`, ... (Keras splits lists above 64 KB).

    An empty list is stored as an empty float64 array. None if neither form exists.
    """
    whole = _attribute(item, name, limits)
    if whole is not None:
        return _names(item, name, whole, limits)
    names: list[str] = []
    index = 0
    while (part := _attribute(item, f"{name}{index}", limits)) is not None:
        names.extend(_names(item, f"{name}{index}", part, limits))
        index += 1
        if len(names) > limits.attribute_items:
            raise over_budget(f"The attributes {name!r} list {len(names):,} names", "attribute_items", limits)
    return names if index else None


def _attribute(item: h5py.Group, name: str, limits: Limits) -> h5a.AttrID | None:
    key = name.encode()
    if not h5a.exists(item.id, key):
        return None
    attribute = h5a.open(item.id, key)
    stored = attribute.get_type().get_size() * _count(attribute)
    if stored > limits.attribute_bytes:
        raise over_budget(f"The attribute {name!r} holds {stored:,} bytes", "attribute_bytes", limits)
    return attribute


def _count(attribute: h5a.AttrID) -> int:
    """Number of values; an attribute may have a type and no value."""
    return 0 if attribute.get_space().get_simple_extent_type() == h5s.NULL else math.prod(attribute.shape)


def _names(item: h5py.Group, name: str, attribute: h5a.AttrID, limits: Limits) -> list[str]:
    count = _count(attribute)
    if count == 0:
        return []
    if attribute.get_type().get_class() != h5t.STRING or len(attribute.shape) != 1:
        raise MigrationError(Reason.INVALID_CONFIG, f"The attribute {name!r} is not a list of strings")
    if count > limits.attribute_items:
        raise over_budget(f"The attribute {name!r} lists {count:,} names", "attribute_items", limits)
    return [_decoded(value, name, limits) for value in _strings(item, name, attribute, limits)]


def _strings(item: h5py.Group, name: str, attribute: h5a.AttrID, limits: Limits) -> list[object]:
    """Reads the strings of an attribute; those of variable length only within the budget."""
    if not attribute.get_type().is_variable_str():
        return list(np.asarray(item.attrs[name], dtype=object).reshape(-1))
    try:
        with bounded_growth(_COPIES * limits.attribute_bytes):
            return list(np.asarray(item.attrs[name], dtype=object).reshape(-1))
    except MemoryError:
        raise over_budget(f"The attribute {name!r} holds strings without end", "attribute_bytes", limits) from None


def _decoded(value: object, name: str, limits: Limits) -> str:
    try:
        text = value.decode("utf-8") if isinstance(value, bytes) else str(value)
        size = len(text.encode("utf-8"))
    except UnicodeError as error:
        raise MigrationError(Reason.INVALID_CONFIG, f"The attribute {name!r} is not UTF-8 text") from error
    if size > limits.attribute_bytes:
        raise over_budget(f"The attribute {name!r} holds {size:,} bytes", "attribute_bytes", limits)
    return text.rstrip("\x00")
