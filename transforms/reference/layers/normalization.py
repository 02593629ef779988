"""Batch, layer and unit normalization, and the rescaling layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transforms.records.runtime import Family, Runtime
from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.spatial_layer import is_theano

#: `nn.fused_batch_norm` up to TensorFlow 2.8 raises a smaller epsilon to this value, the least that cuDNN takes.
_FUSED_EPSILON = 1.001e-5


def _axes(call: LayerCall, default: int = -1) -> tuple[int, ...]:
    """The `axis` option as sorted non-negative axes; tf.keras stores it as an integer or as a list."""
    axis = call.option("axis", default)
    return tuple(sorted(a % call.x.ndim for a in ([axis] if isinstance(axis, int) else axis)))


def _along(parameter: Array, x: Array, axes: tuple[int, ...]) -> Array:
    """A parameter reshaped to broadcast with x along `axes`, with 1 on every other axis."""
    return parameter.reshape([x.shape[axis] if axis in axes else 1 for axis in range(x.ndim)])


def _scale_and_shift(call: LayerCall, normed: Array, axes: tuple[int, ...]) -> Array:
    """Returns normed * gamma + beta, each only if the layer has it (`scale`, `center`)."""
    if "gamma" in call.weights:
        normed = normed * _along(call.weights["gamma"], normed, axes)
    if "beta" in call.weights:
        normed = normed + _along(call.weights["beta"], normed, axes)
    return normed


def _batch_normalization(call: LayerCall) -> Array:
    """Returns (x - moving_mean) / sqrt(moving_variance + epsilon) * gamma + beta along `axis`."""
    if call.option("mode", 0) != 0:
        raise NotCovered(f"BatchNormalization mode {call.option('mode', 0)}", call.path)
    axes = _batch_axes(call)
    mean, variance = (_along(call.weights[role], call.x, axes) for role in ("moving_mean", "moving_variance"))
    return _scale_and_shift(call, (call.x - mean) / np.sqrt(variance + _epsilon(call, axes)), axes)


def _batch_axes(call: LayerCall) -> tuple[int, ...]:
    """The axes of the statistics. With virtual batches `build` counts one more axis, and stores it so.

    x is reshaped to (virtual_batch_size, groups, ...) for the statistics of training, which gives `moving_mean` an axis
    of length 1 after the first; at inference all rows are normalized alike (`BatchNormalizationBase.build` and `call`
    in tensorflow/python/keras/layers/normalization.py, 1.13; keras/layers/normalization/batch_normalization.py, 2.8).
    """
    if not _is_virtual(call):
        return _axes(call)
    axis = call.config["axis"]
    return tuple(sorted(each - 1 for each in ([axis] if isinstance(axis, int) else axis)))


def _is_virtual(call: LayerCall) -> bool:
    virtual = call.config.get("virtual_batch_size") is not None
    return virtual and call.weights["moving_mean"].ndim == call.x.ndim + 1


def _epsilon(call: LayerCall, axes: tuple[int, ...]) -> float:
    """The effective epsilon: as stored, or `_FUSED_EPSILON` if `nn.fused_batch_norm` raised it."""
    epsilon = float(call.option("epsilon", 1e-3))
    never_fused = call.class_name == "SyncBatchNormalization" or _is_virtual(call)
    if epsilon >= _FUSED_EPSILON or never_fused:
        return epsilon
    if is_theano(call) and epsilon < 1e-5:
        raise NotCovered(f"BatchNormalization with epsilon {epsilon}, which Theano refuses", call.path)
    raised = _raises_epsilon(call.runtime, call.x.ndim, axes)
    if raised is None:
        raise NotCovered(
            f"BatchNormalization over axis {axes[0]} with epsilon {epsilon}, which device or release decide", call.path
        )
    return _FUSED_EPSILON if raised else epsilon


def _raises_epsilon(runtime: Runtime, rank: int, axes: tuple[int, ...]) -> bool | None:
    """Whether an array went through a `nn.fused_batch_norm` with a minimum epsilon; None if the file does not determine
    it.

    tf.keras: images (rank 4) along either channel axis; volumes (rank 5) too from a release between TensorFlow 2.4
    and 2.8 on; none any more from one between 2.9 and 2.15 on (measured). Standalone Keras since 2.2.0: images,
    along axis 3 anywhere, along axis 1 on GPUs only.
    """
    if runtime.backend not in ("", "tensorflow") or axes not in ((1,), (rank - 1,)) or rank not in (4, 5):
        return False
    if runtime.family is Family.KERAS:
        if rank == 5 or runtime.version < (2, 2):
            return False
        return True if axes == (3,) else None
    if runtime.version >= (2, 9):
        return False if runtime.version >= (2, 15) else None
    if rank == 4 or runtime.version >= (2, 8):
        return True
    return False if runtime.version < (2, 4) else None


def _layer_normalization(call: LayerCall) -> Array:
    """Each sample normalized over `axis` by its own mean and variance (tf.keras; fused or not, the numbers agree)."""
    axes = _axes(call)
    x = np.asarray(call.x, dtype=np.float64)
    mean = x.mean(axis=axes, keepdims=True)
    variance = x.var(axis=axes, keepdims=True)
    return _scale_and_shift(call, (x - mean) / np.sqrt(variance + float(call.option("epsilon", 1e-3))), axes)


def _unit_normalization(call: LayerCall) -> Array:
    """Returns x / sqrt(max(sum of x^2 over `axis`, 1e-12)) (`tf.linalg.l2_normalize`)."""
    x = np.asarray(call.x, dtype=np.float64)
    return np.asarray(x / np.sqrt(np.maximum(np.sum(x * x, axis=_axes(call), keepdims=True), 1e-12)))


def _rescaling(call: LayerCall) -> Array:
    return np.asarray(call.x * np.float64(call.option("scale", 1.0)) + np.float64(call.option("offset", 0.0)))


def _group_normalization(call: LayerCall) -> Array:
    """Each group of channels of each sample normalized by its own mean and variance, on the last axis.

    x (n, ..., c) is read as (n, ..., groups, c / groups).
    """
    x = np.asarray(call.x, dtype=np.float64)
    axis = call.option("axis", -1)
    if axis not in (-1, x.ndim - 1):
        raise NotCovered(f"GroupNormalization over axis {axis}", call.path)
    channels = x.shape[-1]
    groups = channels if call.option("groups", 32) == -1 else call.option("groups", 32)
    grouped = x.reshape(*x.shape[:-1], groups, channels // groups)
    over = (*range(1, x.ndim - 1), x.ndim)
    mean, variance = grouped.mean(axis=over, keepdims=True), grouped.var(axis=over, keepdims=True)
    y = ((grouped - mean) / np.sqrt(variance + float(call.option("epsilon", 1e-3)))).reshape(x.shape)
    y = y * call.weights["gamma"] if "gamma" in call.weights else y
    return np.asarray(y + call.weights["beta"] if "beta" in call.weights else y)


NORMALIZATION: Mapping[str, StatelessLayer] = {
    "GroupNormalization": _group_normalization,
    "BatchNormalization": _batch_normalization,
    "BatchNormalizationV1": _batch_normalization,
    "BatchNormalizationV2": _batch_normalization,
    "SyncBatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "UnitNormalization": _unit_normalization,
    "Rescaling": _rescaling,
}
