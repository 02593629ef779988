"""Rotates kernels of convolutions that ran under Theano, which convolves where TensorFlow and CNTK correlate.

    kernel'[i, j, c, o] = kernel[-1-i, -1-j, c, o]   (every spatial axis reversed)

Source: `convert_kernel` in keras/utils/conv_utils.py and `preprocess_weights_for_loading` in
keras/engine/saving.py (2.2.4), which names the layers below.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transforms.architecture.graph import TensorRef
from transforms.canonical.model import Array, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder, data_format, moved_arrays, per_axis

_ROTATED = {
    "Conv1D": ("kernel",),
    "Conv2D": ("kernel",),
    "Conv3D": ("kernel",),
    "Conv2DTranspose": ("kernel",),
    "Conv3DTranspose": ("kernel",),
    "ConvLSTM2D": ("kernel", "recurrent_kernel"),
}


def rotated(kernel: Array) -> Array:
    """The kernel turned by 180 degrees over its spatial axes: all but the last two."""
    return np.flip(kernel, axis=tuple(range(kernel.ndim - 2)))


def rotate_theano_kernels(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Rotates convolution kernels of files written under Theano."""
    roles = _ROTATED.get(rewrite.layer.class_name)
    if roles is None or context.runtime.backend != "theano":
        return rewrite
    arrays = {role: array.mapped(rotated) if role in roles else array for role, array in rewrite.own_arrays.items()}
    return rewrite.rewritten(
        rewrite.layer, "theano_kernel_rotated", ", ".join(roles), arrays=rewrite.with_own_arrays(arrays)
    )


_SPATIAL_RANKS = {
    "Conv1D": 1,
    "Conv2D": 2,
    "Conv3D": 3,
    "DepthwiseConv2D": 2,
    "SeparableConv1D": 1,
    "SeparableConv2D": 2,
}


def pad_as_theano(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Theano's `same` pads k // 2 before and (k - 1) // 2 after, whatever the stride; k is the dilated window.

    A separable convolution pads k // 2 on both sides: the backend checks the 1 x 1 pointwise kernel when it decides
    whether to cut the surplus of an even window. `full`, an option of Keras 1, pads k - 1 on both sides. TensorFlow has
    no such mode; its `same` padding depends on the stride, and is reversed for even windows. Source: `conv2d` with
    border_mode `half`, `separable_conv2d` and `_postprocess_conv2d_output` in keras/backend/theano_backend.py (1.2.2,
    2.2.4).
    """
    layer = rewrite.layer
    rank = _SPATIAL_RANKS.get(layer.class_name)
    mode = layer.config.get("padding")
    if rank is None or context.runtime.backend != "theano" or mode not in ("same", "full"):
        return rewrite
    kernel = "kernel" if "kernel" in rewrite.own_arrays else "depthwise_kernel"
    window = rewrite.own_arrays[kernel].shape[:rank]
    dilation = per_axis(layer.config.get("dilation_rate", 1), rank)
    dilated = [1 + (size - 1) * rate for size, rate in zip(window, dilation, strict=True)]
    if all(size == 1 for size in dilated) and mode == "same":
        return rewrite
    padding = [[size // 2, (size - 1) // 2] for size in dilated]
    if layer.class_name.startswith("Separable"):
        padding = [[size // 2] * 2 for size in dilated]
    if mode == "full":
        padding = [[size - 1] * 2 for size in dilated]
    builder = SubgraphBuilder(layer)
    padded = _with_zeros(builder, padding, data_format(layer))
    name = f"{layer.name}_valid"
    inner = replace(layer, config={**layer.config, "padding": "valid"})
    out = builder.place(inner, name, padded)
    arrays = moved_arrays(rewrite.arrays, layer.path, (*layer.path, name))
    return rewrite.rewritten(builder.finish(out), f"theano_{mode}_padding", str(padding), arrays=arrays)


def _with_zeros(builder: SubgraphBuilder, padding: list[list[int]], layout: str) -> TensorRef:
    """The input, padded on its spatial axes. ZeroPadding1D supports only channels_last."""
    x = builder.inputs[0]
    if len(padding) > 1:
        return builder.add(f"ZeroPadding{len(padding)}D", "padding", {"padding": padding, "data_format": layout}, x)
    first = layout == "channels_first"
    if first:
        x = builder.add("Permute", "padding_channels_last", {"dims": [2, 1]}, x)
    x = builder.add("ZeroPadding1D", "padding", {"padding": padding[0]}, x)
    return builder.add("Permute", "padding_channels_first", {"dims": [2, 1]}, x) if first else x


_RANKS = {f"{kind}Pooling{rank}D": rank for kind in ("Max", "Average") for rank in (1, 2, 3)}


def pool_as_theano(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Pads before a pooling layer and pools with `valid`, in channels_last."""
    layer = rewrite.layer
    rank = _RANKS.get(layer.class_name)
    if rank is None or context.runtime.backend != "theano" or layer.config.get("padding") != "same":
        return rewrite
    window = per_axis(layer.config.get("pool_size") or 2, rank)
    strides = per_axis(layer.config.get("strides") or window, rank)
    before = [k - 2 if k > 2 and k % 2 == 1 else k - 1 for k in window]
    builder = SubgraphBuilder(layer)
    x = builder.inputs[0]
    first = data_format(layer) == "channels_first"
    if first:
        x = builder.add("Permute", "channels_last", {"dims": [*range(2, rank + 2), 1]}, x)
    average = layer.class_name.startswith("Average")
    config = {"pool_size": window, "strides": strides, "padding": "valid", "data_format": "channels_last"}

    def pooled(values: TensorRef, name: str) -> TensorRef:
        border = {"before": before, "window": window, "strides": strides, "lowest": not average}
        return builder.add(layer.class_name, name, config, builder.add_op("border", f"{name}_border", values, **border))

    y = pooled(x, "pooled")
    if average:
        share = pooled(builder.add_op("ones_like", "present", x), "share")
        y = builder.add_op("divide", "mean", y, share)
    if first:
        y = builder.add("Permute", "channels_first", {"dims": [rank + 1, *range(1, rank + 1)]}, y)
    return rewrite.rewritten(builder.finish(y), "theano_same_pooling", f"padded by {before} before")
