"""Convolutional and locally connected layers."""

from __future__ import annotations

from typing import Any

from transforms.layer_specs.config import bias, integer, window, without
from transforms.layer_specs.spatial_shapes import spatial, transposed_convolution
from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, Role, Roles, RolesRule

_KERNEL = ("kernel_initializer",)


def options_of(rank: int) -> dict[str, Any]:
    """The options of a convolution over `rank` axes."""
    return {
        "filters": REQUIRED,
        "kernel_size": REQUIRED,
        "strides": [1] * rank,
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": [1] * rank,
        "groups": 1,
        "activation": "linear",
        "use_bias": True,
    }


def _convolution(rank: int) -> RolesRule:
    def roles(config: Config) -> Roles:
        filters = integer(config, "filters")
        return (Role("kernel", ((*window(config, rank), None, filters),)), *bias(config, (filters,)))

    return roles


def _transposed(rank: int) -> RolesRule:
    def roles(config: Config) -> Roles:
        filters = integer(config, "filters")
        return (Role("kernel", ((*window(config, rank), filters, None),)), *bias(config, (filters,)))

    return roles


def _separable(rank: int) -> RolesRule:
    def roles(config: Config) -> Roles:
        filters, multiplier = integer(config, "filters"), integer(config, "depth_multiplier")
        return (
            Role("depthwise_kernel", ((*window(config, rank), None, multiplier),)),
            Role("pointwise_kernel", ((*(1,) * rank, None, filters),)),
            *bias(config, (filters,)),
        )

    return roles


def _depthwise(rank: int) -> RolesRule:
    def roles(config: Config) -> Roles:
        multiplier = integer(config, "depth_multiplier")
        return (Role("depthwise_kernel", ((*window(config, rank), None, multiplier),)), *bias(config, (None,)))

    return roles


def _locally_connected(config: Config) -> Roles:
    return (Role("kernel"), *bias(config))


SPECS = (
    *(
        LayerSpec(
            f"Conv{rank}D",
            roles=_convolution(rank),
            options=options_of(rank),
            initializers=_KERNEL,
            shape=spatial("Conv", rank),
        )
        for rank in (1, 2, 3)
    ),
    *(
        LayerSpec(
            f"Conv{rank}DTranspose",
            roles=_transposed(rank),
            options={**without(options_of(rank), "groups"), "output_padding": None},
            initializers=_KERNEL,
            shape=transposed_convolution(rank),
        )
        for rank in (1, 2, 3)
    ),
    *(
        LayerSpec(
            f"SeparableConv{rank}D",
            roles=_separable(rank),
            options={**without(options_of(rank), "groups"), "depth_multiplier": 1},
            initializers=("depthwise_initializer", "pointwise_initializer"),
            shape=spatial("SeparableConv", rank),
        )
        for rank in (1, 2)
    ),
    *(
        LayerSpec(
            f"DepthwiseConv{rank}D",
            roles=_depthwise(rank),
            options={**without(options_of(rank), "groups", "filters"), "depth_multiplier": 1},
            initializers=("depthwise_initializer",),
            shape=spatial("DepthwiseConv", rank),
        )
        for rank in (1, 2)
    ),
    *(
        LayerSpec(
            f"LocallyConnected{rank}D",
            roles=_locally_connected,
            options={**without(options_of(rank), "groups", "dilation_rate"), "implementation": 1},
            initializers=_KERNEL,
            shape=spatial("LocallyConnected", rank),
        )
        for rank in (1, 2)
    ),
)
