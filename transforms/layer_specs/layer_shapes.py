"""Output shapes of single layers, inferred from their options; used only for display by `inspect`.

A shape starts with the batch, and has None for an extent that is free or unknown. Options have the names of Keras 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from transforms.layer_specs.registry import SPECS
from transforms.layer_specs.spec import Config
from transforms.records.inspection import Shape


def layer_shapes(class_name: str, options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    """The shapes of a layer's outputs; empty where there is no rule.

    Args:
        class_name: of Keras 2, or a class that only Keras 1 has.
        options: the layer's config.
        inputs: the shapes of its inputs.
    """
    spec = SPECS.get(class_name)
    return [] if spec is None or spec.shape is None else spec.shape(options, inputs)
