"""Masks that tf.keras 1.13 loses, in graph mode.

`Layer._set_mask_metadata` treats the mask of an output that has a `_keras_mask` as already computed, and overwrites it
with None. So no mask leaves a nested model of the outermost graph, nor a layer that returns its input itself. Inside
nested models masks are computed explicitly (`Network._run_internal_graph`), except in a Sequential two models deep,
which has a loop of its own (`Sequential._call_and_compute_mask`).
"""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.graph import Graph, Layer
from transforms.legacy.release import Release, Writer
from transforms.reference.dialect import Tensors
from transforms.reference.layer_call import LayerCall, NotCovered
from transforms.reference.masks.propagation import LOOKS_AT_MASKS, any_mask, output_mask, propagates_mask
from transforms.reference.registry import STRUCTURED


def _is_1_13(release: Release) -> bool:
    return release <= (1, 13)


def mask_lost_in_outer_graph(graph: Graph, layer: Layer, inputs: Tensors, result: Tensors, writer: Writer) -> bool:
    """True if the output masks of a layer of the outermost graph are lost."""
    if layer.graph is not None:
        return any_mask(result.masks) and writer.agree_on(_is_1_13, "whether a mask leaves a nested model", layer.path)
    if not any_mask(inputs.masks) or not _returns_its_input(layer):
        return False
    lost = writer.agree_on(_is_1_13, f"whether {layer.class_name} propagates a mask", layer.path)
    if lost and _uses(graph, layer) > 1:
        # The other uses also lose the mask if they were built later, which the file does not record.
        raise NotCovered("a tensor that loses its mask in tf.keras 1.13 and has other uses", layer.path)
    return lost


def _returns_its_input(layer: Layer) -> bool:
    if layer.class_name == "Activation":
        return layer.config.get("activation") in (None, "linear")
    if layer.class_name in ("GaussianDropout", "AlphaDropout"):
        return not 0.0 < float(layer.config.get("rate") or 0.0) < 1.0
    return layer.class_name == "ActivityRegularization"


def _uses(graph: Graph, layer: Layer) -> int:
    """The number of uses of a layer's most used input."""
    calls = [call for other in graph.layers for call in other.calls]
    return max(sum(ref in call.inputs for call in calls) for made in layer.calls for ref in made.inputs)


def is_nested_sequential(graph: Graph, depth: int, writer: Writer) -> bool:
    """True for a Sequential inside a nested model."""
    return (
        graph.class_name == "Sequential"
        and depth > 1
        and writer.standalone is None
        and writer.agree_on(_is_1_13, "masks in a Sequential inside a nested model", graph.path)
    )


def sequential_input_masks(layer: Layer, inputs: Tensors, writer: Writer) -> Tensors:
    """The masks that a layer of such a Sequential receives: a mask on a layer that accepts none is no error there."""
    if layer.graph is not None or layer.class_name in STRUCTURED or layer.class_name in LOOKS_AT_MASKS | _OWN_MASK:
        return inputs
    return inputs if propagates_mask(layer.class_name, writer, layer.path) else Tensors.unmasked(*inputs.values)


_OWN_MASK = frozenset({"Masking", "Embedding"})


def sequential_output_masks(call: LayerCall, result: Tensors, writer: Writer) -> Tensors:
    """The masks after a layer of such a Sequential.

    Bidirectional there declares that it does not support masks, so its mask is dropped. Masking and Embedding
    compute theirs from their own output instead of their input.
    """
    if call.class_name == "Bidirectional":
        return Tensors.unmasked(*result.values)
    if call.class_name == "Masking":
        return Tensors(result.values, (output_mask(replace(call, inputs=result.values), writer),))
    if call.class_name == "Embedding" and any_mask(result.masks):
        raise NotCovered("Embedding with mask_zero in a Sequential inside a nested model of tf.keras 1.13", call.path)
    return result
