"""Operands of the functions: arrays of the model, and plain values stored in the file.

Floats are float64 here, integers int64. A stored number takes the kind of the other operand; stored floats were
float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from transforms.reference.layer_call import Array, NotCovered

#: Two float32 values that differ by less than this, relatively, may be equal or in another order at run time.
_NEAR = 1e-5


#: Dtypes of whole numbers whose range a cast may leave, after which TensorFlow does not say what it gives.
SMALL_INTEGERS = ("uint8", "int8", "uint16", "int16")


def array(value: Any, like: Any = None) -> Array:
    """The value as an array; a stored one takes the kind of `like`."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    if isinstance(value, list) and any(isinstance(item, np.ndarray) for item in value):
        return np.stack([array(item, like) for item in value])
    found = np.asarray(value)
    kind = np.asarray(like).dtype.kind if isinstance(like, (np.ndarray, np.generic)) else found.dtype.kind
    if kind in "fc":
        return found.astype(np.float32).astype(np.float64)
    return found.astype(bool if kind == "b" else np.int64)


def pair(x: Any, y: Any) -> tuple[Array, Array]:
    """Two operands of one kind."""
    return array(x, y), array(y, x)


def integers(value: Any) -> list[int]:
    """Integers such as a shape or an axis, which may contain scalars that the model computes."""
    return [int(item) for item in np.asarray(array(value)).reshape(-1)]


def axes(value: Any) -> int | tuple[int, ...] | None:
    """One axis, several, or None for all."""
    if value is None:
        return None
    found = integers(value)
    return found[0] if np.ndim(value) == 0 else tuple(found)


def clear_of_ties(x: Array, y: Array) -> None:
    """Raises NotCovered if two floats are so close that they may be equal or swapped in float32."""
    if x.dtype.kind != "f" and y.dtype.kind != "f":
        return
    distance, scale = np.abs(x - y), np.abs(x) + np.abs(y)
    if np.any((distance > 0) & (distance < _NEAR * scale)):
        raise NotCovered("a comparison of numbers too close to each other")


def clear_of_steps(x: Array, steps: Array) -> Array:
    """x, unless it is too close to a step of a rounding function. Raises NotCovered."""
    distance = np.abs(x - steps)
    if np.any((distance > 0) & (distance < _NEAR * (1.0 + np.abs(x)))):
        raise NotCovered("rounding of a number next to a step")
    return x


def real(kind: Any) -> str:
    """The kind of array for a dtype of TensorFlow: `f`, `i`, `b` or `c`."""
    name = "float32" if kind is None else str(kind)
    kinds = {"float32": "f", "float64": "f", "bool": "b", "complex64": "c", "complex128": "c"}
    kinds.update(dict.fromkeys(("int32", "int64", *SMALL_INTEGERS), "i"))
    if name not in kinds:
        raise NotCovered(f"the dtype {name}")
    return kinds[name]
