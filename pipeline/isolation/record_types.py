"""The types that msgspec reads records with.

A child has read hostile files, so what it sends is believed only as far as its declared type goes: each field is there,
is of its type, and no other is. msgspec holds dataclasses to the first two alone, hence the structures.
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
    """True for a dataclass, not for its instances."""
    return isinstance(kind, type) and is_dataclass(kind)


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The types that a union names; a hint that is none names itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


@cache
def wire_type(hint: Any) -> Any:
    """The type to decode for a hint: every dataclass in it becomes a structure that refuses unknown fields."""
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
    """A path as the system's own bytes, which need be no UTF-8. Raises TypeError for what is no path."""
    if isinstance(value, Path):
        return os.fsencode(value)
    raise TypeError(f"a {type(value).__name__} does not cross processes")


def decode_path(kind: type, value: object) -> Path:
    """The path again. Raises TypeError when it is none."""
    if issubclass(kind, Path) and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise TypeError(f"no {kind.__name__}")
