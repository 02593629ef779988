"""Layers that normalize."""

from __future__ import annotations

from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, PartialShape, Role, Roles, same_shape

_BATCH_NORMALIZATION = {"axis": -1, "momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True}


def _scale_and_center(config: Config) -> Roles:
    gamma = (Role("gamma"),) if config.get("scale", True) else ()
    beta = (Role("beta"),) if config.get("center", True) else ()
    return (*gamma, *beta)


def _batch_normalization(config: Config) -> Roles:
    channels: tuple[PartialShape, ...] = ((None,),) if isinstance(config.get("axis"), int) else ()
    scaled = tuple(Role(role.name, channels) for role in _scale_and_center(config))
    moving = (Role("moving_mean", channels, trainable=False), Role("moving_variance", channels, trainable=False))
    return (*scaled, *moving)


def _normalization(config: Config) -> Roles:
    """Statistics, unless the config states them; the count is an integer and unused."""
    if config.get("mean") is not None:
        return ()
    return tuple(Role(name, trainable=False) for name in ("mean", "variance", "count"))


SPECS = (
    LayerSpec("SpectralNormalization", None, None),
    LayerSpec(
        "BatchNormalization",
        _batch_normalization,
        _BATCH_NORMALIZATION,
        shape=same_shape,
        propagates_mask=True,
        infers_through=True,
    ),
    LayerSpec("BatchNormalizationV1", _batch_normalization, None, shape=same_shape, infers_through=True),
    LayerSpec("BatchNormalizationV2", _batch_normalization, None, shape=same_shape),
    LayerSpec("SyncBatchNormalization", _batch_normalization, None, shape=same_shape),
    LayerSpec(
        "LayerNormalization",
        _scale_and_center,
        {"axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
        shape=same_shape,
        propagates_mask=True,
        infers_through=True,
    ),
    LayerSpec(
        "GroupNormalization",
        _scale_and_center,
        {"groups": 32, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
        shape=same_shape,
        propagates_mask=True,
    ),
    LayerSpec("UnitNormalization", options={"axis": -1}, shape=same_shape, propagates_mask=True),
    LayerSpec(
        "Normalization",
        _normalization,
        {"axis": REQUIRED, "invert": False, "mean": None, "variance": None},
        shape=same_shape,
    ),
)
