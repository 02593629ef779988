"""Max and average pooling over windows, and pooling over all positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transforms.records.runtime import Family
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.correlation import Pads, Sizes, pad, shifted
from transforms.reference.layers.spatial_layer import (
    borders,
    channels_first,
    from_channels_last,
    is_theano,
    padding_of,
    sizes,
    to_channels_last,
)


def _pooling(rank: int, average: bool) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        x = to_channels_last(call.x, first)
        window = sizes(call, "pool_size", rank, (2,) * rank)
        strides = sizes(call, "strides", rank, window)
        pads = _borders(call, x.shape[1:-1], window, strides)
        pooled = _average(x, window, strides, pads) if average else _maximum(x, window, strides, pads)
        return from_channels_last(pooled, first)

    return layer


def _maximum(x: Array, window: Sizes, strides: Sizes, pads: Pads) -> Array:
    """The largest element of each window; padding is ignored."""
    views = (view for _, view in shifted(pad(x, pads, -np.inf), window, strides, (1,) * len(window)))
    result = next(views).copy()
    for view in views:
        np.maximum(result, view, out=result)
    return result


def _average(x: Array, window: Sizes, strides: Sizes, pads: Pads) -> Array:
    """The mean over the elements of each window without padding (TensorFlow; `average_exc_pad`)."""
    ones = (1,) * len(window)
    total = sum(view for _, view in shifted(pad(x, pads), window, strides, ones))
    present = np.ones((1, *x.shape[1:-1], 1))
    count = sum(view for _, view in shifted(pad(present, pads), window, strides, ones))
    return np.asarray(total / count)


def _borders(call: LayerCall, lengths: Sequence[int], window: Sizes, strides: Sizes) -> Pads:
    """Padding before and after each axis, so that `same` yields ceil(n / s) positions.

    Theano (`pool2d`, `pool3d` of `theano_backend.py`) pads k - 2 on both sides of an odd window, k - 1 of an even
    one, and cuts the result: a window of 2 starts one position earlier than under TensorFlow.
    """
    padding = padding_of(call)
    if padding != "same" or not is_theano(call):
        if padding == "same":
            _refuse_unknown_same(call, lengths, window, strides)
        return borders(call, padding, lengths, window, strides, (1,) * len(window))
    pads = []
    for n, k, s in zip(lengths, window, strides, strict=True):
        if k == 1 and len(window) == 3:
            raise NotCovered("a pool of 1 with padding 'same' on three axes, which Theano refuses", call.path)
        before = k - 2 if k > 2 and k % 2 == 1 else k - 1
        pads.append((before, max((-(-n // s) - 1) * s + k - n - before, 0)))
    return tuple(pads)


def _refuse_unknown_same(call: LayerCall, lengths: Sequence[int], window: Sizes, strides: Sizes) -> None:
    """Raises NotCovered if the meaning of `same` is unknown.

    On volumes, if the windows end two or more positions before the input does, TensorFlow 2.8 starts them one position
    late; 2.3 and 2.15 do not (measured). Keras 2.4.0 is written by TensorFlow 2.3 and by 2.4.
    """
    if call.runtime.backend == "cntk":
        raise NotCovered("padding 'same' of CNTK's pooling", call.path)
    volumes = len(window) == 3 and call.runtime.family is Family.TF_KERAS and (2, 4) <= call.runtime.version < (2, 15)
    if volumes and any((-(-n // s) - 1) * s + k - n <= -2 for n, k, s in zip(lengths, window, strides, strict=True)):
        raise NotCovered("padding 'same' of a volume whose stride skips its last positions", call.path)


def _global_pooling(rank: int, average: bool) -> StatelessLayer:
    def layer(call: LayerCall) -> Array:
        first = channels_first(call, rank)
        axes = tuple(range(2, 2 + rank)) if first else tuple(range(1, 1 + rank))
        keep = bool(call.option("keepdims", False))
        mask = call.masks[0] if call.masks else None
        if mask is not None:
            if not (average and rank == 1):
                raise NotCovered(f"{call.class_name} with a mask, which no runtime accepts", call.path)
            return _masked_mean(call, mask, first, keep)
        x = np.asarray(call.x, dtype=np.float64)
        return np.asarray(x.mean(axis=axes, keepdims=keep) if average else x.max(axis=axes, keepdims=keep))

    return layer


def _masked_mean(call: LayerCall, mask: Array, first: bool, keep: bool) -> Array:
    """The mean over unmasked steps: sum(x * m) / sum(m), which is 0 / 0 if there is none.

    GlobalAveragePooling1D applies masks since Keras 2.2.3 and in every tf.keras. Before TensorFlow 2.2 the mask had the
    shape (n, t, 1) in either data format, so that channels first failed.
    """
    runtime = call.runtime
    known = runtime.version >= ((2, 2, 3) if runtime.family is Family.KERAS else (2,))
    late = runtime.family is not Family.KERAS and runtime.version >= (2, 3)
    if not known or (first and not late):
        raise NotCovered("GlobalAveragePooling1D does not accept this mask", call.path)
    axis = 2 if first else 1
    weights = np.expand_dims(mask.astype(np.float64), 1 if first else 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (call.x * weights).sum(axis=axis, keepdims=keep)
        return np.asarray(total / weights.sum(axis=axis, keepdims=keep))


POOLING: Mapping[str, StatelessLayer] = {
    **{f"MaxPooling{rank}D": _pooling(rank, average=False) for rank in (1, 2, 3)},
    **{f"AveragePooling{rank}D": _pooling(rank, average=True) for rank in (1, 2, 3)},
    **{f"GlobalMaxPooling{rank}D": _global_pooling(rank, average=False) for rank in (1, 2, 3)},
    **{f"GlobalAveragePooling{rank}D": _global_pooling(rank, average=True) for rank in (1, 2, 3)},
}
