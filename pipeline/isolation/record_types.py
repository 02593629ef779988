"""The types with which msgspec decodes records.

A child has read hostile files, so its records are checked against their declared types: each field is present and of
its type, and there is no other. For dataclasses msgspec checks only the first two, hence the structures.
"""

from __future__ import annotations

import os
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec


def is_record(kind: object) -> bool:
    """True for a dataclass; False for its instances."""
    return isinstance(kind, type) and is_dataclass(kind)


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of any other hint, the hint itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


@cache
def wire_type(hint: Any) -> Any:
    """The type to decode for a hint: each dataclass in it is replaced by a structure that refuses unknown fields."""
    if is_record(hint):
        declared = get_type_hints(hint)
        named = [(field.name, wire_type(declared[field.name])) for field in fields(hint)]
        return msgspec.defstruct(hint.__name__, named, forbid_unknown_fields=True)
    inner = tuple(_inner_types(hint))
    if not inner:
        return hint
    if len(alternatives(hint)) > 1:
        return Union[inner]  # noqa: UP007, the members are not known here
    return get_origin(hint)[inner]


def _inner_types(hint: Any) -> Iterator[Any]:
    return (each if each is Ellipsis else wire_type(each) for each in get_args(hint))


def encode_path(value: object) -> bytes:
    """Encodes a path as the system's bytes, which may not be UTF-8. Raises TypeError for anything else."""
    if isinstance(value, Path):
        return os.fsencode(value)
    raise TypeError(f"a {type(value).__name__} does not cross processes")


def decode_path(kind: type, value: object) -> Path:
    """Decodes a path. Raises TypeError for anything else."""
    if issubclass(kind, Path) and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise TypeError(f"no {kind.__name__}")
