"""Reads the forms in which Keras stores a function into code, defaults and closure.

- Keras 1 and 2, tf.keras: `[code, defaults, closure]`, the code marshalled and then base64 (from 2.1 on) or escaped
  text (`func_dump` and `func_load` in keras/utils/generic_utils.py).
- tf.keras from 2.13 on and Keras 3: `{"class_name": "__lambda__", "config": {"code", "defaults", "closure"}}`.
- by name alone: a text, or `{"class_name": "function", "config": name, "module": ...}`.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.lambda_functions.code_object import Code, Unreadable
from transforms.lambda_functions.marshal_reader import MAX_BYTES, read_code
from transforms.lambda_functions.values import Dtype, Refused, Value, bounded


@dataclass(frozen=True)
class StoredFunction:
    """A function as stored in a file.

    Attributes:
        codes: its code object in each matching layout; empty if the file stores only its name.
        defaults: of its last parameters, as stored.
        closure: values of its free variables, as stored.
        name: of a function that is stored by name, with its module if known.
    """

    codes: tuple[Code, ...]
    defaults: tuple[Any, ...] = ()
    closure: tuple[Any, ...] = ()
    name: str = ""


def is_function(value: object, kind: object) -> bool:
    """Whether an option holds a function: not None, a shape, or the name of a merge mode."""
    if isinstance(value, Mapping):
        return value.get("class_name") in ("__lambda__", "function")
    return kind in ("lambda", "function") or looks_dumped(value)


def looks_dumped(value: object) -> bool:
    """Whether a list is code with defaults and closure and not a shape."""
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)


def stored_function(value: object, kind: object) -> StoredFunction:
    """Reads a stored function.

    Args:
        value: the option.
        kind: the option that states its kind (`function_type`), if there is one.

    Raises Unreadable for code that no version of Python wrote, or a form that Keras never stored.
    """
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "function" and isinstance(config, str):
            module = value.get("module")
            return StoredFunction((), name=f"{module}.{config}" if module not in (None, "builtins") else config)
        if value.get("class_name") != "__lambda__" or not isinstance(config, Mapping):
            raise Unreadable("it has no form that Keras stores")
        return _dumped(config.get("code"), config.get("defaults"), config.get("closure"))
    if isinstance(value, str) and kind != "lambda":
        return StoredFunction((), name=value)
    if isinstance(value, list) and len(value) == 3:
        return _dumped(*value)
    if isinstance(value, str):
        return _dumped(value, None, None)
    raise Unreadable("it has no form that Keras stores")


def name_alone(config: Mapping[str, Any]) -> str:
    """The name of a Lambda's function if the file stores only the name and it is not Keras's own; else ""."""
    value, kind = config.get("function"), config.get("function_type")
    if isinstance(value, str) and kind != "lambda":
        return value
    if isinstance(value, Mapping) and value.get("class_name") == "function":
        module = value.get("module")
        if not isinstance(module, str) or module.split(".")[0] not in ("keras", "tensorflow", "tf_keras"):
            return str(value.get("config"))
    return ""


def _dumped(code: object, defaults: object, closure: object) -> StoredFunction:
    if not isinstance(code, str):
        raise Unreadable("it has no form that Keras stores")
    codes = tuple(read_code(_bytes(code)))
    if not codes:
        raise Unreadable("it is not a code object of Python 2.7 or 3.5 to 3.13")
    return StoredFunction(codes, _items(defaults), _items(closure))


def _bytes(text: str) -> bytes:
    """The bytes as Keras reads them: from base64 if valid, else from escaped text."""
    if len(text) > 4 * MAX_BYTES:
        raise Unreadable(f"it has more than {MAX_BYTES:,} bytes")
    try:
        return binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return text.encode("raw_unicode_escape", "replace")


def _items(stored: object) -> tuple[Any, ...]:
    if isinstance(stored, Mapping) and stored.get("class_name") == "__tuple__":
        stored = stored.get("items")
    return tuple(stored) if isinstance(stored, list) else ()


def plain_value(stored: object) -> Value:
    """The value of a stored default, closure variable or argument. Raises Refused for one that is not data."""
    match stored:
        case None | bool() | int() | float() | str():
            return bounded(stored)
        case list():
            return [plain_value(item) for item in bounded(stored)]
        case {"class_name": "__tuple__" | "tuple" | "TensorShape", "items": [*items]}:
            return tuple(plain_value(item) for item in bounded(items))
        case {"class_name": "__numpy__" | "__tensor__", "config": {"value": values, "dtype": str(dtype)}}:
            return _array(values, dtype)
        case {"type": "ndarray", "value": values}:
            return _array(values, None)
        case {"class_name": "__ellipsis__" | "ellipsis"}:
            return ...
        case {"class_name": "DType" | "dtype", "config": str(name)}:
            return Dtype(name)
        case {"class_name": str(name)}:
            raise Refused(f"a stored value of the class {name[:60]}")
        case Mapping():
            return {str(key): plain_value(item) for key, item in stored.items()}
    raise Refused("a stored value of another kind")


def _array(values: object, dtype: str | None) -> Any:
    try:
        array = np.array(values, dtype=None if dtype is None else np.dtype(dtype))
    except (TypeError, ValueError) as error:
        raise Refused("an invalid stored array") from error
    if array.dtype.kind not in "fiub":
        raise Refused("a stored array of other values than numbers")
    return bounded(array)
