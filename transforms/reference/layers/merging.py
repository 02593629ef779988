"""Layers that merge several inputs into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from transforms.records.runtime import Family, Runtime
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.spatial_layer import is_theano


def _elementwise(combine: Callable[[list[Array]], Array], count: int | None = None) -> StatelessLayer:
    """A merge of elements, for any number of inputs or for exactly `count`."""

    def layer(call: LayerCall) -> Array:
        if count is not None and len(call.inputs) != count:
            raise NotCovered(f"{call.class_name} of {len(call.inputs)} inputs", call.path)
        return combine(_of_one_rank(call.inputs))

    return layer


def _of_one_rank(inputs: tuple[Array, ...]) -> list[Array]:
    """Inputs of lower rank get axes of length 1 right after the batch axis (`_Merge.call`, all of Keras 2).

    So (n, c) broadcasts with (n, t, c) as (n, 1, c). NumPy would insert the axes before the batch.
    """
    rank = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs]


def _add(inputs: list[Array]) -> Array:
    return np.asarray(reduce(np.add, inputs))


def _average(inputs: list[Array]) -> Array:
    return np.asarray(reduce(np.add, inputs) / len(inputs))


def _concatenate(call: LayerCall) -> Array:
    return np.concatenate(call.inputs, axis=call.option("axis", -1))


def _dot(call: LayerCall) -> Array:
    """Dot: both inputs summed over one axis each, sample by sample, optionally of unit length along that axis."""
    if len(call.inputs) != 2:
        raise NotCovered(f"Dot of {len(call.inputs)} inputs", call.path)
    x, y = (np.asarray(value, dtype=np.float64) for value in call.inputs)
    stored = call.config.get("axes")
    pair = (stored, stored) if isinstance(stored, int) else tuple(stored or ())
    if len(pair) != 2:
        raise NotCovered(f"axes {stored!r} of Dot", call.path)
    a, b = pair[0] % x.ndim, pair[1] % y.ndim
    if a == 0 or b == 0:
        raise NotCovered("Dot over the batch axis", call.path)
    if call.option("normalize", False):
        x, y = _unit(call, x, a), _unit(call, y, b)
    if max(x.ndim, y.ndim) > 3 and not _contracts(call.runtime):
        return _matrix_product(call, x, y, a, b)
    return _contraction(x, y, a, b)


def _unit(call: LayerCall, x: Array, axis: int) -> Array:
    """`K.l2_normalize`: x / sqrt(max(sum x^2, e)), with e 1e-12 on TensorFlow and K.epsilon(), 1e-7, on Theano."""
    if call.runtime.backend == "cntk":
        raise NotCovered("Dot with normalize under CNTK", call.path)
    floor = 1e-7 if is_theano(call) else 1e-12
    return np.asarray(x / np.sqrt(np.maximum(np.sum(x * x, axis=axis, keepdims=True), floor)))


def _contracts(runtime: Runtime) -> bool:
    """True where `K.batch_dot` contracts inputs of any rank: Theano, Keras 2.3, tf.keras 2.2 and later.

    Before, on TensorFlow, it was a matrix product over the last two axes. Both agree up to three axes.
    """
    return runtime.backend == "theano" or runtime.version >= (2, 3)


def _contraction(x: Array, y: Array, a: int, b: int) -> Array:
    """z[n, i.., j..] = sum over k of x[n, i.., k at a] * y[n, j.., k at b]; (n, 1) if no other axis remains."""
    flat_x = np.moveaxis(x, a, -1).reshape(x.shape[0], -1, x.shape[a])
    flat_y = np.moveaxis(y, b, 1).reshape(y.shape[0], y.shape[b], -1)
    left = [*x.shape[1:a], *x.shape[a + 1 :]]
    right = [*y.shape[1:b], *y.shape[b + 1 :]]
    return (flat_x @ flat_y).reshape(x.shape[0], *((left + right) or [1]))


def _matrix_product(call: LayerCall, x: Array, y: Array, a: int, b: int) -> Array:
    """`K.batch_dot` of Keras 2.2 on TensorFlow for more than three axes: matrix product over the last two, pairs of the
    others.

    The input of lower rank gets axes of length 1 at its end; the one that is not summed over last is transposed.
    """
    if call.runtime.family is Family.KERAS and call.runtime.backend == "cntk":
        raise NotCovered("Dot of more than three axes under CNTK", call.path)
    more = abs(x.ndim - y.ndim)
    at = x.ndim + y.ndim - 3 if x.ndim > y.ndim else x.ndim - 1
    rank = max(x.ndim, y.ndim)
    x, y = (v.reshape(*v.shape, *(1,) * (rank - v.ndim)) for v in (x, y))
    left = x if a == rank - 1 else np.swapaxes(x, -1, -2)
    right = np.swapaxes(y, -1, -2) if b == rank - 1 else y
    try:
        return np.squeeze(left @ right, axis=tuple(range(at, at + more)))
    except ValueError as error:
        raise NotCovered(f"Dot of {x.shape} and {y.shape} over {(a, b)}: {error}", call.path) from error


def _pairwise(function: Any) -> Callable[[list[Array]], Array]:
    return lambda inputs: np.asarray(reduce(function, inputs))


MERGING: Mapping[str, StatelessLayer] = {
    "Add": _elementwise(_add),
    "Subtract": _elementwise(_pairwise(np.subtract), count=2),
    "Multiply": _elementwise(_pairwise(np.multiply)),
    "Average": _elementwise(_average),
    "Maximum": _elementwise(_pairwise(np.maximum)),
    "Minimum": _elementwise(_pairwise(np.minimum)),
    "Concatenate": _concatenate,
    "Dot": _dot,
}
