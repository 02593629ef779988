"""Functions that rearrange entries: shapes, axes, slices, copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, axes, integers, real
from transforms.reference.layer_call import Array, NotCovered


def _getitem(tensor: Any, slice_spec: Any = None) -> Array:
    """An index as tf.keras stores it (`_slice_to_dict`): numbers, null for a new axis, objects for slices and dots."""
    parts = slice_spec if isinstance(slice_spec, list) else [slice_spec]
    return np.asarray(array(tensor)[tuple(_index(part) for part in parts)])


def _index(part: Any) -> Any:
    if isinstance(part, Mapping):
        if "class_name" in part:
            return ...
        return slice(*(None if part.get(key) is None else int(part[key]) for key in ("start", "stop", "step")))
    return None if part is None else int(part)


def _strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Array:
    """The masks are bit fields: bit i determines the reading of entry i (the documentation of `tf.strided_slice`)."""
    starts, stops = integers(begin), integers(end)
    steps = [1] * len(starts) if strides is None else integers(strides)
    index: list[Any] = []
    for place, (start, stop, step) in enumerate(zip(starts, stops, steps, strict=True)):
        bit = 1 << place
        if ellipsis_mask & bit:
            index.append(...)
        elif new_axis_mask & bit:
            index.append(None)
        elif shrink_axis_mask & bit:
            index.append(start)
        else:
            index.append(slice(None if begin_mask & bit else start, None if end_mask & bit else stop, step))
    return np.asarray(array(input_)[tuple(index)])


def _slice(input_: Any, begin: Any, size: Any) -> Array:
    pairs = zip(integers(begin), integers(size), strict=True)
    return np.asarray(
        array(input_)[tuple(slice(start, None if count == -1 else start + count) for start, count in pairs)]
    )


def _squeeze(input: Any, axis: Any = None, squeeze_dims: Any = None) -> Array:
    along = axis if squeeze_dims is None else squeeze_dims
    return np.squeeze(array(input), axis=axes(along if along != [] else None))


def _joined(values: Any) -> list[Array]:
    tensors = [item for item in values if isinstance(item, np.ndarray)]
    return [array(item, tensors[0] if tensors else None) for item in values]


def _stack(values: Any, axis: Any = 0) -> Array:
    return np.stack(_joined(values), axis=int(axis))


def _unstack(value: Any, num: Any = None, axis: Any = 0) -> tuple[Array, ...]:
    x = array(value)
    return tuple(np.take(x, index, axis=int(axis)) for index in range(x.shape[int(axis)]))


def _split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None) -> tuple[Array, ...]:
    x, along = array(value), int(axis)
    if np.ndim(num_or_size_splits) == 0:
        return tuple(np.split(x, int(num_or_size_splits), axis=along))
    sizes = integers(num_or_size_splits)
    sizes = [x.shape[along] - sum(sizes) - 1 if size == -1 else size for size in sizes]
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=along))


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Array:
    pads = np.reshape(integers(paddings), (-1, 2))
    modes = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}
    if str(mode).upper() not in modes:
        raise NotCovered(f"pad in the mode {mode}")
    x = array(tensor)
    if str(mode).upper() == "CONSTANT":
        return np.pad(x, pads, constant_values=array(constant_values, x).item())
    return np.pad(x, pads, mode=modes[str(mode).upper()])  # type: ignore[call-overload,no-any-return]


def _gather(params: Any, indices: Any, axis: Any = None, batch_dims: Any = 0, validate_indices: Any = None) -> Array:
    x, places, batch = array(params), array(indices).astype(np.int64), int(batch_dims or 0)
    along = batch if axis is None else int(axis)
    along = along + x.ndim if along < 0 else along
    if places.size and (places.min() < 0 or places.max() >= x.shape[along]):
        raise NotCovered("gather beyond the array")
    if batch == 0:
        return np.take(x, places, axis=along)
    return np.stack([_gather(each, those, along - 1, batch - 1) for each, those in zip(x, places, strict=True)])


def _gather_nd(params: Any, indices: Any, batch_dims: Any = 0) -> Array:
    if batch_dims:
        raise NotCovered("gather_nd with batch dimensions")
    return np.asarray(array(params)[tuple(np.moveaxis(array(indices).astype(np.int64), -1, 0))])


def _repeat(input: Any, repeats: Any, axis: Any = None) -> Array:
    times = integers(repeats)
    return np.repeat(array(input), times[0] if len(times) == 1 else times, axis=None if axis is None else int(axis))


def _one_hot(
    indices: Any, depth: Any, on_value: Any = 1.0, off_value: Any = 0.0, axis: Any = -1, dtype: Any = None
) -> Array:
    """`on_value` at the index; an index out of range has none."""
    hot = array(indices)[..., np.newaxis] == np.arange(int(depth))
    kind = real(dtype) if dtype is not None else np.asarray(on_value).dtype.kind
    values = np.where(hot, on_value, off_value)
    values = values.astype({"f": np.float64, "i": np.int64, "b": bool}[kind])
    return np.moveaxis(values, -1, -1 if axis is None else int(axis))


def _filled(value: float) -> Callable[..., Array]:
    def rule(shape: Any, dtype: Any = None) -> Array:
        return np.full(integers(shape), value, dtype={"f": np.float64, "i": np.int64, "b": bool}[real(dtype)])

    return rule


def _range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Array:
    first, last = (0, start) if limit is None else (start, limit)
    values = np.arange(array(first).item(), array(last).item(), array(delta).item())
    return values if dtype is None else values.astype(np.float64 if real(dtype) == "f" else np.int64)


def _sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool") -> Array:
    counts = array(lengths)
    places = np.arange(int(counts.max() if maxlen is None else maxlen)) < counts[..., np.newaxis]
    return places.astype({"f": np.float64, "i": np.int64, "b": bool}[real(dtype)])


def _band_part(input: Any, num_lower: Any, num_upper: Any) -> Array:
    x, below, above = array(input), int(num_lower), int(num_upper)
    row, column = np.ogrid[: x.shape[-2], : x.shape[-1]]
    kept = ((below < 0) | (row - column <= below)) & ((above < 0) | (column - row <= above))
    return np.where(kept, x, np.zeros_like(x))


def _diagonal(input: Any, k: Any = 0, padding_value: Any = 0, align: str = "") -> Array:
    if np.ndim(k) != 0:
        raise NotCovered("several diagonals")
    return np.diagonal(array(input), offset=int(k), axis1=-2, axis2=-1)


ARRANGEMENT: Mapping[str, Callable[..., Any]] = {
    "__operators__.getitem": _getitem,
    "strided_slice": _strided_slice,
    "slice": _slice,
    "reshape": lambda tensor, shape: np.reshape(array(tensor), integers(shape)),
    "keras.backend.batch_flatten": lambda x: np.reshape(x, (len(x), -1)),
    "compat.v1.transpose": lambda a, perm=None: np.transpose(a, None if perm is None else integers(perm)),
    "linalg.matrix_transpose": lambda a: np.swapaxes(array(a), -1, -2),
    "expand_dims": lambda input, axis: np.expand_dims(array(input), int(axis)),
    "compat.v1.squeeze": _squeeze,
    "concat": lambda values, axis: np.concatenate(_joined(values), axis=int(axis)),
    "stack": _stack,
    "unstack": _unstack,
    "split": _split,
    "tile": lambda input, multiples: np.tile(array(input), integers(multiples)),
    "repeat": _repeat,
    "reverse": lambda tensor, axis: np.flip(array(tensor), axis=axes(axis)),
    "roll": lambda input, shift, axis: np.roll(array(input), integers(shift), axis=integers(axis)),
    "compat.v1.pad": _pad,
    "compat.v1.gather": _gather,
    "compat.v1.gather_nd": _gather_nd,
    "broadcast_to": lambda input, shape: np.broadcast_to(array(input), integers(shape)),
    "compat.v1.shape": lambda input, out_type=None: np.asarray(np.shape(input), dtype=np.int64),
    "compat.v1.size": lambda input, out_type=None: np.asarray(np.size(input), dtype=np.int64),
    "rank": lambda input: np.asarray(np.ndim(input), dtype=np.int64),
    "one_hot": _one_hot,
    "fill": lambda dims, value: np.full(integers(dims), array(value)),
    "ones": _filled(1),
    "zeros": _filled(0),
    "range": _range,
    "sequence_mask": _sequence_mask,
    "linalg.band_part": _band_part,
    "linalg.diag_part": _diagonal,
}
