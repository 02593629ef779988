"""Every supported layer class, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from transforms.layer_specs import (
    activations,
    attention,
    categories,
    convolution,
    core,
    legacy,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
)
from transforms.layer_specs.spec import LayerSpec, no_arrays


def registered(*families: Iterable[LayerSpec]) -> Mapping[str, LayerSpec]:
    """The specs by class name. Raises ValueError for a class that is registered twice."""
    specs: dict[str, LayerSpec] = {}
    for family in families:
        for spec in family:
            if spec.name in specs:
                raise ValueError(f"{spec.name} is registered twice")
            specs[spec.name] = spec
    return specs


SPECS = registered(
    core.SPECS,
    activations.SPECS,
    convolution.SPECS,
    pooling.SPECS,
    recurrent.SPECS,
    merging.SPECS,
    normalization.SPECS,
    attention.SPECS,
    preprocessing.SPECS,
    categories.SPECS,
    legacy.SPECS,
)

#: Classes without own arrays, and those with them.
WEIGHTLESS = frozenset(name for name, spec in SPECS.items() if spec.roles is no_arrays)
WEIGHTED = frozenset(name for name, spec in SPECS.items() if spec.roles not in (None, no_arrays))

#: Classes of canonical layers: those that tf-keras rebuilds from options.
CANONICAL = frozenset(name for name, spec in SPECS.items() if spec.options is not None)
