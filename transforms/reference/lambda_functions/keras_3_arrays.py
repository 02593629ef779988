"""Further functions of `keras.ops` that make or arrange arrays (keras/src/ops/numpy.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.operands import array, axes, clear_of_ties, pair, real
from transforms.reference.layer_call import Array, NotCovered

_KINDS = {"f": np.float64, "i": np.int64, "b": bool}


def _array(x: Any, dtype: Any = None) -> Array:
    return array(x) if dtype is None else ELEMENTWISE["cast"](array(x), dtype=dtype)


def _argsort(x: Any, axis: Any = -1) -> Array:
    values = array(x)
    order = np.argsort(values, axis=int(axis), kind="stable")
    ranked = np.moveaxis(np.take_along_axis(values, order, axis=int(axis)), int(axis), -1)
    clear_of_ties(ranked[..., :-1], ranked[..., 1:])
    return order


def _eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Array:
    return np.eye(int(N), None if M is None else int(M), k=int(k)).astype(_KINDS[real(dtype)])


def _linspace(start: Any, stop: Any, num: Any = 50, endpoint: Any = True, axis: Any = 0) -> Array:
    return np.linspace(array(start), array(stop), int(num), endpoint=bool(endpoint), axis=int(axis))


def _count(x: Any, axis: Any = None) -> Array:
    return np.asarray(np.count_nonzero(array(x), axis=axes(axis)))


def _finite(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """The limits of float32 in the place of infinities."""
    most = float(np.finfo(np.float32).max)
    high, low = most if posinf is None else float(posinf), -most if neginf is None else float(neginf)
    return np.nan_to_num(array(x), nan=float(nan), posinf=high, neginf=low)


def _median(x: Any, axis: Any = None, keepdims: Any = False) -> Array:
    return np.asarray(np.median(array(x), axis=axes(axis), keepdims=bool(keepdims)))


def _meshgrid(args: Any, indexing: Any = "xy") -> tuple[Array, ...]:
    if indexing not in ("xy", "ij"):
        raise NotCovered(f"ops.meshgrid indexed by {indexing}")
    return tuple(np.meshgrid(*map(array, args), indexing="ij" if indexing == "ij" else "xy"))


_RULES: Mapping[str, Callable[..., Any]] = {
    "argsort": _argsort,
    "array": _array,
    "count_nonzero": _count,
    "eye": _eye,
    "hstack": lambda xs: np.hstack([array(x) for x in xs]),
    "linspace": _linspace,
    "median": _median,
    "meshgrid": _meshgrid,
    "nan_to_num": _finite,
    "outer": lambda x1, x2: np.outer(*pair(x1, x2)),
    "ravel": lambda x: array(x).reshape(-1),
    "sort": lambda x, axis=-1: np.sort(array(x), axis=int(axis)),
    "vstack": lambda xs: np.vstack([array(x) for x in xs]),
}

#: The rules by full name.
ARRAYS: Mapping[str, Callable[..., Any]] = {f"keras.ops.{name}": rule for name, rule in _RULES.items()}
