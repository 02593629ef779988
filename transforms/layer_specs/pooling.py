"""Pooling, padding, cropping and upsampling."""

from __future__ import annotations

from transforms.layer_specs.spatial_shapes import global_pooling, spatial
from transforms.layer_specs.spec import LayerSpec

_RANKS = (1, 2, 3)


def _pooling(kind: str, rank: int) -> LayerSpec:
    options = {"pool_size": [2] * rank, "strides": None, "padding": "valid", "data_format": "channels_last"}
    kept = kind == "Max" and rank < 3
    return LayerSpec(f"{kind}Pooling{rank}D", options=options, shape=spatial(f"{kind}Pooling", rank), keeps_values=kept)


def _global_pooling(kind: str, rank: int) -> LayerSpec:
    options = {"data_format": "channels_last", "keepdims": False}
    return LayerSpec(f"Global{kind}Pooling{rank}D", options=options, shape=global_pooling(rank))


def _margins(name: str, option: str, rank: int, default: object, *, keeps_values: bool) -> LayerSpec:
    """Cropping and zero padding; only those over one axis state no data format."""
    options = {option: default, **({"data_format": "channels_last"} if rank > 1 else {})}
    return LayerSpec(f"{name}{rank}D", options=options, shape=spatial(name, rank), keeps_values=keeps_values)


SPECS = (
    *(_pooling(kind, rank) for kind in ("Average", "Max") for rank in _RANKS),
    *(_global_pooling(kind, rank) for kind in ("Average", "Max") for rank in _RANKS),
    _margins("Cropping", "cropping", 1, [1, 1], keeps_values=True),
    _margins("Cropping", "cropping", 2, [[0, 0], [0, 0]], keeps_values=True),
    _margins("Cropping", "cropping", 3, [[1, 1], [1, 1], [1, 1]], keeps_values=True),
    _margins("ZeroPadding", "padding", 1, 1, keeps_values=True),
    _margins("ZeroPadding", "padding", 2, [[1, 1], [1, 1]], keeps_values=True),
    _margins("ZeroPadding", "padding", 3, [[1, 1], [1, 1], [1, 1]], keeps_values=False),
    LayerSpec("UpSampling1D", options={"size": 2}, shape=spatial("UpSampling", 1), keeps_values=True),
    LayerSpec(
        "UpSampling2D",
        options={"size": [2, 2], "data_format": "channels_last", "interpolation": "nearest"},
        shape=spatial("UpSampling", 2),
        keeps_values=True,
    ),
    LayerSpec(
        "UpSampling3D",
        options={"size": [2, 2, 2], "data_format": "channels_last"},
        shape=spatial("UpSampling", 3),
    ),
)
