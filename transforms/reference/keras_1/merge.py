"""Merge: every named mode, as computed by `Merge.call` of `engine/topology.py`."""

from __future__ import annotations

from functools import reduce

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered
from transforms.reference.layers.spatial_layer import is_theano

#: `K.epsilon()` of Keras 1.
_EPSILON = 1e-7


def merge(call: LayerCall) -> Array:
    """sum, mul, max, ave element by element; concat along `concat_axis`; dot and cos of two inputs over `dot_axes`."""
    mode = merge_mode(call)
    if mode == "concat":
        return np.concatenate(call.inputs, axis=call.option("concat_axis", -1))
    if mode in ("dot", "cos"):
        return _product(call, mode)
    if len({x.ndim for x in call.inputs}) > 1:
        raise NotCovered(f"a Merge of inputs of {[x.ndim for x in call.inputs]} axes", call.path)
    if mode == "ave":
        return np.asarray(reduce(np.add, call.inputs) / len(call.inputs))
    return np.asarray(reduce({"sum": np.add, "mul": np.multiply, "max": np.maximum}[mode], call.inputs))


def merge_mode(call: LayerCall) -> str:
    """The mode by name. Raises NotCovered for a function."""
    mode = call.option("mode", "sum")
    if mode not in ("sum", "mul", "max", "ave", "concat", "dot", "cos") or call.option("mode_type", "raw") != "raw":
        raise NotCovered(f"the merge mode {mode!r}", call.path)
    return str(mode)


def _product(call: LayerCall, mode: str) -> Array:
    """dot: `K.batch_dot(x, y)`.

    cos: batch_dot(x, y) / max(sqrt(batch_dot(x, x) batch_dot(y, y)), 1e-7), then a new axis after the batch.
    """
    if len(call.inputs) != 2:
        raise NotCovered(f"the merge mode {mode!r} of {len(call.inputs)} inputs", call.path)
    x, y = (np.asarray(value, dtype=np.float64) for value in call.inputs)
    axes = _dot_axes(call, x, y)
    dot = _batch_dot(call, x, y, axes)
    if mode == "dot":
        return dot
    lengths = np.sqrt(_batch_dot(call, x, x, axes) * _batch_dot(call, y, y, axes))
    if not np.isfinite(lengths).all():
        raise NotCovered("cosines of sequences, whose squared lengths came out negative", call.path)
    return np.expand_dims(dot / np.maximum(lengths, _EPSILON), 1)


def _dot_axes(call: LayerCall, x: Array, y: Array) -> tuple[int, int]:
    """`dot_axes` as a pair; one negative integer counts from the end of either input."""
    stored = call.option("dot_axes", -1)
    if isinstance(stored, int):
        pair = (stored % x.ndim, stored % y.ndim) if stored < 0 else (stored, stored)
    else:
        pair = tuple(stored)
    if len(pair) != 2 or not (0 < pair[0] < x.ndim and 0 < pair[1] < y.ndim):
        raise NotCovered(f"dot_axes {stored!r}", call.path)
    return pair


def _batch_dot(call: LayerCall, x: Array, y: Array, axes: tuple[int, int]) -> Array:
    """`K.batch_dot`; (n, 1) if only the batch axis remains.

    Theano sums over one axis of each, whatever their rank (`T.batched_tensordot`). TensorFlow multiplies matrices over
    the last two axes and pairs the axes before them; x is transposed unless its summed axis is the last, y if it is.
    """
    if is_theano(call):
        rows = [np.tensordot(a, b, axes=(axes[0] - 1, axes[1] - 1)) for a, b in zip(x, y, strict=True)]
        out = np.stack(rows)
    elif x.ndim == 2 and y.ndim == 2:
        out = (x * y).sum(axis=1)
    elif x.ndim != y.ndim:
        raise NotCovered(f"a product of inputs of {x.ndim} and {y.ndim} axes on TensorFlow", call.path)
    else:
        left = x if axes[0] == x.ndim - 1 else np.swapaxes(x, -1, -2)
        right = np.swapaxes(y, -1, -2) if axes[1] == y.ndim - 1 else y
        if left.shape[:-2] != right.shape[:-2] or left.shape[-1] != right.shape[-2]:
            raise NotCovered(f"a product of {x.shape} and {y.shape} over {axes}", call.path)
        out = left @ right
    return out[:, np.newaxis] if out.ndim == 1 else out
