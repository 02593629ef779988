"""The arrays of each layer class of Keras 1, in the order in which Keras 1.2.2 lists them.

Source: `build` and `trainable_weights` of the classes in keras/layers (1.2.2). Gates of the LSTM are in the order i, c,
f, o; with consume_less="gpu" they are one array each of W, U and b, in the order i, f, c, o.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from transforms.layer_specs.legacy import SPECS as LEGACY
from transforms.layer_specs.registry import WEIGHTLESS
from transforms.layer_specs.spec import PartialShape, Role, Roles, no_arrays

_Config: TypeAlias = Mapping[str, Any]


def keras_1_roles_of(class_name: str, config: _Config) -> Roles:
    """The arrays of a Keras 1 leaf layer in creation order. Raises KeyError for an unknown class."""
    if class_name in WEIGHTLESS or class_name in KERAS_1_WEIGHTLESS:
        return ()
    return _ROLES[class_name](config)


def _integer(config: _Config, key: str) -> int | None:
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _with_bias(config: _Config, kernel: Role, size: int | None) -> Roles:
    return (kernel, Role("b", ((size,),))) if config.get("bias", True) else (kernel,)


def _dense(config: _Config) -> Roles:
    units = _integer(config, "output_dim")
    return _with_bias(config, Role("W", ((None, units),)), units)


def _convolution_1d(config: _Config) -> Roles:
    filters, length = _integer(config, "nb_filter"), _integer(config, "filter_length")
    # (length, 1, in, filters); before 1.1 (filters, in, length, 1)
    return _with_bias(config, Role("W", ((length, 1, None, filters), (filters, None, length, 1))), filters)


def _window(config: _Config) -> PartialShape:
    if "kernel_dim1" in config:
        return tuple(_integer(config, f"kernel_dim{axis}") for axis in (1, 2, 3))
    return _integer(config, "nb_row"), _integer(config, "nb_col")


def _convolution(config: _Config) -> Roles:
    filters, window = _integer(config, "nb_filter"), _window(config)
    shape = (filters, None, *window) if config.get("dim_ordering") == "th" else (*window, None, filters)
    return _with_bias(config, Role("W", (shape,)), filters)


def _deconvolution(config: _Config) -> Roles:
    return _with_bias(config, Role("W", ((None,) * 4,)), _integer(config, "nb_filter"))


def _separable(config: _Config) -> Roles:
    kernels = (Role("depthwise_kernel", ((None,) * 4,)), Role("pointwise_kernel", ((None,) * 4,)))
    bias = (Role("b", ((_integer(config, "nb_filter"),),)),) if config.get("bias", True) else ()
    return (*kernels, *bias)


def _recurrent(separate: tuple[str, ...]) -> Callable[[_Config], Roles]:
    def roles(config: _Config) -> Roles:
        units = _integer(config, "output_dim")
        joined = config.get("consume_less") == "gpu" or not separate
        gates = [""] if joined else [f"_{gate}" for gate in separate]
        width = None if units is None else units * (max(1, len(separate)) if joined else 1)
        return tuple(
            Role(f"{letter}{gate}", (shape,))
            for gate in gates
            for letter, shape in (("W", (None, width)), ("U", (units, width)), ("b", (width,)))
        )

    return roles


def _conv_lstm(config: _Config) -> Roles:
    del config
    return tuple(Role(f"{letter}_{gate}") for gate in "icfo" for letter in "WUb")


def _batch_normalization(config: _Config) -> Roles:
    del config
    return (
        *(Role(name, ((None,),)) for name in ("gamma", "beta")),
        *(Role(name, ((None,),), trainable=False) for name in ("running_mean", "running_std")),
    )


def _locally_connected(config: _Config) -> Roles:
    return (Role("W"), Role("b")) if config.get("bias", True) else (Role("W"),)


_ROLES: Mapping[str, Callable[[_Config], Roles]] = {
    **dict.fromkeys(("Dense", "TimeDistributedDense"), _dense),
    **dict.fromkeys(("Convolution1D", "AtrousConvolution1D"), _convolution_1d),
    **dict.fromkeys(("Convolution2D", "AtrousConvolution2D", "Convolution3D"), _convolution),
    "Deconvolution2D": _deconvolution,
    "SeparableConvolution2D": _separable,
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), _locally_connected),
    "Embedding": lambda config: (Role("W", ((_integer(config, "input_dim"), _integer(config, "output_dim")),)),),
    "BatchNormalization": _batch_normalization,
    **{spec.name: spec.roles for spec in LEGACY if spec.roles not in (None, no_arrays)},
    "PReLU": lambda _: (Role("alphas"),),
    "SimpleRNN": _recurrent(()),
    "GRU": _recurrent(("z", "r", "h")),
    "LSTM": _recurrent(("i", "c", "f", "o")),
    "ConvLSTM2D": _conv_lstm,
}

KERAS_1_WEIGHTED = frozenset(_ROLES)
KERAS_1_WEIGHTLESS: frozenset[str] = frozenset()
