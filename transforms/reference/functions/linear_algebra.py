"""Functions of matrices and vectors, and special functions of single numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, axes, clear_of_ties, pair
from transforms.reference.layer_call import Array, NotCovered

_QUANTILE = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])
_LOG_GAMMA = np.vectorize(math.lgamma, otypes=[np.float64])


def _main_diagonal(k: Any) -> None:
    if np.any(array(k) != 0):
        raise NotCovered("a diagonal beside the main one")


def _diagonal_matrix(
    diagonal: Any, k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0, align: str = ""
) -> Array:
    """(..., n) -> (..., n, n), zero beside the diagonal."""
    _main_diagonal(k)
    if any(
        np.any(array(value) != unstated) for value, unstated in ((num_rows, -1), (num_cols, -1), (padding_value, 0))
    ):
        raise NotCovered("a diagonal matrix of stated size or filling")
    x = array(diagonal)
    return np.asarray(x[..., np.newaxis] * np.eye(x.shape[-1], dtype=x.dtype))


def _with_diagonal(input: Any, diagonal: Any, k: Any = 0, align: str = "") -> Array:
    _main_diagonal(k)
    x = array(input)
    on = np.eye(x.shape[-2], x.shape[-1], dtype=bool)
    values = array(diagonal, x)
    size = min(x.shape[-2:])
    wide = np.zeros_like(x)
    wide[..., np.arange(size), np.arange(size)] = values
    return np.where(on, wide, x)


def _inverse(input: Any, adjoint: bool = False) -> Array:
    found = np.linalg.inv(array(input))
    return np.asarray(np.swapaxes(found, -1, -2) if adjoint else found)


def _unit(tensor: Any, ord: Any = "euclidean", axis: Any = None) -> tuple[Array, Array]:
    """The tensor divided by its Euclidean norm, and the norm."""
    if ord not in ("euclidean", 2, 2.0):
        raise NotCovered(f"a norm of order {ord}")
    x = array(tensor)
    length = np.sqrt(np.sum(np.square(x), axis=axes(axis), keepdims=True))
    return np.asarray(x / length), np.asarray(length)


def _cumulative_log_sum_exp(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False) -> Array:
    if exclusive:
        raise NotCovered("an exclusive cumulative_logsumexp")
    along = int(axis)
    values = np.flip(array(x), axis=along) if reverse else array(x)
    found = np.logaddexp.accumulate(values, axis=along)
    return np.asarray(np.flip(found, axis=along) if reverse else found)


def _polynomial(coeffs: Any, x: Any) -> Array:
    """Horner's rule, the coefficient of the highest power first."""
    point = array(x, next((each for each in coeffs if isinstance(each, np.ndarray)), np.zeros(())))
    value = array(coeffs[0], point)
    for coefficient in coeffs[1:]:
        value = value * point + array(coefficient, point)
    return np.asarray(value)


def _sigmoid_cross_entropy(labels: Any, logits: Any) -> Array:
    """max(x, 0) - x z + log(1 + exp(-|x|))."""
    z, x = pair(labels, logits)
    return np.asarray(np.maximum(x, 0.0) - x * z + np.log1p(np.exp(-np.abs(x))))


def _digamma(x: float) -> float:
    """psi(x) = psi(x + 1) - 1 / x, and an asymptotic series from 10 on; the reflection formula below 0."""
    if x <= 0:
        if x == int(x):
            return math.nan
        return _digamma(1.0 - x) - math.pi / math.tan(math.pi * x)
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    inverse = 1.0 / (x * x)
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))))
    return total + math.log(x) - 0.5 / x - series


_DIGAMMA = np.vectorize(_digamma, otypes=[np.float64])


def _binary_cross_entropy(target: Any, output: Any, from_logits: bool = False) -> Array:
    """-(z log(p + e) + (1 - z) log(1 - p + e)), p clipped to [e, 1 - e], e = 1e-7 (keras/backend.py, 2.8)."""
    if from_logits:
        return _sigmoid_cross_entropy(target, output)
    z, p = pair(target, output)
    p = np.clip(p, 1e-7, 1.0 - 1e-7)
    return np.asarray(-(z * np.log(p + 1e-7) + (1.0 - z) * np.log(1.0 - p + 1e-7)))


def _places_in_order(values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False) -> Array:
    along, x = int(axis), array(values)
    ordered = np.sort(x, axis=along)
    size = x.shape[along]
    clear_of_ties(np.take(ordered, range(size - 1), axis=along), np.take(ordered, range(1, size), axis=along))
    places = np.argsort(x if direction == "ASCENDING" else -x, axis=along, kind="stable")
    return np.asarray(places)


def _updated(tensor: Any, indices: Any, updates: Any) -> Array:
    """A copy with the entries at the indices replaced; of several for one place, TensorFlow leaves open which."""
    x, places = array(tensor).copy(), array(indices).astype(np.int64)
    flat = places.reshape(-1, places.shape[-1])
    if len(np.unique(flat, axis=0)) < len(flat):
        raise NotCovered("several updates of one entry")
    x[tuple(np.moveaxis(places, -1, 0))] = array(updates, x)
    return x


LINEAR_ALGEBRA: Mapping[str, Callable[..., Any]] = {
    "argsort": _places_in_order,
    "keras.backend.binary_crossentropy": _binary_cross_entropy,
    "linalg.cross": lambda a, b: np.cross(*pair(a, b)),
    "linalg.det": lambda input: np.asarray(np.linalg.det(array(input))),
    "linalg.diag": _diagonal_matrix,
    "linalg.inv": _inverse,
    "linalg.normalize": _unit,
    "linalg.set_diag": _with_diagonal,
    "math.cumulative_logsumexp": _cumulative_log_sum_exp,
    "math.erfinv": lambda x: np.asarray(_QUANTILE((array(x) + 1.0) / 2.0) / math.sqrt(2.0)),
    "math.lgamma": lambda x: np.asarray(_LOG_GAMMA(array(x))),
    "math.polyval": _polynomial,
    "math.zero_fraction": lambda value: np.asarray(np.mean(array(value) == 0)),
    "math.digamma": lambda x: np.asarray(_DIGAMMA(array(x))),
    "nn.sigmoid_cross_entropy_with_logits": _sigmoid_cross_entropy,
    "tensor_scatter_nd_update": _updated,
}
