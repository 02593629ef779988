"""Readers of a layer's config for the facts of its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.layer_specs.spec import Config, PartialShape, Role, Roles


def integer(config: Config, *keys: str) -> int | None:
    """The first of these options that is an integer."""
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def times(factor: int, value: int | None) -> int | None:
    """The product, None if the value is unknown."""
    return None if value is None else factor * value


def bias(config: Config, *shapes: PartialShape) -> Roles:
    """The bias, unless `use_bias` is false."""
    return (Role("bias", shapes),) if config.get("use_bias", True) else ()


def window(config: Config, rank: int) -> PartialShape:
    """`kernel_size` over `rank` axes."""
    size = config.get("kernel_size")
    if isinstance(size, int):
        return (size,) * rank
    return tuple(size) if isinstance(size, list) else (None,) * rank


def at(value: Any, axis: int) -> int:
    """An option's value for one axis, stated per axis or once for all."""
    return int(value[axis] if isinstance(value, (list, tuple)) else value)


def without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A table of options without some."""
    return {name: value for name, value in options.items() if name not in names}
