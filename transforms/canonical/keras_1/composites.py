"""Replaces Keras 1 classes that Keras 2 dropped by layers that it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from transforms.architecture.graph import Layer, LayerPath, TensorRef
from transforms.canonical.model import Array, CanonicalArray, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder
from transforms.errors import MigrationError, Reason

_MERGES = {"sum": "Add", "ave": "Average", "mul": "Multiply", "max": "Maximum", "concat": "Concatenate", "dot": "Dot"}


def highway(rewrite: LayerRewrite) -> LayerRewrite:
    """Y = t * h(x W + b) + (1 - t) * x,   t = sigmoid(x W_carry + b_carry)."""
    layer, own = rewrite.layer, rewrite.own_arrays
    builder = SubgraphBuilder(layer)
    (x,) = builder.inputs
    units = own["W"].shape[1]
    use_bias = "b" in own
    options = {"units": units, "use_bias": use_bias}
    carry = builder.add("Dense", "transform", {**options, "activation": "sigmoid"}, x)
    values = builder.add("Dense", "values", {**options, "activation": layer.config.get("activation")}, x)
    gated = builder.add("Multiply", "gated", {}, carry, values)
    carried = builder.add("Multiply", "carried", {}, carry, x)
    summed = builder.add("Add", "summed", {}, gated, x)
    y = builder.add("Subtract", "highway", {}, summed, carried)
    arrays: dict[LayerPath, dict[str, CanonicalArray]] = {
        (*layer.path, "transform"): {"kernel": own["W_carry"], **({"bias": own["b_carry"]} if use_bias else {})},
        (*layer.path, "values"): {"kernel": own["W"], **({"bias": own["b"]} if use_bias else {})},
    }
    return rewrite.rewritten(builder.finish(y), "keras_1_highway", "as Dense, Multiply and Add", arrays=arrays)


def maxout_dense(rewrite: LayerRewrite) -> LayerRewrite:
    """y_o = max over features f of (x W_f + b_f)_o: one Dense of all features, then the maximum over them."""
    layer, own = rewrite.layer, rewrite.own_arrays
    features, inputs, units = own["W"].shape
    builder = SubgraphBuilder(layer)
    options = {"units": features * units, "use_bias": "b" in own, "activation": "linear"}
    linear = builder.add("Dense", "features", options, *builder.inputs)
    apart = builder.add("Reshape", "apart", {"target_shape": [features, units]}, linear)
    y = builder.add("GlobalMaxPooling1D", "maximum", {}, apart)

    def joined(kernel: Array) -> Array:
        return np.transpose(kernel, (1, 0, 2)).reshape(inputs, features * units)

    held = {"kernel": own["W"].mapped(joined, (inputs, features * units))}
    if "b" in own:
        held["bias"] = own["b"].mapped(np.ravel, (features * units,))
    arrays = {(*layer.path, "features"): held}
    return rewrite.rewritten(builder.finish(y), "keras_1_maxout_dense", "as Dense and a maximum", arrays=arrays)


def samplewise_normalization(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """BatchNormalization of mode 1: y = gamma * (x - mean) / (sqrt(var + eps) + eps) + beta over the last axis.

    It does so whatever `axis` is, and propagates its mask (`call` in keras/layers/normalization.py, 1.2.2).
    """
    layer, own = rewrite.layer, rewrite.own_arrays
    epsilon = float(layer.config.get("epsilon", 1e-3))
    builder = SubgraphBuilder(layer)
    normal = builder.add_op("samplewise_normalization", "normalized", builder.inputs[0], epsilon=epsilon)
    y = builder.add("BatchNormalization", "scaled", {"axis": -1, "epsilon": 1e-3}, normal)
    if context.masked:
        y = builder.with_mask_of(builder.inputs[0], y, "masked")
    size = own["gamma"].shape
    # mean 0 and variance 1 - eps make BatchNormalization multiply by gamma and add beta, exactly
    neutral = {
        "moving_mean": CanonicalArray(size, np.dtype("f4"), lambda: np.zeros(size, "f4")),
        "moving_variance": CanonicalArray(size, np.dtype("f4"), lambda: np.full(size, 1 - 1e-3, "f4")),
    }
    arrays = {(*layer.path, "scaled"): {"gamma": own["gamma"], "beta": own["beta"], **neutral}}
    return rewrite.rewritten(builder.finish(y), "keras_1_samplewise_normalization", "mode 1", arrays=arrays)


def merge(rewrite: LayerRewrite) -> LayerRewrite:
    """`Merge` and `merge()` in each named mode."""
    layer = rewrite.layer
    mode = str(layer.config.get("mode"))
    if mode == "cos":
        return _cosine(rewrite)
    if mode not in _MERGES:
        raise MigrationError(Reason.INVALID_CONFIG, f"The merge mode is {mode!r}", layer=layer.path)
    config: dict[str, Any] = {"name": layer.name}
    if mode == "concat":
        config["axis"] = layer.config.get("concat_axis", -1)
    if mode == "dot":
        config["axes"] = layer.config.get("dot_axes", -1)
    return rewrite.rewritten(
        _as_class(layer, _MERGES[mode], config), "keras_1_merge", f"mode {mode} as {_MERGES[mode]}"
    )


def _as_class(layer: Layer, class_name: str, config: dict[str, Any]) -> Layer:
    return replace(layer, class_name=class_name, config=config)


def _cosine(rewrite: LayerRewrite) -> LayerRewrite:
    """The cosine a.b / max(sqrt(a.a * b.b), 1e-7), with an axis of length 1 inserted after the batch axis."""
    layer = rewrite.layer
    builder = SubgraphBuilder(layer)
    a, b = builder.inputs
    axes = {"axes": layer.config.get("dot_axes", -1)}

    def dot(name: str, x: TensorRef, y: TensorRef) -> TensorRef:
        return builder.add("Dot", name, axes, x, y)

    squared = builder.add("Multiply", "squared", {}, dot("aa", a, a), dot("bb", b, b))
    inverse = builder.add_op("inverse_root", "inverse", squared, floor=1e-7)
    cosine = builder.add("Multiply", "cosine", {}, dot("ab", a, b), inverse)
    y = builder.add_op("expand_dims", "expanded", cosine, axis=1)
    return rewrite.rewritten(builder.finish(y), "keras_1_merge", "mode cos")
