"""Functions of `keras.ops` that make, join, split and rearrange arrays, with the meaning of NumPy's.

Source: keras/src/ops/{numpy,core}.py and keras/src/backend/tensorflow/ of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.arrangement import ARRANGEMENT
from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, integers, real
from transforms.reference.layer_call import Array

_KINDS = {"f": np.float64, "i": np.int64, "b": bool}


def _arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Array:
    first, last = (0, start) if stop is None else (start, stop)
    values = np.arange(array(first).item(), array(last).item(), array(step).item())
    return values if dtype is None else values.astype(_KINDS[real(dtype)])


def cast_array(x: Any, dtype: Any) -> Array:
    """An array of the kind of a dtype."""
    return ELEMENTWISE["cast"](x, dtype=dtype)


def _converted(x: Any, dtype: Any = None, sparse: Any = None) -> Array:
    return array(x) if dtype is None else cast_array(x, dtype)


def _concatenate(xs: Any, axis: Any = 0) -> Array:
    return np.concatenate([array(each) for each in xs], axis=int(axis))


def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Array:
    return np.full(integers(shape), array(fill_value)).astype(_KINDS[real(dtype)])


def _filled(value: float) -> Callable[..., Array]:
    return lambda shape, dtype=None: np.full(integers(shape), value, _KINDS[real(dtype)])


def _like(value: float) -> Callable[..., Array]:
    def rule(x: Any, dtype: Any = None) -> Array:
        filled = np.full_like(array(x), value)
        return filled if dtype is None else cast_array(filled, dtype)

    return rule


def _full_like(x: Any, fill_value: Any, dtype: Any = None) -> Array:
    filled = np.full_like(array(x), array(fill_value, array(x)))
    return filled if dtype is None else cast_array(filled, dtype)


def _one_hot(x: Any, num_classes: Any, axis: Any = -1, dtype: Any = None) -> Array:
    return np.asarray(ARRANGEMENT["one_hot"](x, depth=num_classes, axis=axis, dtype=dtype))


def _pad(x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None) -> Array:
    fill = 0 if constant_values is None else constant_values
    return np.asarray(ARRANGEMENT["compat.v1.pad"](array(x), pad_width, mode=str(mode).upper(), constant_values=fill))


def _repeat(x: Any, repeats: Any, axis: Any = None) -> Array:
    return np.asarray(ARRANGEMENT["repeat"](array(x), repeats=repeats, axis=axis))


def _roll(x: Any, shift: Any, axis: Any = None) -> Array:
    return np.roll(array(x), integers(shift) if np.ndim(shift) else int(shift), axis=axes(axis))


def _slice(inputs: Any, start_indices: Any, shape: Any) -> Array:
    return np.asarray(ARRANGEMENT["slice"](array(inputs), start_indices, shape))


def _split(x: Any, indices_or_sections: Any, axis: Any = 0) -> tuple[Array, ...]:
    where = int(indices_or_sections) if np.ndim(indices_or_sections) == 0 else integers(indices_or_sections)
    return tuple(np.split(array(x), where, axis=int(axis)))


def _take(x: Any, indices: Any, axis: Any = None) -> Array:
    values = array(x)
    return np.take(values, array(indices).astype(np.int64), axis=None if axis is None else int(axis))


def _take_along(x: Any, indices: Any, axis: Any = None) -> Array:
    return np.take_along_axis(array(x), array(indices).astype(np.int64), axis=None if axis is None else int(axis))


def _transpose(x: Any, axes: Any = None) -> Array:
    return np.transpose(array(x), None if axes is None else integers(axes))


def _moved(x: Any, source: Any, destination: Any) -> Array:
    return np.moveaxis(array(x), axes(source), axes(destination))  # type: ignore[arg-type]


def _unstack(x: Any, num: Any = None, axis: Any = 0) -> tuple[Array, ...]:
    found: tuple[Array, ...] = ARRANGEMENT["unstack"](array(x), axis=axis)
    return found


def _flip(x: Any, axis: Any = None) -> Array:
    return np.flip(array(x), axis=axes(axis))


def _diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Array:
    return np.diagonal(array(x), int(offset), int(axis1), int(axis2))


def _matrix(function: Callable[..., Any]) -> Callable[..., Array]:
    return lambda x, k=0: np.asarray(function(array(x), int(k)))


#: The rules by name, without `keras.ops.`.
ARRANGING: Mapping[str, Callable[..., Any]] = {
    "arange": _arange,
    "broadcast_to": lambda x, shape: np.broadcast_to(array(x), integers(shape)),
    "concatenate": _concatenate,
    "convert_to_tensor": _converted,
    "diagonal": _diagonal,
    "expand_dims": lambda x, axis: np.expand_dims(array(x), axes(axis)),  # type: ignore[arg-type]
    "flip": _flip,
    "full": _full,
    "full_like": _full_like,
    "identity": lambda n, dtype=None: np.eye(int(n)).astype(_KINDS[real(dtype)]),
    "moveaxis": _moved,
    "one_hot": _one_hot,
    "ones": _filled(1.0),
    "ones_like": _like(1.0),
    "pad": _pad,
    "repeat": _repeat,
    "reshape": lambda x, newshape: np.reshape(array(x), integers(newshape)),
    "roll": _roll,
    "shape": lambda x: np.asarray(np.shape(x), dtype=np.int64),
    "slice": _slice,
    "split": _split,
    "squeeze": lambda x, axis=None: np.squeeze(array(x), axis=axes(axis)),
    "stack": lambda x, axis=0: np.stack([array(each) for each in x], axis=int(axis)),
    "swapaxes": lambda x, axis1, axis2: np.swapaxes(array(x), int(axis1), int(axis2)),
    "take": _take,
    "take_along_axis": _take_along,
    "tile": lambda x, repeats: np.tile(array(x), integers(repeats)),
    "transpose": _transpose,
    "tril": _matrix(np.tril),
    "triu": _matrix(np.triu),
    "unstack": _unstack,
    "zeros": _filled(0.0),
    "zeros_like": _like(0.0),
}
