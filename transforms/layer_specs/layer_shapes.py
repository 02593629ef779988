"""Output shapes of single layers, inferred from their options; used only for display by `inspect`.

A shape starts with the batch, and has None for an extent that is free or unknown. Options have the names of Keras 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transforms.layer_specs.merging import broadcast, concatenated
from transforms.layer_specs.registry import SPECS
from transforms.layer_specs.spec import Config, ShapeRule, same_shape
from transforms.records.inspection import Shape


def layer_shapes(class_name: str, options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    """The shapes of a layer's outputs; empty where there is no rule.

    Args:
        class_name: of Keras 2, or a class that only Keras 1 has.
        options: the layer's config.
        inputs: the shapes of its inputs.
    """
    if class_name in _KERAS_1:
        return _KERAS_1[class_name](options, inputs)
    spec = SPECS.get(class_name)
    return [] if spec is None or spec.shape is None else spec.shape(options, inputs)


def _merge(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    mode = options.get("mode")
    if mode == "concat":
        return concatenated(options, inputs)
    return broadcast(options, inputs) if mode in ("sum", "mul", "ave", "max") else []


_KERAS_1: Mapping[str, ShapeRule] = {
    "Highway": same_shape,
    "MaxoutDense": lambda options, inputs: [(inputs[0][0], options["output_dim"])],
    "Merge": _merge,
}
