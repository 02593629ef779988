"""Builds what tests of rewrites start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from transforms.architecture.graph import Call, Layer, LayerPath, TensorRef
from transforms.canonical.model import Array, CanonicalArray, LayerRewrite, RewriteContext
from transforms.records.runtime import runtime_of


def context(version: str = "2.2.4", backend: str = "theano", **facts: Any) -> RewriteContext:
    """What rewrites know of a file of that Keras version and backend, without masks."""
    return RewriteContext(runtime_of(version, backend), **{"masked": False, "floatx": "float32", **facts})


def layer_rewrite(
    class_name: str, config: Mapping[str, Any], weights: Mapping[str, Array] | None = None
) -> LayerRewrite:
    """A layer named `layer`, called once on the tensor `x`."""
    held = Layer(class_name, "layer", ("layer",), {"name": "layer", **config}, (Call((TensorRef("x"),)),))
    return LayerRewrite(held, {("layer",): {role: stated(array) for role, array in (weights or {}).items()}})


def stated(values: Array) -> CanonicalArray:
    """An array as a file would give it."""
    return CanonicalArray(values.shape, values.dtype, lambda: values)


def inside(rewritten: LayerRewrite) -> list[tuple[str, Mapping[str, Any]]]:
    """Class and config of the layers that stand in the place of one, inputs left out."""
    assert rewritten.layer.graph is not None
    layers = rewritten.layer.graph.layers
    return [(layer.class_name, layer.config) for layer in layers if layer.class_name != "InputLayer"]


def read(rewritten: LayerRewrite, *path: str) -> dict[str, Array]:
    """The arrays of a layer by role."""
    full: LayerPath = ("layer", *path)
    return {role: np.asarray(array.read()) for role, array in rewritten.arrays[full].items()}
