"""Applies the rewrites to every layer of a model, from the inside out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transforms.architecture.custom_names import is_custom
from transforms.architecture.dtype_policy import is_narrow
from transforms.architecture.graph import Graph, Layer, LayerPath, call_tensors
from transforms.canonical.free_batch import with_free_batch
from transforms.canonical.input_inference import with_inferred_inputs
from transforms.canonical.keras_1.upgrade import upgrade_keras_1
from transforms.canonical.keras_3 import upgrade_keras_3, with_named_masks
from transforms.canonical.model import (
    ArraysByLayer,
    CanonicalModel,
    LayerRewrite,
    RewriteContext,
    RewriteRule,
    stored,
)
from transforms.canonical.options import canonical_options
from transforms.canonical.precision import cast_to, floatx_of, stated_policy, uses_float16
from transforms.canonical.rewrites.batch_normalization import join_virtual_batches, unwrap_axis
from transforms.canonical.rewrites.bidirectional import keep_legacy_masked_steps, with_both_directions
from transforms.canonical.rewrites.categories import drop_default_salt, state_category_options
from transforms.canonical.rewrites.cudnn import canonicalise_cudnn
from transforms.canonical.rewrites.data_format import wrap_channels_first
from transforms.canonical.rewrites.inference_alone import resize_random_crop, unwrap_spectral_normalization
from transforms.canonical.rewrites.masking import drop_mask, keep_state_before_first_step
from transforms.canonical.rewrites.single_layer import (
    disable_unroll,
    drop_attention_mask,
    drop_augmentation,
    drop_softmax_mask,
    expand_dot_to_matrix_product,
    expand_negative_threshold_relu,
    keep_legacy_bilinear_grid,
    keep_tf1_minimum_nan,
    may_have_more_than_three_axes,
    name_function,
    refuse_shared_state,
    rename_classes,
    reset_state_each_call,
    state_prelu_extents,
    state_reset_after,
)
from transforms.canonical.rewrites.stacked_cells import apply_first_cell_when_masked
from transforms.canonical.rewrites.stored_functions import BY_MASK, translate_function
from transforms.canonical.rewrites.theano import pad_as_theano, pool_as_theano, rotate_theano_kernels
from transforms.canonical.rewrites.theano_conv_lstm import theano_conv_lstm
from transforms.canonical.rewrites.transposed_convolution import (
    state_deconvolution_length,
    transpose_convolution_as_theano,
)
from transforms.canonical.subgraph import TENSOR_OP, merged_arrays
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.keras_1_options import prevailing_data_format
from transforms.legacy.model import LegacyModel
from transforms.legacy.release import preferred_release, writer_of
from transforms.records.outcome import Rewrite
from transforms.records.runtime import Family

#: Every rewrite, in the order of application to a layer. Later ones see the results of earlier ones.
RULES: tuple[RewriteRule, ...] = (
    upgrade_keras_1,
    state_deconvolution_length,
    upgrade_keras_3,
    translate_function,
    name_function,
    drop_augmentation,
    unwrap_spectral_normalization,
    resize_random_crop,
    state_category_options,
    drop_default_salt,
    rename_classes,
    canonicalise_cudnn,
    join_virtual_batches,
    unwrap_axis,
    state_reset_after,
    reset_state_each_call,
    disable_unroll,
    rotate_theano_kernels,
    drop_softmax_mask,
    expand_negative_threshold_relu,
    keep_legacy_bilinear_grid,
    keep_tf1_minimum_nan,
    state_prelu_extents,
    drop_mask,
    drop_attention_mask,
    keep_legacy_masked_steps,
    keep_state_before_first_step,
    apply_first_cell_when_masked,
    expand_dot_to_matrix_product,
    pad_as_theano,
    pool_as_theano,
    transpose_convolution_as_theano,
    theano_conv_lstm,
    wrap_channels_first,
)

#: Layers with inputs and without options of their own.
_UNOPTIONED = frozenset({"InputLayer", TENSOR_OP, BY_MASK})


def canonicalise(
    model: LegacyModel, sample_shape: Sequence[int] | None = None, rules: tuple[RewriteRule, ...] = RULES
) -> CanonicalModel:
    """The canonical form of a legacy model. Reads no arrays: each is rewritten when it is read.

    Args:
        model: as read.
        sample_shape: shape of a sample batch of the first input, for files that do not record it.
        rules: the rewrites to apply.

    Raises:
        MigrationError: `unsupported_layer`, `invalid_config`, `nonfinite_weights` (an array that leaves the
            range of its target precision; raised on reading).
    """
    floatx, warnings = floatx_of(model)
    halves = uses_float16(model.graph)
    arrays = {path: {role: stored(model, path, role) for role in held} for path, held in model.arrays.items()}
    stated, assumed = with_inferred_inputs(model.graph, arrays, sample_shape)
    named: tuple[Rewrite, ...] = ()
    if model.runtime.family is Family.KERAS_3:
        stated, named = with_named_masks(stated, model.runtime)
    context = RewriteContext(
        runtime=model.runtime,
        masked=_makes_masks(stated),
        floatx=floatx,
        data_format=prevailing_data_format(stated),
        release=_release(model),
        input_inferred=bool(assumed),
        more_than_three_axes=may_have_more_than_three_axes(stated),
    )
    if context.release >= (2, 0):
        refuse_shared_state(stated)
    graph, rewrites_of = _graph(stated, arrays, context, rules)
    graph = with_free_batch(graph, model.graph)
    return CanonicalModel(
        graph=graph,
        arrays={
            path: {role: cast_to(floatx, array, path, halves) for role, array in held.items()}
            for path, held in merged_arrays([rewrite.arrays for rewrite in rewrites_of]).items()
        },
        floatx=floatx,
        rewrites=(*named, *(note for rewrite in rewrites_of for note in rewrite.rewrites)),
        warnings=(
            *warnings,
            *assumed,
            *(warning for rewrite in rewrites_of for warning in rewrite.warnings),
        ),
    )


# The recursion, from the inside out; rules of a layer see its inner layers in canonical form:
#
#   _graph(graph)                              each reachable layer
#     _start(layer)
#       _graph(layer.graph)                    layers of a nested model
#       _start(slot), for each slot            wrapped layers
#       _rewritten(layer)                      rule 1, rule 2, ... rule n
#         _rewritten_inside(graph)             if rule k replaced the layer by a graph:
#           _rewritten(inner layer)            rule k + 1, ... rule n
def _graph(
    graph: Graph, arrays: ArraysByLayer, context: RewriteContext, rules: tuple[RewriteRule, ...]
) -> tuple[Graph, list[LayerRewrite]]:
    reachable = _reachable(graph)
    rewrites_of = [_start(layer, arrays, context, rules) for layer in graph.layers if layer.name in reachable]
    return replace(graph, layers=tuple(rewrite.layer for rewrite in rewrites_of)), rewrites_of


def _start(
    layer: Layer, arrays: ArraysByLayer, context: RewriteContext, rules: tuple[RewriteRule, ...]
) -> LayerRewrite:
    if is_custom(layer.class_name):
        return LayerRewrite(layer, {layer.path: arrays[layer.path]} if layer.path in arrays else {})
    layer = with_both_directions(layer)
    inner_layers: list[LayerRewrite] = []
    if layer.graph is not None:
        graph, inner_layers = _graph(layer.graph, arrays, context, rules)
        layer = replace(layer, graph=graph)
    slots = {}
    for slot, inner in layer.slots.items():
        rewrite = _start(inner, arrays, context, rules)
        inner_layers.append(rewrite)
        slots[slot] = rewrite.layer
    layer = replace(layer, slots=slots)
    own = {layer.path: arrays[layer.path]} if layer.path in arrays else {}
    rewrite = LayerRewrite(
        layer=layer,
        arrays=merged_arrays([own, *(inner.arrays for inner in inner_layers)]),
        rewrites=tuple(note for inner in inner_layers for note in inner.rewrites),
        warnings=tuple(warning for inner in inner_layers for warning in inner.warnings),
    )
    rewrite = _rewritten(rewrite, context, rules)
    if layer.graph is None and rewrite.layer.graph is not None and is_narrow(layer.config):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"{layer.class_name} computes in 16 bits and needs {rewrite.rewrites[-1].rule}: no layer has both",
            layer=layer.path,
            advice="Save the model in float32.",
        )
    return replace(rewrite, layer=with_stated_options(rewrite.layer))


def _rewritten(rewrite: LayerRewrite, context: RewriteContext, rules: tuple[RewriteRule, ...]) -> LayerRewrite:
    """The layer after all rules. If one replaces the layer by a graph, the remaining rules are applied inside it."""
    for index, rule in enumerate(rules):
        before, rewrite = rewrite, rule(rewrite, context)
        if before.layer.graph is None and rewrite.layer.graph is not None:
            return _rewritten_inside(rewrite, context, rules[index + 1 :])
    return rewrite


def _rewritten_inside(rewrite: LayerRewrite, context: RewriteContext, rules: tuple[RewriteRule, ...]) -> LayerRewrite:
    assert rewrite.layer.graph is not None
    inner_layers = [
        _rewritten(
            LayerRewrite(inner, {p: held for p, held in rewrite.arrays.items() if below(p, inner.path)}), context, rules
        )
        for inner in rewrite.layer.graph.layers
    ]
    graph = replace(rewrite.layer.graph, layers=tuple(inner.layer for inner in inner_layers))
    return LayerRewrite(
        layer=replace(rewrite.layer, graph=graph),
        arrays=merged_arrays([inner.arrays for inner in inner_layers]),
        rewrites=(*rewrite.rewrites, *(note for inner in inner_layers for note in inner.rewrites)),
        warnings=(*rewrite.warnings, *(warning for inner in inner_layers for warning in inner.warnings)),
    )


def below(path: LayerPath, ancestor: LayerPath) -> bool:
    """True if `path` is `ancestor` or inside it."""
    return path[: len(ancestor)] == ancestor


def with_stated_options(layer: Layer) -> Layer:
    """The layer, and all layers inside it, with every option stated and nothing else in the config."""
    if layer.graph is not None:
        graph = replace(layer.graph, layers=tuple(with_stated_options(inner) for inner in layer.graph.layers))
        return replace(layer, graph=graph, config={"name": layer.name})
    if layer.class_name in _UNOPTIONED or is_custom(layer.class_name):
        return layer
    return replace(
        layer,
        config={**canonical_options(layer.class_name, layer.config, layer.path), **stated_policy(layer)},
        slots={slot: with_stated_options(inner) for slot, inner in layer.slots.items()},
    )


def _release(model: LegacyModel) -> tuple[int, ...]:
    """The TensorFlow release assumed to have written a tf.keras file, among the candidates.

    If the candidates would lead to different outputs, the report states the assumption.
    """
    return preferred_release(writer_of(model.graph, model.runtime).releases)


def _reachable(graph: Graph) -> set[str]:
    """Names of the layers that the outputs depend on, and of the inputs."""
    layers = {layer.name: layer for layer in graph.layers}
    seen = {ref.layer for ref in graph.inputs}
    pending = [ref.layer for ref in graph.outputs]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for call in layers[name].calls:
            pending.extend(ref.layer for ref in call_tensors(call))
    return seen


def _makes_masks(graph: Graph) -> bool:
    return any(
        layer.class_name == "Masking" or (layer.class_name == "Embedding" and layer.config.get("mask_zero"))
        for layer in graph.walk()
    )
