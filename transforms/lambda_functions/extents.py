"""What is known of shapes and extents while a function is interpreted, and how shapes broadcast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from transforms.lambda_functions.values import Tensor, Value
from transforms.records.inspection import Shape

_MOST_AXES = 16


Arguments = Mapping[str, Value]


ShapeRule = Callable[[Arguments], Any]


def shape_of(value: Value) -> Shape | None:
    """The shape of an argument: a tensor's, or that of a constant."""
    if isinstance(value, Tensor):
        return value.shape
    if isinstance(value, (np.ndarray, np.generic)):
        return tuple(value.shape)
    return _shape_of_list(value, _MOST_AXES)


def _shape_of_list(value: Value, most: int) -> Shape | None:
    """The shape of nested lists, from the first item of each: lists may share items and represent billions of
    values.
    """
    if not isinstance(value, (list, tuple)):
        return shape_of(value) if isinstance(value, (Tensor, np.ndarray)) else ()
    first = next((item for item in value if isinstance(item, Tensor)), value[0] if value else None)
    inner = _shape_of_list(first, most - 1) if most else None
    return None if inner is None else (len(value), *inner)


def extents_of(value: Value) -> tuple[int | None, ...] | None:
    """The numbers of a shape argument as far as they are known; None if even their count is unknown."""
    if isinstance(value, Tensor):
        if isinstance(value.content, tuple):
            return value.content
        rank = value.shape[0] if value.shape is not None and len(value.shape) == 1 else None
        return None if rank is None else (None,) * rank
    if isinstance(value, (int, np.integer)):
        return (int(value),)
    if value is None:
        return None
    return tuple(map(_extent, list(value)))


def _extent(value: Value) -> int | None:
    if isinstance(value, Tensor):
        return value.content if isinstance(value.content, int) else None
    return None if value is None else int(value)


def slice_content(content: Any, index: Value) -> Any:
    """An item or a slice of partly known extents."""
    if not isinstance(content, tuple):
        return None
    if isinstance(index, int) and -len(content) <= index < len(content):
        return content[index]
    plain = isinstance(index, slice) and all(
        part is None or isinstance(part, int) for part in (index.start, index.stop, index.step)
    )
    return content[index] if plain and index.step != 0 else None


def content_of(name: str, arguments: Arguments) -> Any:
    """The result of a function on extents, as far as it is known; chosen by the last part of its name."""
    first = next(iter(arguments.values()), None)
    match name:
        case "shape":
            return first.shape if isinstance(first, Tensor) else None
        case "cast" | "identity" | "convert_to_tensor":
            return first.content if isinstance(first, Tensor) else None
        case "stack" | "concat" | "concatenate" if isinstance(first, (list, tuple)):
            parts: list[Any] = [item.content if isinstance(item, Tensor) else item for item in first]
            if name == "stack" and all(part is None or isinstance(part, int) for part in parts):
                return tuple(parts)
            if all(isinstance(part, (list, tuple)) for part in parts):
                return tuple(extent for part in parts for extent in part)
    return None


def broadcast(shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of an element-wise operation."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    rank = max(map(len, known))
    wide = [(1,) * (rank - len(shape)) + tuple(shape) for shape in known]
    return tuple(_widest(extents) for extents in zip(*wide, strict=True))


def _widest(extents: tuple[int | None, ...]) -> int | None:
    others = {extent for extent in extents if extent != 1}
    known = others - {None}
    if known:
        return min(extent for extent in known if extent is not None)
    return None if others else 1


def first_shape(arguments: Arguments) -> Shape:
    """The shape of the first argument. Raises ValueError if it is unknown."""
    shape = shape_of(next(iter(arguments.values())))
    if shape is None:
        raise ValueError("not known")
    return tuple(shape)


def axes_of(value: Value, rank: int) -> set[int]:
    """Axes of an argument, counted from the first; None stands for all of them."""
    if value is None:
        return set(range(rank))
    return {int(axis) % rank for axis in (value if isinstance(value, (list, tuple, range)) else [value])}


def multiplied(extent: int | None, factor: int) -> int | None:
    """A multiple of an extent that may be unknown."""
    return None if extent is None else extent * factor
