"""Static shapes of listed functions' results, as the writing runtime knew them when it built the model.

They are only used for control flow and arithmetic on extents: `K.int_shape(y)[1]` of a function's own tensor. A rule
returns None for an unknown shape; both evaluations of an expression compute their own shapes.
"""

from __future__ import annotations

import math
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


def _first(arguments: Arguments) -> Shape:
    shape = shape_of(next(iter(arguments.values())))
    if shape is None:
        raise ValueError("not known")
    return tuple(shape)


def _same(arguments: Arguments) -> Shape:
    return _first(arguments)


def _broadcast_all(arguments: Arguments) -> Shape | None:
    names = ("x", "y", "condition", "a", "then_expression", "else_expression", "x1", "x2")
    return broadcast([shape_of(value) for name, value in arguments.items() if name in names])


def _axes(value: Value, rank: int) -> set[int]:
    if value is None:
        return set(range(rank))
    return {int(axis) % rank for axis in (value if isinstance(value, (list, tuple, range)) else [value])}


def _reduced(arguments: Arguments) -> Shape:
    shape = _first(arguments)
    axes = _axes(arguments.get("axis"), len(shape))
    if arguments.get("keepdims"):
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def _reduced_by_one(default: int | None) -> ShapeRule:
    """Argmax and similar functions, whose axis is optional."""

    def rule(arguments: Arguments) -> Shape:
        axis = arguments.get("axis")
        return _reduced({**arguments, "axis": default if axis is None else axis})

    return rule


def _getitem(arguments: Arguments) -> Shape:
    shape, spec = list(_first(arguments)), arguments["slice_spec"]
    parts = list(spec) if isinstance(spec, (list, tuple)) else [spec]
    taken = sum(part is not None and part is not ... for part in parts)
    if ... in [part for part in parts if not isinstance(part, (Tensor, np.ndarray))]:
        place = next(index for index, part in enumerate(parts) if part is ...)
        parts[place : place + 1] = [slice(None)] * (len(shape) - taken)
    else:
        parts += [slice(None)] * (len(shape) - taken)
    found: list[int | None] = []
    for part in parts:
        if part is None:
            found.append(1)
            continue
        extent = shape.pop(0)
        if isinstance(part, slice):
            found.append(_sliced(extent, part))
    return tuple(found)


def _sliced(extent: int | None, part: slice) -> int | None:
    start, stop, step = (
        bound.content if isinstance(bound, Tensor) else bound for bound in (part.start, part.stop, part.step)
    )
    given = (part.start, part.stop, part.step)
    if any(isinstance(bound, Tensor) and not isinstance(bound.content, int) for bound in given):
        return None
    if extent is not None:
        return len(range(*slice(start, stop, step).indices(extent)))
    return None


def _reshaped(target: Sequence[int | None], shape: Shape | None) -> Shape:
    known = [extent for extent in target if extent not in (None, -1)]
    if len(known) == len(target) - 1 and shape is not None and None not in shape:
        rest = math.prod(extent or 0 for extent in shape) // math.prod(extent or 0 for extent in known)
        return tuple(rest if extent in (None, -1) else extent for extent in target)
    return tuple(None if extent == -1 else extent for extent in target)


def _reshape(arguments: Arguments) -> Shape | None:
    values = list(arguments.values())
    target = extents_of(values[1])
    return None if target is None else _reshaped(target, shape_of(values[0]))


def _stated(name: str) -> ShapeRule:
    """The shape that an argument states."""

    def rule(arguments: Arguments) -> Shape | None:
        target = extents_of(arguments[name])
        return None if target is None else tuple(None if extent == -1 else extent for extent in target)

    return rule


def _transpose(arguments: Arguments) -> Shape:
    shape = _first(arguments)
    order = arguments.get("perm", arguments.get("pattern", arguments.get("axes")))
    return shape[::-1] if order is None else tuple(shape[int(axis)] for axis in order)


def _expanded(arguments: Arguments) -> Shape:
    shape = _first(arguments)
    axis = int(arguments.get("axis", -1)) % (len(shape) + 1)
    return (*shape[:axis], 1, *shape[axis:])


