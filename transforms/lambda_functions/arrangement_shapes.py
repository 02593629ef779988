"""Static shapes of functions that arrange the values of a tensor: slices, reshapes, joins, splits, padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from transforms.lambda_functions.extents import (
    Arguments,
    ShapeRule,
    axes_of,
    extents_of,
    first_shape,
    multiplied,
    shape_of,
)
from transforms.lambda_functions.values import Tensor
from transforms.records.inspection import Shape


def _getitem(arguments: Arguments) -> Shape:
    shape, spec = list(first_shape(arguments)), arguments["slice_spec"]
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
    shape = first_shape(arguments)
    order = arguments.get("perm", arguments.get("pattern", arguments.get("axes")))
    return shape[::-1] if order is None else tuple(shape[int(axis)] for axis in order)


def _expanded(arguments: Arguments) -> Shape:
    shape = first_shape(arguments)
    axis = int(arguments.get("axis", -1)) % (len(shape) + 1)
    return (*shape[:axis], 1, *shape[axis:])


def _squeezed(arguments: Arguments) -> Shape | None:
    shape = first_shape(arguments)
    stated = arguments.get("axis", arguments.get("squeeze_dims"))
    if stated is None or stated == []:
        return None if None in shape else tuple(extent for extent in shape if extent != 1)
    axes = axes_of(stated, len(shape))
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
    shape = first_shape(arguments)
    times = extents_of(next(arguments[name] for name in ("multiples", "n", "repeats") if name in arguments))
    if times is None:
        raise ValueError("not known")
    times = (1,) * (len(shape) - len(times)) + times
    return tuple(None if a is None or b is None else a * b for a, b in zip(shape, times, strict=True))


def _repeated_elements(arguments: Arguments) -> Shape:
    shape, times = list(first_shape(arguments)), arguments.get("rep", arguments.get("repeats"))
    axis = int(arguments["axis"]) % len(shape)
    extent = shape[axis]
    shape[axis] = None if extent is None or not isinstance(times, int) else extent * times
    return tuple(shape)


def _padded(pads: Callable[[Arguments, int], Sequence[Sequence[Any]]]) -> ShapeRule:
    def rule(arguments: Arguments) -> Shape:
        shape = first_shape(arguments)
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


def flattened(arguments: Arguments) -> Shape:
    """All values along one axis."""
    shape = first_shape(arguments)
    return (None if None in shape else math.prod(extent or 0 for extent in shape),)


def _flattened_rows(arguments: Arguments) -> Shape:
    batch, *rest = first_shape(arguments)
    return batch, None if None in rest else math.prod(extent or 0 for extent in rest)


def _blocks(larger: bool) -> ShapeRule:
    def rule(arguments: Arguments) -> Shape:
        n, h, w, c = first_shape(arguments)
        size = int(arguments["block_size"])
        if larger:
            return n, multiplied(h, size), multiplied(w, size), None if c is None else c // size**2
        return n, None if h is None else h // size, None if w is None else w // size, multiplied(c, size * size)

    return rule


def _permuted_2(arguments: Arguments) -> Shape:
    shape = first_shape(arguments)
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


#: Shape rules by family.
ARRANGEMENT: Mapping[str, ShapeRule] = {
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
    "flattened": flattened,
    "rows": _flattened_rows,
    "larger": _blocks(True),
    "smaller": _blocks(False),
}
