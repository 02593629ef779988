"""Applies the rewrites to every layer of a model, from the inside out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transforms.architecture.config_values import config_errors
from transforms.architecture.custom_names import is_custom
from transforms.architecture.dtype_policy import is_narrow
from transforms.architecture.graph import Graph, Layer, LayerPath, call_tensors
from transforms.canonical.input_inference import with_inferred_inputs
from transforms.canonical.keras_1.upgrade import keras_1_upgraded, prevailing_data_format
from transforms.canonical.keras_3 import keras_3_upgraded, with_named_masks
from transforms.canonical.model import (
    ArraysByLayer,
    CanonicalModel,
    Piece,
    RewriteRule,
    Setting,
    stored,
)
from transforms.canonical.options import canonical_options
from transforms.canonical.precision import cast_to, floatx_of, holds_halves, stated_policy
from transforms.canonical.rewrites.bidirectional import masked_steps_as_written, with_both_halves
from transforms.canonical.rewrites.cudnn import cudnn_to_canonical
from transforms.canonical.rewrites.data_format import channels_last_inside
from transforms.canonical.rewrites.masking import mask_dropped, state_before_first_step
from transforms.canonical.rewrites.single_layer import (
    attention_without_mask,
    augmentation_left_out,
    axis_unwrapped,
    bilinear_as_written,
    classes_renamed,
    dot_as_matrix_product,
    extremes_as_written,
    function_named,
    may_have_more_than_three_axes,
    prelu_extents_stated,
    refuse_shared_state,
    relu_below_zero,
    reset_after_stated,
    rolled_up,
    softmax_without_mask,
    state_reset_each_call,
)
from transforms.canonical.rewrites.stacked_cells import first_cell_when_masked
from transforms.canonical.rewrites.theano import theano_kernels_rotated, theano_same_padding, theano_same_pooling
from transforms.canonical.rewrites.theano_conv_lstm import theano_conv_lstm
from transforms.canonical.rewrites.transposed_convolution import deconvolution_as_stated, theano_transposed_same
from transforms.canonical.subgraph import TENSOR_OP, merged_arrays
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import LegacyModel
from transforms.legacy.release import writer_of
from transforms.records.outcome import Rewrite
from transforms.records.runtime import Family

#: Every rewrite, in the order in which it is tried on a layer. Later ones see what earlier ones left.
RULES: tuple[RewriteRule, ...] = (
    keras_1_upgraded,
    deconvolution_as_stated,
    keras_3_upgraded,
    function_named,
    augmentation_left_out,
    classes_renamed,
    cudnn_to_canonical,
    axis_unwrapped,
    reset_after_stated,
    state_reset_each_call,
    rolled_up,
    theano_kernels_rotated,
    softmax_without_mask,
    relu_below_zero,
    bilinear_as_written,
    extremes_as_written,
    prelu_extents_stated,
    mask_dropped,
    attention_without_mask,
    masked_steps_as_written,
    state_before_first_step,
    first_cell_when_masked,
    dot_as_matrix_product,
    theano_same_padding,
    theano_same_pooling,
    theano_transposed_same,
    theano_conv_lstm,
    channels_last_inside,
)

#: Layers that take inputs and have no options of their own.
_UNOPTIONED = frozenset({"InputLayer", TENSOR_OP})


@config_errors()
def canonicalise(
    model: LegacyModel, sample_shape: Sequence[int] | None = None, rules: tuple[RewriteRule, ...] = RULES
) -> CanonicalModel:
    """The canonical form of a legacy model. Reads no array: each is rewritten when it is read.

    Args:
        model: as read.
        sample_shape: shape of a sample batch of the first input, for files that do not record it.
        rules: the rewrites to apply.

    Raises:
        MigrationError: `unsupported_layer`, `invalid_config`, `nonfinite_weights` (an array that leaves the
            range of its target precision; raised on reading).
    """
    floatx, warnings = floatx_of(model)
    halves = holds_halves(model.graph)
    arrays = {path: {role: stored(model, path, role) for role in held} for path, held in model.arrays.items()}
    stated, assumed = with_inferred_inputs(model.graph, arrays, sample_shape)
    named: tuple[Rewrite, ...] = ()
    if model.runtime.family is Family.KERAS_3:
        stated, named = with_named_masks(stated, model.runtime)
    setting = Setting(
        runtime=model.runtime,
        masked=_makes_masks(stated),
        floatx=floatx,
        data_format=prevailing_data_format(stated),
        release=_release(model),
        input_inferred=bool(assumed),
        more_than_three_axes=may_have_more_than_three_axes(stated),
    )
    if setting.release >= (2, 0):
        refuse_shared_state(stated)
    graph, pieces = _graph(stated, arrays, setting, rules)
    return CanonicalModel(
        graph=graph,
        arrays={
            path: {role: cast_to(floatx, array, path, halves) for role, array in held.items()}
            for path, held in merged_arrays([piece.arrays for piece in pieces]).items()
        },
        floatx=floatx,
        rewrites=(*named, *(note for piece in pieces for note in piece.rewrites)),
        warnings=(
            *warnings,
            *assumed,
            *(warning for piece in pieces for warning in piece.warnings),
        ),
    )


def _graph(
    graph: Graph, arrays: ArraysByLayer, setting: Setting, rules: tuple[RewriteRule, ...]
) -> tuple[Graph, list[Piece]]:
    reachable = _reachable(graph)
    dangling = [layer for layer in graph.layers if layer.name not in reachable]
    if any(below(path, layer.path) for layer in dangling for path in arrays):
        raise MigrationError(Reason.INVALID_CONFIG, "A layer with weights feeds no output", layer=dangling[0].path)
    pieces = [_piece(layer, arrays, setting, rules) for layer in graph.layers if layer.name in reachable]
    return replace(graph, layers=tuple(piece.layer for piece in pieces)), pieces


def _piece(layer: Layer, arrays: ArraysByLayer, setting: Setting, rules: tuple[RewriteRule, ...]) -> Piece:
    if is_custom(layer.class_name):
        return Piece(layer, {layer.path: arrays[layer.path]} if layer.path in arrays else {})
    layer = with_both_halves(layer)
    inner_pieces: list[Piece] = []
    if layer.graph is not None:
        graph, inner_pieces = _graph(layer.graph, arrays, setting, rules)
        layer = replace(layer, graph=graph)
    slots = {}
    for slot, inner in layer.slots.items():
        piece = _piece(inner, arrays, setting, rules)
        inner_pieces.append(piece)
        slots[slot] = piece.layer
    layer = replace(layer, slots=slots)
    own = {layer.path: arrays[layer.path]} if layer.path in arrays else {}
    piece = Piece(
        layer=layer,
        arrays=merged_arrays([own, *(inner.arrays for inner in inner_pieces)]),
        rewrites=tuple(note for inner in inner_pieces for note in inner.rewrites),
        warnings=tuple(warning for inner in inner_pieces for warning in inner.warnings),
    )
    piece = _rewritten(piece, setting, rules)
    if layer.graph is None and piece.layer.graph is not None and is_narrow(layer.config):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"{layer.class_name} computes in 16 bits and needs {piece.rewrites[-1].rule}, which goes together nowhere",
            layer=layer.path,
            advice="Save the model in float32.",
        )
    return replace(piece, layer=with_stated_options(piece.layer))


def _rewritten(piece: Piece, setting: Setting, rules: tuple[RewriteRule, ...]) -> Piece:
    """The piece after all rules. Where one puts a graph in the layer's place, the rules after it go on inside."""
    for index, rule in enumerate(rules):
        before, piece = piece, rule(piece, setting)
        if before.layer.graph is None and piece.layer.graph is not None:
            return _rewritten_inside(piece, setting, rules[index + 1 :])
    return piece


