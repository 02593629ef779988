"""Replaces a Lambda layer by a model of TensorFlow operations under the layer's name: the expression of its
function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture.graph import Layer, TensorRef
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.subgraph import SubgraphBuilder
from transforms.errors import MigrationError, Reason
from transforms.records.expression import MASKS_AS_INPUTS, TRANSLATION, Expression, Translation, Variant
from transforms.records.runtime import Family

#: The class of a layer that is built as one of its slots, chosen by which inputs have a mask: "01" for the second.
BY_MASK = "ByMask"


def translate_function(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The translated expression of the function as operations; one for each combination of masked inputs."""
    layer = rewrite.layer
    translation = layer.config.get(TRANSLATION)
    if layer.class_name != "Lambda" or not isinstance(translation, Translation):
        return rewrite
    by_mask = _by_mask(layer, translation)
    detail = translation.one_line
    if layer.config.get(MASKS_AS_INPUTS):
        ((masked, variant),) = by_mask.items()
        return rewrite.rewritten(_model_of_masks(layer, variant, masked, context), "function_translated", detail)
    if not translation.by_mask:
        ((masked, variant),) = by_mask.items()
        return rewrite.rewritten(_model(layer, variant, masked, context), "function_translated", detail)
    slots = {
        "".join(str(int(has)) for has in masked): _model(_inside(layer, masked), variant, masked, context)
        for masked, variant in by_mask.items()
    }
    config = {"name": layer.name}
    return rewrite.rewritten(
        replace(layer, class_name=BY_MASK, config=config, slots=slots), "function_translated", detail
    )


def _by_mask(layer: Layer, translation: Translation) -> dict[tuple[bool, ...], Variant]:
    """One variant for each combination of masked inputs. Raises MigrationError if several shapes need several
    expressions.
    """
    found: dict[tuple[bool, ...], Variant] = {}
    for variant in translation.variants:
        first = found.setdefault(variant.masked, variant)
        if (first.expression, first.mask) != (variant.expression, variant.mask):
            raise MigrationError(
                Reason.UNSUPPORTED_LAYER,
                "The Lambda is called on inputs of several shapes, for which its function computes differently",
                layer=layer.path,
                advice="Save the model with one Lambda for each call.",
            )
    return found


def _inside(layer: Layer, masked: tuple[bool, ...]) -> Layer:
    """The layer in a slot of itself."""
    name = "".join(str(int(has)) for has in masked)
    return replace(layer, path=(*layer.path, name))


def _model(layer: Layer, variant: Variant, masked: tuple[bool, ...], context: RewriteContext) -> Layer:
    """Masks taken from the inputs that bear them, and put upon the first output where it has one."""
    builder = SubgraphBuilder(replace(layer, slots={}), inputs=len(masked))
    masks = [
        builder.add_op("mask_of", f"mask_{index}", ref)
        for index, (ref, has) in enumerate(zip(builder.inputs, masked, strict=True))
        if has
    ]
    outputs, mask = _computed(builder, builder.inputs, masks, variant, masked, context)
    if mask is not None:
        outputs[0] = builder.add_op("with_mask", "masked", outputs[0], mask)
    return builder.finish(*outputs)


def _model_of_masks(layer: Layer, variant: Variant, masked: tuple[bool, ...], context: RewriteContext) -> Layer:
    """Masks as further inputs, and as a further output where there is one."""
    builder = SubgraphBuilder(replace(layer, slots={}), inputs=len(masked) + sum(masked))
    inputs, masks = builder.inputs[: len(masked)], builder.inputs[len(masked) :]
    outputs, mask = _computed(builder, inputs, masks, variant, masked, context)
    return builder.finish(*outputs, *([] if mask is None else [mask]))


def _computed(
    builder: SubgraphBuilder,
    inputs: Sequence[TensorRef],
    masks: Sequence[TensorRef],
    variant: Variant,
    masked: tuple[bool, ...],
    context: RewriteContext,
) -> tuple[list[TensorRef], TensorRef | None]:
    """The outputs, and the mask of the first."""
    options = {
        "expression": plain(variant.expression, masked),
        "era": era_of(context),
        "shapes": [None if shape is None else list(shape) for shape in variant.shapes] if variant.by_shape else None,
        "results": [None if shape is None else list(shape) for shape in variant.results],
    }
    result = builder.add_op("expression", "function", *inputs, *masks, **options)
    outputs = [TensorRef(result.layer, 0, index) for index in range(len(variant.expression.outputs))]
    if variant.mask is None or not variant.mask.outputs:
        return outputs, None
    options = {**options, "expression": plain(variant.mask, masked), "results": [None]}
    return outputs, builder.add_op("expression", "mask", *inputs, *masks, **options)


def plain(expression: Expression, masked: tuple[bool, ...]) -> dict[str, Any]:
    """An expression as plain data."""
    steps = [{"function": step.function, "arguments": dict(step.arguments)} for step in expression.steps]
    return {"steps": steps, "outputs": list(expression.outputs), "masked": list(masked)}


def era_of(context: RewriteContext) -> dict[str, Any]:
    """The facts that decide between the meanings of a function, see `rebuild.expressions.era`."""
    runtime = context.runtime
    return {
        "standalone": list(runtime.version) if runtime.family is Family.KERAS else None,
        "release": list(context.release) if runtime.family is Family.TF_KERAS else [],
        "backend": runtime.backend or "tensorflow",
        "keras_3": runtime.family is Family.KERAS_3,
    }
