"""Whether a record that came from a child holds what its class declares.

A child has read hostile files. Unpickling admits only the classes of `transforms`, but puts anything into their fields.
"""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from transforms.errors import MigrationError, Reason


def check_fields(value: object) -> None:
    """Looks at a record, or at a typed error, and at the records in it. Other values are left to who expects them.

    Raises:
        TypeError: a field is not of its declared type.
    """
    if isinstance(value, MigrationError):
        texts = (value.message, value.advice, *value.layer, *value.detail)
        if not isinstance(value.reason, Reason) or not all(isinstance(text, str) for text in texts):
            raise TypeError("the error has no such fields")
    elif is_dataclass(value) and not isinstance(value, type):
        for name, hint in _hints(type(value)).items():
            if not _is(getattr(value, name, None), hint):
                raise TypeError(f"{type(value).__name__}.{name} is no {getattr(hint, '__name__', hint)}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    found = get_type_hints(kind)
    return {field.name: found[field.name] for field in fields(kind)}


def _is(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_is(value, each) for each in get_args(hint))
    if origin is tuple:
        return type(value) is tuple and all(_is(item, get_args(hint)[0]) for item in value)
    if is_dataclass(hint):
        if type(value) is not hint:
            return False
        check_fields(value)
        return True
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (float, int) if hint is float else hint)
