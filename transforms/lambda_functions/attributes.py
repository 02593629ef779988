"""Attributes and methods of the interpreter's values: closed tables of names, independent of Python's own objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.names import member, numpy_dtype
from transforms.lambda_functions.operators import same
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import (
    FREE_EXTENT,
    Dtype,
    Method,
    NamedResults,
    Reference,
    Refused,
    Tensor,
    TensorShape,
    Value,
    bounded,
    items_of,
    kind_of,
)


def attribute(trace: Trace, value: Value, name: str) -> Value:
    """Evaluates `value.name`. Raises Refused for attributes outside the table."""
    if isinstance(value, Reference):
        return member(value, name)
    if isinstance(value, NamedResults) and name in value.names:
        return value[value.names.index(name)]
    if value is FREE_EXTENT and name == "value":
        return None
    for kind, table in _ATTRIBUTES:
        if isinstance(value, kind) and name in table:
            return table[name](trace, value)
    if any(isinstance(value, kind) and name in table for kind, table in _METHODS):
        return Method(value, name)
    raise Refused(f"the attribute {name} of {kind_of(value)}")


def has_attribute(value: Value, name: str) -> bool:
    """Whether the table has the attribute for the value; of others nothing is known."""
    return any(
        isinstance(value, kind) and name in table for tables in (_ATTRIBUTES, _METHODS) for kind, table in tables
    )


def call_method(trace: Trace, method: Method, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """Evaluates `receiver.name(*args, **kwargs)`. Raises Refused."""
    for kind, table in _METHODS:
        if isinstance(method.receiver, kind) and method.name in table:
            try:
                return bounded(table[method.name](trace, method.receiver, *args, **kwargs))
            except (TypeError, ValueError, IndexError, KeyError, ArithmeticError) as error:
                raise Refused(f"{method.name} on such arguments ({type(error).__name__})") from error
    raise Refused(f"the method {method.name}")


def static_shape(trace: Trace, tensor: Tensor, written: str) -> TensorShape:
    """`x.shape` in the writing runtime: in TensorFlow 1 a free extent is a special object."""
    if not trace.era.on_tensorflow:
        raise Refused(f"{written}, which Theano and CNTK compute at run time")
    shape = trace.shape_of(tensor, written)
    if trace.era.tensorflow == 1 and not trace.era.is_keras_3:
        return TensorShape(FREE_EXTENT if extent is None else extent for extent in shape)
    return shape


def plain_extents(shape: Sequence[Value]) -> list[int | None]:
    """Extents as numbers, None for free ones."""
    return [None if extent is FREE_EXTENT else extent for extent in shape]


def _elements(trace: Trace, shape: TensorShape) -> int | None:
    extents = plain_extents(shape)
    return None if None in extents else math.prod(extent for extent in extents if extent is not None)


def _with_static_shape(trace: Trace, tensor: Tensor, shape: Value) -> None:
    """`set_shape` narrows the static shape and changes no value; the known shape stays."""
    items_of(shape)


def _appended(trace: Trace, items: list[Value], value: Value) -> None:
    items.append(value)
    bounded(items)


def _extended(trace: Trace, items: list[Value], more: Value) -> None:
    items.extend(items_of(more))
    bounded(items)


def _inserted(trace: Trace, items: list[Value], place: int, value: Value) -> None:
    items.insert(place, value)
    bounded(items)


def _popped(trace: Trace, items: list[Value], place: int = -1) -> Value:
    return items.pop(place)


def _found(trace: Trace, items: Sequence[Value], value: Value) -> int:
    return next(place for place, item in enumerate(items) if same(item, value))


def _times(trace: Trace, items: Sequence[Value], value: Value) -> int:
    return sum(same(item, value) for item in items)


def _joined(trace: Trace, text: str, parts: Value) -> str:
    found = items_of(parts)
    if not all(isinstance(part, str) for part in found):
        raise Refused("a join of other values than texts")
    return text.join(found)


def _limit(largest: bool) -> Callable[[Trace, Dtype], Value]:
    def of_dtype(trace: Trace, dtype: Dtype) -> Value:
        kind = numpy_dtype(dtype)
        limits: Any = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        found = limits.max if largest else limits.min
        return found.item() if kind.kind == "f" else int(found)

    return of_dtype


def _dtype_of(trace: Trace, tensor: Tensor) -> Dtype:
    return Dtype("", tensor.ref)


def _reduced(function: Callable[..., Any]) -> Callable[..., Value]:
    def method(trace: Trace, array: Any, axis: Value = None, keepdims: bool = False) -> Value:
        return function(array, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    return method


def _reshaped(trace: Trace, array: Any, *shape: Value) -> Value:
    target = shape[0] if len(shape) == 1 else shape
    return array.reshape(tuple(items_of(target)) if isinstance(target, (list, tuple)) else target)


def _unknown_rank(trace: Trace, tensor: Tensor) -> int:
    return len(trace.shape_of(tensor, "ndim"))


#: Attributes by kind of value: functions of the trace and the value.
_ATTRIBUTES: tuple[tuple[type | tuple[type, ...], Mapping[str, Callable[[Trace, Any], Value]]], ...] = (
    (
        Tensor,
        {
            "shape": lambda trace, tensor: static_shape(trace, tensor, "shape"),
            "_keras_shape": lambda trace, tensor: tuple(trace.shape_of(tensor, "_keras_shape")),
            "_shape": lambda trace, tensor: static_shape(trace, tensor, "_shape"),
            "dtype": _dtype_of,
            "ndim": _unknown_rank,
        },
    ),
    (
        TensorShape,
        {
            "ndims": lambda trace, shape: len(shape),
            "rank": lambda trace, shape: len(shape),
            "dims": lambda trace, shape: list(shape),
        },
    ),
    ((int, type(None)), {"value": lambda trace, extent: extent}),
    (
        Dtype,
        {
            "name": lambda trace, dtype: dtype,
            "base_dtype": lambda trace, dtype: dtype,
            "max": _limit(True),
            "min": _limit(False),
        },
    ),
    (
        (np.ndarray, np.generic),
        {
            "shape": lambda trace, array: tuple(array.shape),
            "size": lambda trace, array: int(array.size),
            "ndim": lambda trace, array: int(array.ndim),
            "dtype": lambda trace, array: Dtype(array.dtype.name),
            "T": lambda trace, array: array.T,
        },
    ),
    (
        slice,
        {
            "start": lambda trace, part: part.start,
            "stop": lambda trace, part: part.stop,
            "step": lambda trace, part: part.step,
        },
    ),
)

#: Methods by kind of value. Text has only those that cannot enlarge it.
_METHODS: tuple[tuple[type | tuple[type, ...], Mapping[str, Callable[..., Value]]], ...] = (
    (
        Tensor,
        {
            "get_shape": lambda trace, tensor: static_shape(trace, tensor, "get_shape"),
            "set_shape": _with_static_shape,
        },
    ),
    (
        TensorShape,
        {
            "as_list": lambda trace, shape: plain_extents(shape),
            "num_elements": _elements,
            "is_fully_defined": lambda trace, shape: None not in plain_extents(shape),
            "concatenate": lambda trace, shape, more: TensorShape([*shape, *items_of(more)]),
        },
    ),
    (
        list,
        {
            "append": _appended,
            "extend": _extended,
            "insert": _inserted,
            "pop": _popped,
            "reverse": lambda trace, items: items.reverse(),
            "copy": lambda trace, items: list(items),
        },
    ),
    ((list, tuple), {"index": _found, "count": _times}),
    (
        dict,
        {
            "get": lambda trace, entries, key, other=None: entries.get(key, other),
            "keys": lambda trace, entries: list(entries),
            "values": lambda trace, entries: list(entries.values()),
            "items": lambda trace, entries: list(entries.items()),
        },
    ),
    (
        str,
        {
            "lower": lambda trace, text: text.lower(),
            "upper": lambda trace, text: text.upper(),
            "startswith": lambda trace, text, start: text.startswith(start),
            "endswith": lambda trace, text, end: text.endswith(end),
            "join": _joined,
        },
    ),
    (
        (np.ndarray, np.generic),
        {
            "astype": lambda trace, array, dtype: array.astype(numpy_dtype(dtype)),
            "reshape": _reshaped,
            "tolist": lambda trace, array: array.tolist(),
            "copy": lambda trace, array: array.copy(),
            "flatten": lambda trace, array: array.reshape(-1),
            "ravel": lambda trace, array: array.reshape(-1),
            "transpose": lambda trace, array, *axes: np.transpose(array, axes or None),
            "item": lambda trace, array: array.item(),
            "sum": _reduced(np.sum),
            "mean": _reduced(np.mean),
            "max": _reduced(np.max),
            "min": _reduced(np.min),
            "prod": _reduced(np.prod),
            "std": _reduced(np.std),
        },
    ),
)


def refuse_hidden(name: str) -> None:
    """Raises Refused for names of Python's internals, on any value."""
    if name.startswith("__"):
        raise Refused(f"the attribute {name}", Reason.UNSAFE_LAMBDA)
