"""Layers that combine several inputs."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec
from transforms.records.inspection import Shape


def broadcast(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    """The shape of an element-wise operation, with broadcast of extents of 1."""
    del options
    rank = max(map(len, inputs))
    if any(len(shape) != rank for shape in inputs):
        return [(None,) * rank]
    return [tuple(_widest(extents) for extents in zip(*inputs, strict=True))]


def concatenated(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    """Extents add up on one axis."""
    axis = options.get("axis", -1) % len(inputs[0])
    extents = [shape[axis] for shape in inputs]
    total = None if None in extents else sum(extent for extent in extents if extent is not None)
    return [
        tuple(
            total if index == axis else next((shape[index] for shape in inputs if shape[index] is not None), None)
            for index in range(len(inputs[0]))
        )
    ]


def _widest(extents: Sequence[int | None]) -> int | None:
    known = {extent for extent in extents if extent != 1}
    return known.pop() if len(known) == 1 else None if known else 1


def _dot(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    x, y = inputs
    axes = options["axes"]
    of_x, of_y = axes if isinstance(axes, list) else (axes, axes)
    rest = [extent for axis, extent in enumerate(x) if axis != of_x % len(x)]
    rest += [extent for axis, extent in enumerate(y) if axis not in (0, of_y % len(y))]
    return [(*rest, 1) if len(rest) == 1 else tuple(rest)]


SPECS = (
    *(LayerSpec(name, shape=broadcast) for name in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")),
    LayerSpec("Concatenate", options={"axis": -1}, shape=concatenated, keeps_values=True),
    LayerSpec("Dot", options={"axes": REQUIRED, "normalize": False}, shape=_dot),
)