def _squeezed(arguments: Arguments) -> Shape | None:
    shape = _first(arguments)
    stated = arguments.get("axis", arguments.get("squeeze_dims"))
    if stated is None or stated == []:
        return None if None in shape else tuple(extent for extent in shape if extent != 1)
    axes = _axes(stated, len(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def _parts(arguments: Arguments) -> list[Shape]:
    shapes = [shape_of(item) for item in next(iter(arguments.values()))]
    if None in shapes:
        raise ValueError("not known")
    return [shape for shape in shapes if shape is not None]


def _concatenated(default: int) -> ShapeRule:
    def rule(arguments: Arguments) -> Shape:
        shapes = _parts(arguments)
        axis = int(arguments.get("axis", default)) % len(shapes[0])
        extents = [shape[axis] for shape in shapes]
        total = None if None in extents else sum(extent for extent in extents if extent is not None)
        return tuple(
            total if place == axis else next((shape[place] for shape in shapes if shape[place] is not None), None)
            for place in range(len(shapes[0]))
        )

    return rule


def _stacked(arguments: Arguments) -> Shape:
    shapes = _parts(arguments)
    axis = int(arguments.get("axis", 0)) % (len(shapes[0]) + 1)
    return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])


def _split(arguments: Arguments) -> list[Shape | None]:
    shape = shape_of(next(iter(arguments.values())))
    count = arguments.get("num_or_size_splits", arguments.get("indices_or_sections"))
    parts = count if isinstance(count, int) else len(extents_of(count) or ())
    if shape is None:
        return [None] * parts
    axis = int(arguments.get("axis", 0)) % len(shape)
    extent = shape[axis]
    if isinstance(count, int):
        sizes: list[int | None] = [None if extent is None else extent // count] * count
    else:
        sizes = [None if size == -1 else size for size in (extents_of(count) or ())]
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _unstacked(arguments: Arguments) -> list[Shape | None]:
    shape, count = shape_of(next(iter(arguments.values()))), arguments.get("num")
    if shape is None:
        return [None] * int(count or "unknown")
    axis = int(arguments.get("axis", 0)) % len(shape)
    parts = shape[axis] if count is None else int(count)
    return [(*shape[:axis], *shape[axis + 1 :])] * (parts or 0)


def _tiled(arguments: Arguments) -> Shape:
    shape = _first(arguments)
    times = extents_of(next(arguments[name] for name in ("multiples", "n", "repeats") if name in arguments))
    if times is None:
        raise ValueError("not known")
    times = (1,) * (len(shape) - len(times)) + times
    return tuple(None if a is None or b is None else a * b for a, b in zip(shape, times, strict=True))


def _repeated_elements(arguments: Arguments) -> Shape:
    shape, times = list(_first(arguments)), arguments.get("rep", arguments.get("repeats"))
    axis = int(arguments["axis"]) % len(shape)
    extent = shape[axis]
    shape[axis] = None if extent is None or not isinstance(times, int) else extent * times
    return tuple(shape)


def _padded(pads: Callable[[Arguments, int], Sequence[Sequence[Any]]]) -> ShapeRule:
    def rule(arguments: Arguments) -> Shape:
        shape = _first(arguments)
        found = pads(arguments, len(shape))
        return tuple(
            None if extent is None or not all(isinstance(size, int) for size in pair) else extent + sum(pair)
            for extent, pair in zip(shape, found, strict=True)
        )

    return rule


def _gathered(arguments: Arguments) -> Shape | None:
    """Rows by index; along another axis only if it is stated."""
    table, places = (shape_of(value) for value in list(arguments.values())[:2])
    if table is None or places is None or arguments.get("batch_dims"):
        return None
    axis = int(arguments.get("axis") or 0) % len(table)
    return (*table[:axis], *places, *table[axis + 1 :])


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
    shape = _first(arguments)
    depth = arguments.get("depth", arguments.get("num_classes"))
    axis = arguments.get("axis", -1)
    place = len(shape) if axis in (None, -1) else int(axis)
    return (*shape[:place], depth if isinstance(depth, int) else None, *shape[place:])


def _flattened(arguments: Arguments) -> Shape:
    shape = _first(arguments)
    return (None if None in shape else math.prod(extent or 0 for extent in shape),)


def _flattened_rows(arguments: Arguments) -> Shape:
    batch, *rest = _first(arguments)
    return batch, None if None in rest else math.prod(extent or 0 for extent in rest)


def _ranks(arguments: Arguments) -> Shape:
    return (len(_first(arguments)),)


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
    shape, size = _first(arguments), extents_of(arguments["size"])
    if size is None:
        raise ValueError("not known")
    return (*shape[:-3], *size, shape[-1])


def _blocks(larger: bool) -> ShapeRule:
    def rule(arguments: Arguments) -> Shape:
        n, h, w, c = _first(arguments)
        size = int(arguments["block_size"])
        if larger:
            return n, _times(h, size), _times(w, size), None if c is None else c // size**2
        return n, None if h is None else h // size, None if w is None else w // size, _times(c, size * size)

    return rule


def _times(extent: int | None, factor: int) -> int | None:
    return None if extent is None else extent * factor


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
    extents = [_flattened({"x": item})[0] for item in arguments["args"]]
    if arguments.get("indexing", "xy") == "xy" and len(extents) > 1:
        extents[:2] = extents[1::-1]
    return [tuple(extents)] * len(extents)


def _framed(arguments: Arguments) -> Shape | None:
    *others, n = _first(arguments)
    length, step = int(arguments["frame_length"]), int(arguments["frame_step"])
    if n is None or arguments.get("axis", -1) != -1:
        return None
    count = -(-n // step) if arguments.get("pad_end") else max(0, 1 + (n - length) // step)
    return (*others, count, length)


def _halved(arguments: Arguments) -> Shape | None:
    *others, n = _first(arguments)
    stated = arguments.get("fft_length")
    points = n if stated is None else (extents_of(stated) or (None,))[0]
    return (*others, None if points is None else points // 2 + 1)


def _counted_one(arguments: Arguments) -> Shape:
    return (int(arguments["window_length"]),)


def _none(arguments: Arguments) -> None:
    return None


def _scalar(arguments: Arguments) -> Shape:
    return ()


def _permuted_2(arguments: Arguments) -> Shape:
    shape = _first(arguments)
    return (*shape[:-2], shape[-1], shape[-2])


def _pads(arguments: Arguments, rank: int) -> Sequence[Sequence[Any]]:
    return list(next(arguments[name] for name in ("paddings", "pad_width") if name in arguments))


def _temporal_pads(arguments: Arguments, rank: int) -> Sequence[Sequence[Any]]:
    stated = arguments.get("padding", (1, 1))
    both = (stated, stated) if isinstance(stated, int) else stated
    return [(0, 0), both, *[(0, 0)] * (rank - 2)]


def _spatial_pads(arguments: Arguments, rank: int) -> Sequence[Sequence[Any]]:
    stated = arguments.get("padding", 1)
    pairs = [
        (each, each) if isinstance(each, int) else each
        for each in ([stated] * (rank - 2) if isinstance(stated, int) else stated)
    ]
    if arguments.get("data_format") in ("channels_first", "th"):
        return [(0, 0), (0, 0), *pairs]
    return [(0, 0), *pairs, (0, 0)]


#: Shape rules by family, for the tables of listed functions.
FAMILIES: Mapping[str, ShapeRule] = {
    "same": _same,
    "broadcast": _broadcast_all,
    "reduced": _reduced,
    "reduced-first": _reduced_by_one(0),
    "reduced-last": _reduced_by_one(-1),
    "getitem": _getitem,
    "reshape": _reshape,
    "stated": _stated("shape"),
    "dims": _stated("dims"),
    "transpose": _transpose,
    "matrix-transpose": _permuted_2,
    "expanded": _expanded,
    "squeezed": _squeezed,
    "concatenated": _concatenated(-1),
    "concatenated-first": _concatenated(0),
    "stacked": _stacked,
    "split": _split,
    "unstacked": _unstacked,
    "tiled": _tiled,
    "repeated": _repeated_elements,
    "padded": _padded(_pads),
    "temporal": _padded(_temporal_pads),
    "spatial": _padded(_spatial_pads),
    "gathered": _gathered,
    "matmul": _matrix_product,
    "dot": _dot,
    "hot": _hot,
    "flattened": _flattened,
    "rows": _flattened_rows,
    "ranks": _ranks,
    "counted": _counted,
    "resized": _resized,
    "larger": _blocks(True),
    "smaller": _blocks(False),
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
