"""channels_first layers, which no TensorFlow CPU kernel runs, between two transpositions.

    y = P⁻¹(layer_channels_last(P(x))),   P: (batch, channels, *space) -> (batch, *space, channels)

Kernels have one layout in both data formats (`keras/layers/convolutional.py`: kernel_size + (in, out)), so the
arrays stay as they are. An activation that depends on the axis (softmax, a Softmax or PReLU layer) follows P⁻¹.
Signature shapes stay as they were; Flatten keeps its own rule for channels_first.
"""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.config_values import activation_layer, activation_name
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder, moved_arrays

_RANKS = {
    **dict.fromkeys(("Conv1D", "Conv1DTranspose", "SeparableConv1D", "DepthwiseConv1D"), 1),
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), 1),
    **dict.fromkeys(("Conv2D", "Conv2DTranspose", "SeparableConv2D", "DepthwiseConv2D"), 2),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D", "UpSampling2D", "ZeroPadding2D", "Cropping2D"), 2),
    **dict.fromkeys(("Conv3D", "Conv3DTranspose"), 3),
    **dict.fromkeys(("MaxPooling3D", "AveragePooling3D", "UpSampling3D", "ZeroPadding3D", "Cropping3D"), 3),
}


#: Activation layers of which an axis is an option, or has weights of its own.
_KNOWS_AXES = frozenset({"PReLU", "Softmax"})


def wrap_channels_first(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Runs a channels_first layer in channels_last between two Permute layers."""
    del context
    layer = rewrite.layer
    rank = _RANKS.get(layer.class_name)
    if rank is None or layer.config.get("data_format") != "channels_first":
        return rewrite
    config = {**layer.config, "data_format": "channels_last"}
    activation = layer.config.get("activation")
    found = activation_layer(activation)
    apart = activation_name(activation) == "softmax" or (found is not None and found[0] in _KNOWS_AXES)
    inner = replace(layer, config={**config, "activation": "linear"} if apart else config)
    builder = SubgraphBuilder(layer)
    before = builder.add("Permute", "channels_last", {"dims": [*range(2, rank + 2), 1]}, *builder.inputs)
    name = f"{layer.name}_channels_last"
    out = builder.place(inner, name, before)
    after = builder.add("Permute", "channels_first", {"dims": [rank + 1, *range(1, rank + 1)]}, out)
    arrays = dict(moved_arrays(rewrite.arrays, layer.path, (*layer.path, name)))
    if apart:
        after = builder.add("Activation", "activation", {"activation": activation}, after)
        own = dict(arrays.pop((*layer.path, name), {}))
        if "alpha" in own:
            arrays[*layer.path, "activation"] = {"alpha": own.pop("alpha")}
        arrays[*layer.path, name] = own
    return rewrite.rewritten(
        builder.finish(after),
        "channels_first_to_last",
        "transposed at its edges, arrays unchanged",
        arrays=arrays,
    )
