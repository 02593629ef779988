"""Builds the calls that tests of the reference make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from transforms.records.runtime import runtime_of
from transforms.reference.layer_call import Array, LayerCall, Mask


def layer_call(
    class_name: str,
    inputs: Sequence[Array] | Array,
    config: Mapping[str, Any] | None = None,
    weights: Mapping[str, Array] | None = None,
    *,
    masks: Sequence[Mask] = (),
    version: str = "2.2.4",
    backend: str = "tensorflow",
) -> LayerCall:
    """A call of one layer as a file of that Keras version and backend would make it."""
    arrays = (inputs,) if isinstance(inputs, np.ndarray) else tuple(inputs)
    return LayerCall(
        class_name=class_name,
        config=config or {},
        weights=weights or {},
        inputs=arrays,
        masks=tuple(masks) or (None,) * len(arrays),
        runtime=runtime_of(version, backend),
        path=("layer",),
    )


def random_array(*shape: int, seed: int = 0) -> Array:
    """Normally distributed numbers, the same in every run."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)
