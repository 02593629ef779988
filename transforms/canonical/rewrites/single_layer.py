"""Rewrites of single layers: renamed classes, options that tf-keras reads differently, options it refuses."""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.attention import MULTI_HEAD
from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION, FUNCTION_CLASSES
from transforms.architecture.graph import Graph, Layer, input_count, walk
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.subgraph import TENSOR_OP, SubgraphBuilder, moved_arrays
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.preprocessing import AUGMENTATION
from transforms.records.runtime import Family

_RENAMED = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "UnifiedLSTM": "LSTM",
    "UnifiedGRU": "GRU",
}
_GRU_CLASSES = ("GRU", "GRUCell")


def rename_classes(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Renames classes of tf.keras 1.13 to 2.0 to their later names."""
    del context
    target = _RENAMED.get(rewrite.layer.class_name)
    if target is None:
        return rewrite
    return rewrite.rewritten(replace(rewrite.layer, class_name=target), "class_renamed", f"to {target}")


def state_reset_after(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Before Keras 2.1.3 a GRU had no `reset_after` and reset before the product; tf-keras defaults to after."""
    del context
    layer = rewrite.layer
    if layer.class_name not in _GRU_CLASSES or layer.config.get("reset_after") is not None:
        return rewrite
    config = {**layer.config, "reset_after": False}
    return rewrite.rewritten(replace(layer, config=config), "reset_after_stated", "missing, so False")


def reset_state_each_call(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Resets states at each call, since a served model must give the same outputs for the same request."""
    del context
    layer = rewrite.layer
    if not layer.config.get("stateful"):
        return rewrite
    config = {**layer.config, "stateful": False}
    return rewrite.rewritten(
        replace(layer, config=config),
        "stateful_reset_each_call",
        "states start at zero at each call",
        warning=f"{'/'.join(layer.path)} is stateful: the SavedModel forgets its state between calls.",
    )


def disable_unroll(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Replaces an unrolled recurrent layer by the equivalent loop, which keeps the graph small."""
    del context
    layer = rewrite.layer
    if not layer.config.get("unroll"):
        return rewrite
    return rewrite.rewritten(replace(layer, config={**layer.config, "unroll": False}), "unrolled_to_loop")


def drop_softmax_mask(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The Softmax layer ignored masks before TensorFlow 2.4; tf-keras sets masked entries to zero."""
    layer = rewrite.layer
    minds_mask = context.runtime.family is Family.TF_KERAS and context.runtime.version >= (2, 5)
    if layer.class_name != "Softmax" or not context.masked or minds_mask:
        return rewrite
    axis = layer.config.get("axis", -1)
    if axis == -1:
        config = {"name": layer.name, "activation": "softmax"}
        return rewrite.rewritten(replace(layer, class_name="Activation", config=config), "softmax_without_mask")
    builder = SubgraphBuilder(layer)
    values = builder.add_op("softmax", "softmax", builder.inputs[0], axis=axis)
    masked = builder.with_mask_of(builder.inputs[0], values, "masked")
    return rewrite.rewritten(builder.finish(masked), "softmax_without_mask", f"axis {axis}")


def expand_negative_threshold_relu(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """ReLU with a negative threshold, which tf.keras 2.x refuses.

    f(x) = p(x * [x > threshold]) - negative_slope * max(threshold - x, 0), with p(y) = clip(y, 0, max_value) if a
    max_value is given and p(y) = y otherwise. Source: `relu` in keras/backend/tensorflow_backend.py (2.2.4, 2.3.1).
    """
    del context
    layer = rewrite.layer
    threshold = layer.config.get("threshold")
    if layer.class_name != "ReLU" or threshold is None or float(threshold) >= 0:
        return rewrite
    builder = SubgraphBuilder(layer)
    values = builder.add_op(
        "relu",
        "relu",
        builder.inputs[0],
        threshold=float(threshold),
        negative_slope=float(layer.config.get("negative_slope") or 0.0),
        max_value=layer.config.get("max_value"),
    )
    masked = builder.with_mask_of(builder.inputs[0], values, "masked")
    return rewrite.rewritten(builder.finish(masked), "relu_below_zero", f"threshold {threshold}")


def keep_legacy_bilinear_grid(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Bilinear UpSampling2D of standalone Keras puts output i at input i * n / m, tf-keras at (i + 1/2) * n / m - 1/2.

    Source: `resize_images` in keras/backend/tensorflow_backend.py (2.2.4, 2.3.1), which calls `resize_bilinear`.
    """
    layer = rewrite.layer
    bilinear = layer.class_name == "UpSampling2D" and layer.config.get("interpolation") == "bilinear"
    if not bilinear or context.runtime.family is not Family.KERAS:
        return rewrite
    first = layer.config.get("data_format") == "channels_first"
    builder = SubgraphBuilder(layer)
    x = builder.inputs[0]
    if first:
        x = builder.add("Permute", "channels_last", {"dims": [2, 3, 1]}, x)
    x = builder.add_op("resize_bilinear", "resize", x, factors=layer.config.get("size") or [2, 2])
    if first:
        x = builder.add("Permute", "channels_first", {"dims": [3, 1, 2]}, x)
    return rewrite.rewritten(builder.finish(x), "bilinear_as_written", "corners, not pixel centres, are aligned")


_EXTREMES = {"Minimum": "minimum", "Maximum": "maximum"}


def keep_tf1_minimum_nan(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Minimum and Maximum of TensorFlow 1: min(a, b) = b where b < a, else a; so that a NaN in b is ignored.

    Today's kernels propagate the NaN. The difference matters if one branch overflows and another does not. A model with
    masks is left unchanged. Source: `scalar_min_op` and `scalar_max_op` of the Eigen that TensorFlow 1 was built with.
    """
    layer = rewrite.layer
    runtime = context.runtime
    on_tensorflow_1 = runtime.family is Family.KERAS and runtime.backend in ("", "tensorflow")
    if context.release:
        on_tensorflow_1 = context.release < (2, 0)
    if layer.class_name not in _EXTREMES or context.masked or not on_tensorflow_1 or input_count(layer) < 2:
        return rewrite
    builder = SubgraphBuilder(layer)
    y, *others = builder.inputs
    for index, other in enumerate(others):
        config = {"op": _EXTREMES[layer.class_name], "options": {}}
        y = builder.add(TENSOR_OP, f"extreme_{index}", config, y, other)
    return rewrite.rewritten(builder.finish(y), "extremes_as_written", layer.class_name)


def state_prelu_extents(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Gives a PReLU the extents of its alpha if the file does not record the input's shape.

    alpha has the shape of the input, 1 on shared axes; tf-keras needs every other extent to build it.
    """
    layer = rewrite.layer
    if layer.class_name != "PReLU" or not context.input_inferred or "alpha" not in rewrite.own_arrays:
        return rewrite
    shared = {int(axis) for axis in layer.config.get("shared_axes") or ()}
    alpha = rewrite.own_arrays["alpha"].shape
    extents = [None, *(None if axis in shared else size for axis, size in enumerate(alpha, start=1))]
    builder = SubgraphBuilder(layer)
    shaped = builder.add_op("ensure_shape", "extents", builder.inputs[0], shape=extents)
    name = f"{layer.name}_shaped"
    arrays = moved_arrays(rewrite.arrays, layer.path, (*layer.path, name))
    y = builder.place(layer, name, shaped)
    return rewrite.rewritten(builder.finish(y), "prelu_extents_stated", str(extents), arrays=arrays)


def refuse_shared_state(graph: Graph, times: int = 1) -> None:
    """Refuses stateful layers that one request calls more than once, in files of TensorFlow 2.

    There the second call starts from the final state of the first, also within a request; a layer that resets its state
    between requests cannot do that.

    Args:
        graph: the outermost graph, or one inside it.
        times: number of times that a request runs that graph.

    Raises:
        MigrationError: `unsupported_layer`.
    """
    for layer in graph.layers:
        calls = times * max(1, len(layer.calls))
        for inner in walk(replace(layer, graph=None)):
            if inner.config.get("stateful") and calls > 1:
                raise MigrationError(
                    Reason.UNSUPPORTED_LAYER,
                    f"The stateful layer is called {calls} times in one request and carries its state between them",
                    layer=inner.path,
                    advice="Save the model with stateful=False, or with one layer for each call.",
                )
        if layer.graph is not None:
            refuse_shared_state(layer.graph, calls)


def name_function(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """A function of `architecture.function_signatures` as the operation `function` of `rebuild.tensor_ops`."""
    del context
    layer = rewrite.layer
    if layer.class_name not in FUNCTION_CLASSES:
        return rewrite
    name = layer.class_name.removeprefix(FUNCTION)
    config = {"op": "function", "options": {"name": name, ARGUMENTS: layer.config[ARGUMENTS]}}
    return rewrite.rewritten(replace(layer, class_name=TENSOR_OP, config=config), "function_named", f"tf.{name}")


_ADDS_AN_AXIS = frozenset({"Embedding", "RepeatVector", "Reshape"})


def expand_dot_to_matrix_product(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """`K.batch_dot` on TensorFlow multiplied matrices over the last two axes and paired the axes before them.

    Since Keras 2.3 and TensorFlow 2.2 it sums over one axis of each input and crosses all others, as Theano did. Both
    agree up to three axes. Source: `batch_dot` in keras/backend/tensorflow_backend.py (1.2.2, 2.2.4).
    """
    layer, runtime = rewrite.layer, context.runtime
    multiplied = runtime.backend in ("", "tensorflow") and runtime.version < (2, 3)
    if layer.class_name != "Dot" or not multiplied or not context.more_than_three_axes:
        return rewrite
    builder = SubgraphBuilder(layer)
    options = {"axes": layer.config.get("axes", -1), "normalize": bool(layer.config.get("normalize"))}
    y = builder.add_op("matrix_product", "product", *builder.inputs, **options)
    return rewrite.rewritten(builder.finish(y), "dot_as_matrix_product", "pairs the axes before the last two")


def may_have_more_than_three_axes(graph: Graph) -> bool:
    """False where no tensor of the model can have more than three axes."""
    layers = list(graph.walk())
    deepest = max((_rank(layer) for layer in layers if layer.class_name == "InputLayer"), default=4)
    embeds = any(layer.class_name == "Embedding" for layer in layers)
    return deepest + embeds > 3 or any(_may_add_axes(layer) for layer in layers)


def _rank(layer: Layer) -> int:
    shape = layer.config.get("batch_input_shape", layer.config.get("batch_shape"))
    return len(shape) if isinstance(shape, list) else 4


def _may_add_axes(layer: Layer) -> bool:
    if layer.class_name == "Reshape":
        return len(layer.config.get("target_shape") or ()) > 2
    if layer.class_name == "TimeDistributed":
        return any(inner.graph is not None or inner.class_name in _ADDS_AN_AXIS for inner in layer.slots.values())
    return layer.class_name == "Merge" and layer.config.get("mode") == "cos"


def drop_augmentation(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Replaces layers that change images only in training by the identity."""
    del context
    layer = rewrite.layer
    if layer.class_name not in AUGMENTATION:
        return rewrite
    config = {"name": layer.name, "activation": "linear"}
    return rewrite.rewritten(
        replace(layer, class_name="Activation", config=config), "augmentation_left_out", layer.class_name
    )


def drop_attention_mask(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """MultiHeadAttention of tf.keras applies masks since 2.10; before, it neither applied nor propagated any.

    Source: `MultiHeadAttention.call` of keras 2.9 and 2.10.
    """
    layer = rewrite.layer
    seen = context.runtime.family is not Family.TF_KERAS or context.runtime.version >= (2, 10)
    if layer.class_name != MULTI_HEAD or not context.masked or seen:
        return rewrite
    builder = SubgraphBuilder(layer)
    name = f"{layer.name}_unmasked"
    bare = [builder.add_op("identity", f"bare_{index}", ref) for index, ref in enumerate(builder.inputs)]
    y = builder.place(layer, name, *bare)
    outputs = (y, replace(y, tensor=1)) if layer.config.get("return_attention_scores") else (y,)
    arrays = moved_arrays(rewrite.arrays, layer.path, (*layer.path, name))
    return rewrite.rewritten(builder.finish(*outputs), "mask_dropped", layer.class_name, arrays=arrays)
