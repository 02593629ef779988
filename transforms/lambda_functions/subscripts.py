"""Items and slices of the interpreter's values, read and stored: recorded steps for tensors, bounded otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from transforms.lambda_functions.extents import slice_content
from transforms.lambda_functions.listed_functions import shape_of_result
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import (
    Refused,
    Tensor,
    TensorShape,
    Value,
    bounded,
    kind_of,
)


def subscript(trace: Trace, value: Value, index: Value) -> Value:
    """Evaluates `value[index]`. Raises Refused."""
    if isinstance(value, Tensor):
        return _slice_of_tensor(trace, value, index)
    if isinstance(value, dict):
        return _entry(value, index)
    if isinstance(value, np.ndarray):
        return _item_of_array(value, index)
    if isinstance(value, (list, tuple, str, range)):
        return _item(value, index)
    raise Refused(f"an item of {kind_of(value)}")


def _slice_of_tensor(trace: Trace, value: Tensor, index: Value) -> Tensor:
    spec = list(index) if isinstance(index, tuple) else index
    if any(isinstance(part, (list, np.ndarray)) for part in (spec if isinstance(spec, list) else [spec])):
        raise Refused("a tensor indexed by a list")
    arguments = {"tensor": value, "slice_spec": spec}
    name = "__operators__.getitem"
    found = trace.step(name, arguments, "[]", shape_of_result(name, arguments))
    content = slice_content(value.content, index)
    return found if content is None else Tensor(found.ref, found.shape, content)


def _entry(value: Mapping[Any, Value], index: Value) -> Value:
    if not isinstance(index, (str, int, float, bool, type(None))):
        raise Refused(f"an entry by {kind_of(index)}")
    if index not in value:
        raise Refused(f"the entry {str(index)[:40]!r}, which is not there")
    return value[index]


def _array_index(index: Value) -> tuple[Any, ...]:
    """What an array of constants may be indexed by. Raises Refused."""
    parts = index if isinstance(index, tuple) else (index,)
    allowed = (int, slice, type(None), np.integer, list, np.ndarray)
    if not all(isinstance(part, allowed) or part is ... for part in parts):
        raise Refused("an array of constants indexed by other values")
    return tuple(parts)


def _item_of_array(value: Any, index: Value) -> Value:
    try:
        return bounded(value[_array_index(index)])
    except (IndexError, TypeError, ValueError) as error:
        raise Refused(f"an index of an array of constants, which fails ({error})") from error


def _item(value: Value, index: Value) -> Value:
    if isinstance(index, np.integer):
        index = int(index)
    if isinstance(index, slice):
        if not all(part is None or isinstance(part, int) for part in (index.start, index.stop, index.step)):
            raise Refused("a slice by other values than numbers")
        if index.step == 0:
            raise Refused("a slice with step 0")
        part = value[index]
        return TensorShape(part) if isinstance(value, TensorShape) else part
    if not isinstance(index, int):
        raise Refused(f"an item by {kind_of(index)}")
    if not -len(value) <= index < len(value):
        raise Refused(f"item {index} of {len(value)}")
    return value[index]


def _store_in_array(array: Any, index: Value, value: Value) -> None:
    parts = _array_index(index)
    if not isinstance(value, (bool, int, float, np.generic, np.ndarray)) or not array.flags.writeable:
        raise Refused(f"{kind_of(value)} stored in an array of constants")
    try:
        array[parts] = value
    except (IndexError, TypeError, ValueError) as error:
        raise Refused(f"an assignment to an array of constants, which fails ({error})") from error


def store_item(container: Value, index: Value, value: Value) -> None:
    """Performs `container[index] = value`. Raises Refused."""
    if isinstance(container, np.ndarray):
        _store_in_array(container, index, value)
    elif isinstance(container, list) and isinstance(index, int):
        if not -len(container) <= index < len(container):
            raise Refused(f"item {index} of {len(container)}")
        container[index] = value
    elif isinstance(container, dict) and isinstance(index, (str, int)):
        container[index] = value
        bounded(container)
    else:
        raise Refused(f"an assignment to an item of {kind_of(container)}")
