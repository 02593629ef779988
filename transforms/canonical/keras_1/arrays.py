"""Arrays of Keras 1 layers in the roles and layouts of Keras 2.

Kernels are (space..., in, out) in Keras 2. Keras 1 stores, by dim_ordering,

    Convolution1D    (length, 1, in, out), before 1.1 (out, in, length, 1)
    Convolution2D    tf (row, col, in, out)         th (out, in, row, col)
    Convolution3D    tf (d1, d2, d3, in, out)       th (out, in, d1, d2, d3)
    Deconvolution2D  tf (row, col, in, out) -> (row, col, out, in)   th (in, out, row, col) -> (row, col, out, in)
    ConvLSTM2D       each gate's W and U: tf (row, col, in, out)     th (out, in, row, col)

and BatchNormalization's `running_std` *is the variance*. Source: `preprocess_weights_for_loading` in
keras/engine/topology.py (2.0.0) and `build` in keras/layers/*.py (1.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from transforms.canonical.model import Array, CanonicalArray

Arrays: TypeAlias = Mapping[str, CanonicalArray]
_Config: TypeAlias = Mapping[str, Any]

_RENAMED = {
    "W": "kernel",
    "U": "recurrent_kernel",
    "b": "bias",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
    "alphas": "alpha",
}
_GATES = {"LSTM": "ifco", "GRU": "zrh", "ConvLSTM2D": "ifco"}


def upgraded_arrays(class_name: str, config: _Config, arrays: Arrays) -> dict[str, CanonicalArray]:
    """Arrays by Keras 2 role, computed when read."""
    if (class_name in _GATES and "W_i" in arrays) or "W_z" in arrays:
        return _gates_side_by_side(class_name, config, arrays)
    if class_name == "Embedding":
        return {"embeddings": arrays["W"]}
    renamed = {_RENAMED.get(role, role): array for role, array in arrays.items()}
    change = _KERNELS.get(class_name)
    if change is not None:
        for role in ("kernel", "depthwise_kernel", "pointwise_kernel"):
            if role in renamed:
                renamed[role] = change(renamed[role], config)
    return renamed


def _gates_side_by_side(class_name: str, config: _Config, arrays: Arrays) -> dict[str, CanonicalArray]:
    def gates(letter: str) -> list[CanonicalArray]:
        held = [arrays[f"{letter}_{gate}"] for gate in _GATES[class_name]]
        kernels = class_name == "ConvLSTM2D" and letter != "b"
        return [_convolution(array, config) for array in held] if kernels else held

    roles = (("W", "kernel"), ("U", "recurrent_kernel"), ("b", "bias"))
    return {role: _side_by_side(gates(letter)) for letter, role in roles}


def _side_by_side(parts: Sequence[CanonicalArray]) -> CanonicalArray:
    """The gates' arrays along the last axis."""
    shape = (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))
    return CanonicalArray(shape, parts[0].dtype, lambda: np.concatenate([part.read() for part in parts], axis=-1))


def _transposed(array: CanonicalArray, axes: tuple[int, ...]) -> CanonicalArray:
    return array.mapped(lambda values: np.transpose(values, axes), tuple(array.shape[axis] for axis in axes))


def _convolution_1d(kernel: CanonicalArray, config: _Config) -> CanonicalArray:
    length, filters = config["filter_length"], config["nb_filter"]
    if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
        kernel = _transposed(kernel, (2, 3, 1, 0))
    return kernel.mapped(_without_second_axis, (kernel.shape[0], *kernel.shape[2:]))


def _without_second_axis(kernel: Array) -> Array:
    return kernel[:, 0]


def _convolution(kernel: CanonicalArray, config: _Config) -> CanonicalArray:
    if config.get("dim_ordering") != "th":
        return kernel
    rank = len(kernel.shape) - 2
    return _transposed(kernel, (*range(2, 2 + rank), 1, 0))


def _deconvolution(kernel: CanonicalArray, config: _Config) -> CanonicalArray:
    return _transposed(kernel, (2, 3, 0, 1) if config.get("dim_ordering") == "th" else (0, 1, 3, 2))


_KERNELS: Mapping[str, Callable[[CanonicalArray, _Config], CanonicalArray]] = {
    "Convolution1D": _convolution_1d,
    "AtrousConvolution1D": _convolution_1d,
    "Convolution2D": _convolution,
    "AtrousConvolution2D": _convolution,
    "Convolution3D": _convolution,
    "SeparableConvolution2D": _convolution,
    "Deconvolution2D": _deconvolution,
}
