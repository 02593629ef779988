"""Functions that combine entries along axes: sums, norms, extremes, products of matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, axes, clear_of_ties, integers, pair, real
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.layers import activations


def _reduction(function: Callable[..., Any]) -> Callable[..., Array]:
    def rule(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Array:
        return np.asarray(function(array(input_tensor), axis=axes(axis), keepdims=bool(keepdims)))

    return rule


def _log_sum_exp(x: Array, axis: Any, keepdims: bool) -> Array:
    highest = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - highest), axis=axis, keepdims=True)) + highest
    return total if keepdims else np.asarray(np.squeeze(total, axis=axis))


def _length(x: Array, axis: Any, keepdims: bool) -> Array:
    return np.asarray(np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims)))


def _all(x: Array, axis: Any, keepdims: bool) -> Array:
    return np.asarray(np.all(x, axis=axis, keepdims=keepdims))


def _extreme(place: Callable[..., Any], descending: bool) -> Callable[..., Array]:
    """Argmax and argmin: the first position if several are equal."""

    def rule(input: Any, axis: Any = None, output_type: Any = "int64") -> Array:
        x, along = array(input), 0 if axis is None else int(axis)
        real(output_type)
        ranked = np.sort(x, axis=along)
        if x.shape[along] > 1:
            last, other = (-1, -2) if descending else (0, 1)
            clear_of_ties(np.take(ranked, last, axis=along), np.take(ranked, other, axis=along))
        return np.asarray(place(x, axis=along))

    return rule


def _cumulative(function: Callable[..., Any], neutral: float) -> Callable[..., Array]:
    def rule(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False) -> Array:
        along = int(axis)
        values = np.flip(array(x), axis=along) if reverse else array(x)
        y = function(values, axis=along)
        if exclusive:
            first = np.full_like(np.take(y, [0], axis=along), neutral)
            y = np.concatenate([first, np.take(y, range(y.shape[along] - 1), axis=along)], axis=along)
        return np.asarray(np.flip(y, axis=along) if reverse else y)

    return rule


def _norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, keep_dims: Any = None) -> Array:
    """The Euclidean norm, or that of order 1, 2 or infinity over one axis."""
    kept, along, x = bool(keepdims or keep_dims), axes(axis), array(tensor)
    if ord in ("euclidean", "fro") or (ord in (2, 2.0) and not isinstance(along, tuple)):
        return _length(x, along, kept)
    if ord in (1, 1.0) and isinstance(along, int):
        return np.asarray(np.sum(np.abs(x), axis=along, keepdims=kept))
    if ord == np.inf and isinstance(along, int):
        return np.asarray(np.max(np.abs(x), axis=along, keepdims=kept))
    raise NotCovered(f"a norm of order {ord}")


def _unit_length(x: Any, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Array:
    """L2 normalization, x / sqrt(max(sum(x^2), epsilon))."""
    values = array(x)
    squares = np.sum(np.square(values), axis=axes(axis if dim is None else dim), keepdims=True)
    return np.asarray(values / np.sqrt(np.maximum(squares, epsilon)))


def _clip_by_norm(t: Any, clip_norm: Any, axes_: Any = None) -> Array:
    x, limit = array(t), array(clip_norm, t)
    length = _length(x, axes(axes_), True)
    return np.asarray(x * limit / np.maximum(length, limit))


def _count_nonzero(input: Any, axis: Any = None, keepdims: Any = None, dtype: Any = "int64") -> Array:
    count = np.sum(array(input) != 0, axis=axes(axis), keepdims=bool(keepdims))
    return np.asarray(count, dtype=np.float64 if real(dtype) == "f" else np.int64)


def _log_softmax(logits: Any, axis: Any = -1) -> Array:
    x = np.moveaxis(array(logits), int(axis), -1)
    return np.moveaxis(activations.log_softmax(x), -1, int(axis))


def _matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> Array:
    x, y = pair(a, b)
    x = np.swapaxes(x, -1, -2) if transpose_a or adjoint_a else x
    y = np.swapaxes(y, -1, -2) if transpose_b or adjoint_b else y
    return np.asarray(x @ y)


def _tensordot(a: Any, b: Any, axes: Any) -> Array:
    x, y = pair(a, b)
    if isinstance(axes, int):
        return np.asarray(np.tensordot(x, y, axes=axes))
    first, second = (integers(each) for each in axes)
    return np.asarray(np.tensordot(x, y, axes=(first, second)))


def _einsum(equation: str, inputs: Any) -> Array:
    tensors = [item for item in inputs if isinstance(item, np.ndarray)]
    return np.asarray(np.einsum(equation.replace(" ", ""), *(array(item, tensors[0]) for item in inputs)))


def _top_k(input: Any, k: Any = 1, sorted: bool = True) -> tuple[Array, Array]:
    x, count = array(input), int(k)
    if not sorted:
        raise NotCovered("top_k in no order")
    order = np.argsort(-x, axis=-1, kind="stable")
    ranked = np.take_along_axis(x, order, axis=-1)
    seen = ranked[..., : count + 1]
    clear_of_ties(seen[..., :-1], seen[..., 1:])
    return ranked[..., :count], order[..., :count]


def _sort(values: Any, axis: Any = -1, direction: str = "ASCENDING") -> Array:
    ascending = np.sort(array(values), axis=int(axis))
    return ascending if direction == "ASCENDING" else np.flip(ascending, axis=int(axis))


def _local_response(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Array:
    """Local response, x / (bias + alpha * s)^beta, with s the sum of squares of the channels at most `depth_radius`
    away.
    """
    x = array(input)
    channels = x.shape[-1]
    near = np.abs(np.subtract.outer(np.arange(channels), np.arange(channels))) <= int(depth_radius)
    return np.asarray(x / (bias + alpha * (np.square(x) @ near.astype(np.float64))) ** beta)


REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "math.reduce_all": _reduction(_all),
    "math.reduce_any": _reduction(np.any),
    "math.reduce_max": _reduction(np.max),
    "math.reduce_mean": _reduction(np.mean),
    "math.reduce_min": _reduction(np.min),
    "math.reduce_prod": _reduction(np.prod),
    "math.reduce_std": _reduction(np.std),
    "math.reduce_sum": _reduction(np.sum),
    "math.reduce_variance": _reduction(np.var),
    "math.reduce_logsumexp": _reduction(_log_sum_exp),
    "math.reduce_euclidean_norm": _reduction(_length),
    "math.argmax": _extreme(np.argmax, True),
    "math.argmin": _extreme(np.argmin, False),
    "math.count_nonzero": _count_nonzero,
    "math.cumsum": _cumulative(np.cumsum, 0.0),
    "math.cumprod": _cumulative(np.cumprod, 1.0),
    "math.l2_normalize": _unit_length,
    "math.top_k": _top_k,
    "sort": _sort,
    "compat.v1.norm": _norm,
    "clip_by_norm": lambda t, clip_norm, axes=None: _clip_by_norm(t, clip_norm, axes),
    "nn.l2_loss": lambda t: np.asarray(np.sum(np.square(array(t))) / 2.0),
    "nn.softmax": lambda logits, axis=-1: activations.softmax(array(logits), int(axis)),
    "nn.log_softmax": _log_softmax,
    "nn.local_response_normalization": _local_response,
    "linalg.matmul": _matmul,
    "tensordot": _tensordot,
    "einsum": _einsum,
    "linalg.trace": lambda x: np.asarray(np.trace(array(x), axis1=-2, axis2=-1)),
}
