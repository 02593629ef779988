"""Activations of Keras 1 with arrays of their own, from standard layers.

Their arrays have the shape of the input without the batch, or 1 on shared axes, which `get_config` does not store.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from transforms.architecture.graph import LayerPath, TensorRef
from transforms.canonical.model import Array, CanonicalArray, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder
from transforms.errors import MigrationError, Reason

#: Makes the scale or the offset of each entry from the arrays of the layer, by role.
_Entry = Callable[[dict[str, Array]], Array]
_EPSILON = 1e-3


def srelu(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """SReLU: slopes outside of two bends, at t_left and r = t_left + |t_right|.

    y = t_left + min(max(x - t_left, 0), r - t_left) - a_left max(t_left - x, 0) + a_right max(x - r, 0)
      = max(x - t_left, 0) + ((a_right - 1) max(x - r, 0)) + (t_left - a_left max(t_left - x, 0))

    Source: `SReLU.call` in keras/layers/advanced_activations.py, 1.2.2.
    """
    curve = _Curve(rewrite, context)
    above = curve.relu("above", curve.line("from_left", curve.x, _ones, lambda own: -own["t_left"]))
    beyond = curve.relu("beyond", curve.line("from_right", curve.x, _ones, lambda own: -_right(own)))
    below = curve.relu("below", curve.line("to_left", curve.x, lambda own: -_ones(own), lambda own: own["t_left"]))
    steeper = curve.line("right_part", beyond, lambda own: own["a_right"] - 1, _zeros)
    lower = curve.line("left_part", below, lambda own: -own["a_left"], lambda own: own["t_left"])
    return curve.finished(curve.builder.add("Add", "parts", {}, above, steeper, lower))


def parametric_softplus(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """ParametricSoftplus: y = alphas log(1 + exp(betas x)) (`ParametricSoftplus.call`, 1.2.2)."""
    curve = _Curve(rewrite, context)
    inside = curve.line("inside", curve.x, lambda own: own["betas"], _zeros)
    bent = curve.builder.add("Activation", "bent", {"activation": "softplus"}, inside)
    return curve.finished(curve.line("outside", bent, lambda own: own["alphas"], _zeros))


def _right(own: dict[str, Array]) -> Array:
    return np.asarray(own["t_left"] + np.abs(own["t_right"]))


def _ones(own: dict[str, Array]) -> Array:
    return np.ones_like(next(iter(own.values())))


def _zeros(own: dict[str, Array]) -> Array:
    return np.zeros_like(next(iter(own.values())))


class _Curve:
    """The replacement of one layer: lines y = scale x + offset, one for each entry, and functions between them.

    A line is a BatchNormalization over one axis: the last one, where all others are shared, else that of the flattened
    input.
    """

    def __init__(self, rewrite: LayerRewrite, context: RewriteContext) -> None:
        self._rewrite = rewrite
        self._masked = context.masked
        self._shape = next(iter(rewrite.own_arrays.values())).shape
        self._arrays: dict[LayerPath, dict[str, CanonicalArray]] = {}
        self.builder = SubgraphBuilder(rewrite.layer)
        shared = [size for size in self._shape[:-1] if size == 1]
        self._flat = len(shared) < len(self._shape) - 1
        if self._flat and shared:
            raise MigrationError(
                Reason.UNSUPPORTED_LAYER,
                f"{rewrite.layer.class_name} with arrays of shape {list(self._shape)}, which share some axes, is not "
                "supported",
                layer=rewrite.layer.path,
                advice="Rebuild the model with arrays for each entry, or for each channel.",
            )
        (x,) = self.builder.inputs
        self.x: TensorRef = self.builder.add("Flatten", "flat", {}, x) if self._flat else x

    def line(self, name: str, x: TensorRef, scale: _Entry, offset: _Entry) -> TensorRef:
        """With mean 0 and variance 1 - eps, BatchNormalization multiplies by gamma and adds beta."""
        own, size = self._rewrite.own_arrays, prod(self._shape)

        def entry(made: _Entry) -> CanonicalArray:
            def read() -> Array:
                return np.asarray(made({role: array.read() for role, array in own.items()}), "f4").reshape(size)

            return CanonicalArray((size,), np.dtype("f4"), read)

        self._arrays[(*self._rewrite.layer.path, name)] = {
            "gamma": entry(scale),
            "beta": entry(offset),
            "moving_mean": entry(_zeros),
            "moving_variance": entry(lambda held: _ones(held) - _EPSILON),
        }
        return self.builder.add("BatchNormalization", name, {"axis": -1, "epsilon": _EPSILON}, x)

    def relu(self, name: str, x: TensorRef) -> TensorRef:
        return self.builder.add("Activation", name, {"activation": "relu"}, x)

    def finished(self, y: TensorRef) -> LayerRewrite:
        layer = self._rewrite.layer
        if self._flat:
            y = self.builder.add("Reshape", "shaped", {"target_shape": list(self._shape)}, y)
        if self._masked and self._flat:
            y = self.builder.with_mask_of(self.builder.inputs[0], y, "masked")
        return self._rewrite.rewritten(
            self.builder.finish(y), "keras_1_curve", f"{layer.class_name} as lines and functions", arrays=self._arrays
        )