def _rewritten_inside(piece: Piece, setting: Setting, rules: tuple[RewriteRule, ...]) -> Piece:
    assert piece.layer.graph is not None
    inner_pieces = [
        _rewritten(Piece(inner, {p: held for p, held in piece.arrays.items() if below(p, inner.path)}), setting, rules)
        for inner in piece.layer.graph.layers
    ]
    graph = replace(piece.layer.graph, layers=tuple(inner.layer for inner in inner_pieces))
    return Piece(
        layer=replace(piece.layer, graph=graph),
        arrays=merged_arrays([inner.arrays for inner in inner_pieces]),
        rewrites=(*piece.rewrites, *(note for inner in inner_pieces for note in inner.rewrites)),
        warnings=(*piece.warnings, *(warning for inner in inner_pieces for warning in inner.warnings)),
    )


def below(path: LayerPath, ancestor: LayerPath) -> bool:
    """True when `path` is `ancestor` or lies inside it."""
    return path[: len(ancestor)] == ancestor


def with_stated_options(layer: Layer) -> Layer:
    """The layer, and all inside it, with every option stated and nothing else in its config."""
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
    """The TensorFlow release that is taken to have written a tf.keras file, of those that may have.

    The last 1.x release and 1.13, which were in wide use, before their neighbours. Where the candidates' masks would
    lead to different outputs, the reference does not answer, and the row says so.
    """
    releases = writer_of(model.graph, model.runtime).releases
    preferred = [release for release in ((1, 15), (1, 13)) if release in releases]
    return preferred[0] if preferred else max(releases, default=())


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
