"""Options of layers over spatial axes, read from a Keras 2 config."""

from __future__ import annotations

from transforms.architecture.graph import Layer


def data_format(layer: Layer) -> str:
    """`channels_last` where the layer states none."""
    return str(layer.config.get("data_format") or "channels_last")


def per_axis(value: object, rank: int) -> list[int]:
    """One integer for each of `rank` axes, stated so or as one for all."""
    return [int(item) for item in value] if isinstance(value, list) else [int(str(value))] * rank
