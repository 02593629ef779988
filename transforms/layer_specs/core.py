"""Dense, embeddings, noise, and layers that rearrange their input."""

from __future__ import annotations

import math
from collections.abc import Sequence

from transforms.layer_specs.config import bias, integer
from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, Role, Roles, same_shape
from transforms.records.inspection import Shape

_KERNEL = ("kernel_initializer",)


def product(extents: Sequence[int | None]) -> int | None:
    """The number of elements, None if an extent is free."""
    known = [extent for extent in extents if extent is not None]
    return math.prod(known) if len(known) == len(extents) else None


def _dense(config: Config) -> Roles:
    units = integer(config, "units")
    return (Role("kernel", ((None, units),)), *bias(config, (units,)))


def _einsum_dense(config: Config) -> Roles:
    return (Role("kernel"), *((Role("bias"),) if config.get("bias_axes") else ()))


def _embedding(config: Config) -> Roles:
    return (Role("embeddings", ((integer(config, "input_dim"), integer(config, "output_dim")),)),)


def _reshaped(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    batch, *extents = inputs[0]
    target = options["target_shape"]
    if -1 not in target:
        return [(batch, *target)]
    size, rest = product(extents), math.prod(extent for extent in target if extent != -1)
    free = None if size is None else size // rest
    return [(batch, *(free if extent == -1 else extent for extent in target))]


def _noise(name: str, option: str, *, data_format: bool = False) -> LayerSpec:
    options = {option: REQUIRED, **({"data_format": "channels_last"} if data_format else {})}
    spatial = name.startswith("Spatial")
    return LayerSpec(
        name,
        options=options,
        shape=same_shape,
        keeps_values=True,
        propagates_mask=True,
        infers_through=not spatial,
    )


SPECS = (
    LayerSpec("InputLayer", options=None),
    LayerSpec("Lambda", options=None),
    LayerSpec(
        "Dense",
        _dense,
        {"units": REQUIRED, "activation": "linear", "use_bias": True},
        initializers=_KERNEL,
        shape=lambda options, inputs: [(*inputs[0][:-1], options["units"])],
        propagates_mask=True,
    ),
    LayerSpec(
        "EinsumDense",
        _einsum_dense,
        {"equation": REQUIRED, "output_shape": REQUIRED, "activation": "linear", "bias_axes": None},
        own_types=frozenset({"output_shape"}),
        initializers=_KERNEL,
    ),
    LayerSpec(
        "Embedding",
        _embedding,
        {"input_dim": REQUIRED, "output_dim": REQUIRED, "mask_zero": False, "input_length": None},
        initializers=("embeddings_initializer",),
        shape=lambda options, inputs: [(*inputs[0], options["output_dim"])],
    ),
    _noise("Dropout", "rate"),
    _noise("AlphaDropout", "rate"),
    _noise("GaussianDropout", "rate"),
    _noise("GaussianNoise", "stddev"),
    _noise("SpatialDropout1D", "rate"),
    _noise("SpatialDropout2D", "rate", data_format=True),
    _noise("SpatialDropout3D", "rate", data_format=True),
    LayerSpec(
        "ActivityRegularization",
        options={"l1": 0.0, "l2": 0.0},
        shape=same_shape,
        keeps_values=True,
        propagates_mask=True,
        infers_through=True,
    ),
    LayerSpec("Masking", options={"mask_value": 0.0}, shape=same_shape, keeps_values=True, infers_through=True),
    LayerSpec("Identity", shape=same_shape, propagates_mask=True),
    LayerSpec(
        "Flatten",
        options={"data_format": "channels_last"},
        shape=lambda _, inputs: [(inputs[0][0], product(inputs[0][1:]))],
        keeps_values=True,
    ),
    LayerSpec("Reshape", options={"target_shape": REQUIRED}, shape=_reshaped, keeps_values=True),
    LayerSpec(
        "Permute",
        options={"dims": REQUIRED},
        shape=lambda options, inputs: [(inputs[0][0], *(inputs[0][axis] for axis in options["dims"]))],
        keeps_values=True,
    ),
    LayerSpec(
        "RepeatVector",
        options={"n": REQUIRED},
        shape=lambda options, inputs: [(inputs[0][0], options["n"], inputs[0][1])],
        keeps_values=True,
    ),
)
