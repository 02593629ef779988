"""Convolutional LSTMs under Theano, whose `same` pads k // 2 before and (k - 1) // 2 after whatever the stride.

TensorFlow reverses this for even k. An even window is therefore made odd by a last row or column of zeros, for which
both backends pad equally:

    kernel'[i] = kernel[i] for i < k, 0 for i = k;   pads k // 2 before and k // 2 after

The recurrent convolution is always `same`; the one of the input needs one more position if it is `valid`.
Source: `ConvRecurrent2D` in keras/layers/convolutional_recurrent.py, `conv2d` in keras/backend/theano_backend.py
(1.2.2, 2.2.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from transforms.architecture.graph import Layer
from transforms.canonical.model import Array, ArraysByLayer, CanonicalArray, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder, data_format, moved_arrays, per_axis

_RULE = "theano_same_padding"


def theano_conv_lstm(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Makes even windows odd, and pads the input where the layer's own padding no longer suffices."""
    layer = rewrite.layer
    if context.runtime.backend != "theano":
        return rewrite
    if layer.class_name == "ConvLSTM2D" and layer.calls:
        return _padded(rewrite, layer, {layer.path: layer})
    halves = list(layer.slots.values()) if layer.class_name == "Bidirectional" else []
    if halves and all(half.class_name == "ConvLSTM2D" for half in halves):
        return _padded(rewrite, halves[0], {half.path: half for half in halves})
    return rewrite


def _padded(rewrite: LayerRewrite, model: Layer, recurrent: Mapping[tuple[str, ...], Layer]) -> LayerRewrite:
    """The rewrite around layers of equal options, of which `model` is one."""
    window = rewrite.arrays[model.path]["recurrent_kernel"].shape[:2]
    strides = per_axis(model.config.get("strides", 1), 2)
    dilation = per_axis(model.config.get("dilation_rate", 1), 2)
    same = model.config.get("padding") == "same"
    extra = [1 - k % 2 for k in window]
    strided = same and any(s > 1 for s in strides)
    if not any(extra) and not strided:
        return rewrite
    spans = [1 + (k - 1) * rate for k, rate in zip(window, dilation, strict=True)]
    pads = [
        [span // 2 if same else 0, (span - 1) // 2 * same + more * rate]
        for span, more, rate in zip(spans, extra, dilation, strict=True)
    ]
    inside = same and not strided and all(rate == 1 for rate in dilation)
    options: dict[str, object] = {"kernel_size": [k + more for k, more in zip(window, extra, strict=True)]}
    if not inside:
        options["padding"] = "valid"
    arrays: dict[tuple[str, ...], Mapping[str, CanonicalArray]] = dict(rewrite.arrays)
    arrays |= {path: _extended(rewrite.arrays[path], extra) for path in recurrent}
    changed = _with_options(rewrite.layer, options)
    if inside:
        return rewrite.rewritten(changed, _RULE, f"window {list(window)} made odd", arrays=arrays)
    return _behind_padding(rewrite, changed, arrays, pads)


def _behind_padding(rewrite: LayerRewrite, layer: Layer, arrays: ArraysByLayer, pads: list[list[int]]) -> LayerRewrite:
    builder = SubgraphBuilder(layer)
    x, *states = builder.inputs
    model = layer.slots.get("forward", layer)
    # (t, rows, columns, c) or (t, c, rows, columns): either way the first of three padded axes stays as it is
    padding = {"padding": [[0, 0], *pads], "data_format": data_format(model)}
    padded = builder.add("ZeroPadding3D", "padding", padding, x)
    name = f"{layer.name}_valid"
    out = builder.place(layer, name, padded, *states)
    outputs = [out]
    if model.config.get("return_state"):
        outputs += [replace(out, tensor=1 + index) for index in range(2 * max(1, len(layer.slots)))]
    moved = moved_arrays(arrays, layer.path, (*layer.path, name))
    return rewrite.rewritten(builder.finish(*outputs), _RULE, str(pads), arrays=moved)


def _with_options(layer: Layer, options: Mapping[str, object]) -> Layer:
    """The layer, or the directions it holds, with these options."""
    if layer.slots:
        return replace(layer, slots={slot: _with_options(half, options) for slot, half in layer.slots.items()})
    return replace(layer, config={**layer.config, **options})


def _extended(held: Mapping[str, CanonicalArray], extra: list[int]) -> dict[str, CanonicalArray]:
    change = partial(_with_zeros_behind, extra=extra)

    def longer(array: CanonicalArray) -> CanonicalArray:
        rows, columns, *rest = array.shape
        return array.mapped(change, (rows + extra[0], columns + extra[1], *rest))

    return {role: longer(array) if role.endswith("kernel") else array for role, array in held.items()}


def _with_zeros_behind(kernel: Array, extra: list[int]) -> Array:
    return np.pad(kernel, [(0, extra[0]), (0, extra[1]), (0, 0), (0, 0)])
