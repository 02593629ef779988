"""Activations that are layers."""

from __future__ import annotations

from transforms.layer_specs.spec import REQUIRED, LayerSpec, Role, same_shape

SPECS = (
    LayerSpec(
        "Activation", options={"activation": REQUIRED}, shape=same_shape, propagates_mask=True, infers_through=True
    ),
    LayerSpec("ELU", options={"alpha": 1.0}, shape=same_shape, propagates_mask=True, infers_through=True),
    LayerSpec("LeakyReLU", options={"alpha": 0.3}, shape=same_shape, propagates_mask=True, infers_through=True),
    LayerSpec(
        "PReLU",
        lambda _: (Role("alpha"),),
        {"shared_axes": None},
        shape=same_shape,
        propagates_mask=True,
        infers_through=True,
    ),
    LayerSpec(
        "ReLU",
        options={"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
        shape=same_shape,
        propagates_mask=True,
        infers_through=True,
    ),
    LayerSpec("Softmax", options={"axis": -1}, shape=same_shape, infers_through=True),
    LayerSpec("ThresholdedReLU", options={"theta": 1.0}, shape=same_shape, infers_through=True),
)
