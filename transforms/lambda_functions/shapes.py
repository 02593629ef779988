"""Static shapes of listed functions' results, as the writing runtime knew them when it built the model.

They are only used for control flow and arithmetic on extents: `K.int_shape(y)[1]` of a function's own tensor. A rule
returns None for an unknown shape; both evaluations of an expression compute their own shapes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from transforms.lambda_functions.arrangement_shapes import ARRANGEMENT, flattened
from transforms.lambda_functions.extents import (
    Arguments,
    ShapeRule,
    axes_of,
    broadcast,
    extents_of,
    first_shape,
    shape_of,
)
from transforms.records.inspection import Shape


def _same(arguments: Arguments) -> Shape:
    return first_shape(arguments)


def _broadcast_all(arguments: Arguments) -> Shape | None:
    names = ("x", "y", "condition", "a", "then_expression", "else_expression", "x1", "x2")
    return broadcast([shape_of(value) for name, value in arguments.items() if name in names])


def _reduced(arguments: Arguments) -> Shape:
    shape = first_shape(arguments)
    axes = axes_of(arguments.get("axis"), len(shape))
    if arguments.get("keepdims"):
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def _reduced_by_one(default: int | None) -> ShapeRule:
    """Argmax and similar functions, whose axis is optional."""

    def rule(arguments: Arguments) -> Shape:
        axis = arguments.get("axis")
        return _reduced({**arguments, "axis": default if axis is None else axis})

    return rule


def _matrix_product(arguments: Arguments) -> Shape | None:
    x, y = (shape_of(value) for value in list(arguments.values())[:2])
    if x is None or y is None or len(x) < 2 or len(y) < 2:
        return None
    if arguments.get("transpose_a") or arguments.get("adjoint_a"):
        x = (*x[:-2], x[-1], x[-2])
    if arguments.get("transpose_b") or arguments.get("adjoint_b"):
        y = (*y[:-2], y[-1], y[-2])
    rows = broadcast([x[:-2], y[:-2]]) if x[:-2] or y[:-2] else ()
    return None if rows is None else (*rows, x[-2], y[-1])


def _dot(arguments: Arguments) -> Shape | None:
    """`K.dot`: the last axis of x with the last but one of y."""
    x, y = (shape_of(value) for value in list(arguments.values())[:2])
    if x is None or y is None:
        return None
    return (*x[:-1], *y[:-2], y[-1]) if len(y) > 1 else x[:-1]


def _hot(arguments: Arguments) -> Shape:
    shape = first_shape(arguments)
    depth = arguments.get("depth", arguments.get("num_classes"))
    axis = arguments.get("axis", -1)
    place = len(shape) if axis in (None, -1) else int(axis)
    return (*shape[:place], depth if isinstance(depth, int) else None, *shape[place:])


def _ranks(arguments: Arguments) -> Shape:
    return (len(first_shape(arguments)),)


def _counted(arguments: Arguments) -> Shape:
    values = [arguments.get(name) for name in ("start", "limit", "delta")]
    stop, step = arguments.get("stop"), arguments.get("step")
    start, limit, delta = values[0], stop if values[1] is None else values[1], step if values[2] is None else values[2]
    if limit is None:
        start, limit = 0, start
    bounds = [0 if start is None else start, limit, 1 if delta is None else delta]
    if not all(isinstance(bound, (int, float)) for bound in bounds):
        return (None,)
    return (max(0, math.ceil((bounds[1] - bounds[0]) / bounds[2])),)


def _resized(arguments: Arguments) -> Shape:
    shape, size = first_shape(arguments), extents_of(arguments["size"])
    if size is None:
        raise ValueError("not known")
    return (*shape[:-3], *size, shape[-1])


def _constant(arguments: Arguments) -> Shape | None:
    stated = arguments.get("shape")
    if stated is not None:
        return extents_of(stated)
    return shape_of(next(iter(arguments.values())))


def _top(arguments: Arguments) -> list[Shape | None]:
    shape, count = shape_of(next(iter(arguments.values()))), arguments.get("k", 1)
    return [None if shape is None else (*shape[:-1], count if isinstance(count, int) else None)] * 2


def _moments(arguments: Arguments) -> list[Shape | None]:
    if shape_of(arguments["x"]) is None:
        return [None, None]
    stated = {"axis": arguments.get("axes"), "keepdims": arguments.get("keepdims")}
    return [_reduced({"x": arguments["x"], **stated})] * 2


def _twice(arguments: Arguments) -> list[Shape | None]:
    return [shape_of(next(iter(arguments.values())))] * 2


def _meshed(arguments: Arguments) -> list[Shape | None]:
    """Coordinates: of `xy`, the second of them runs along the first axis."""
    extents = [flattened({"x": item})[0] for item in arguments["args"]]
    if arguments.get("indexing", "xy") == "xy" and len(extents) > 1:
        extents[:2] = extents[1::-1]
    return [tuple(extents)] * len(extents)


def _framed(arguments: Arguments) -> Shape | None:
    *others, n = first_shape(arguments)
    length, step = int(arguments["frame_length"]), int(arguments["frame_step"])
    if n is None or arguments.get("axis", -1) != -1:
        return None
    count = -(-n // step) if arguments.get("pad_end") else max(0, 1 + (n - length) // step)
    return (*others, count, length)


def _halved(arguments: Arguments) -> Shape | None:
    *others, n = first_shape(arguments)
    stated = arguments.get("fft_length")
    points = n if stated is None else (extents_of(stated) or (None,))[0]
    return (*others, None if points is None else points // 2 + 1)


def _counted_one(arguments: Arguments) -> Shape:
    return (int(arguments["window_length"]),)


def _none(arguments: Arguments) -> None:
    return None


def _scalar(arguments: Arguments) -> Shape:
    return ()


#: Shape rules by family, for the tables of listed functions.
FAMILIES: Mapping[str, ShapeRule] = {
    **ARRANGEMENT,
    "same": _same,
    "broadcast": _broadcast_all,
    "reduced": _reduced,
    "reduced-first": _reduced_by_one(0),
    "reduced-last": _reduced_by_one(-1),
    "matmul": _matrix_product,
    "dot": _dot,
    "hot": _hot,
    "ranks": _ranks,
    "counted": _counted,
    "resized": _resized,
    "constant": _constant,
    "top": _top,
    "moments": _moments,
    "scalar": _scalar,
    "twice": _twice,
    "meshed": _meshed,
    "framed": _framed,
    "halved": _halved,
    "counted-one": _counted_one,
    "-": _none,
}


#: Families whose functions have several results.
SEVERAL = frozenset({"split", "unstacked", "top", "moments", "twice", "meshed"})
