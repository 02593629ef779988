"""The layer classes and operations of Keras 3."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.architecture.graph import Layer
from transforms.reference.dialect import Dialect, Evaluator, StructuredLayer, Tensors
from transforms.reference.keras_3.masks import (
    LOOKS_AT_MASKS_IN_KERAS_3,
    keras_3_output_mask,
    masked_product,
    refusing_masks,
)
from transforms.reference.keras_3.operations import OPERATIONS_BY_CLASS
from transforms.reference.layer_call import NotCovered, StatelessLayer
from transforms.reference.layers.bidirectional import bidirectional
from transforms.reference.layers.recurrent import CELLS
from transforms.reference.layers.recurrent_layers import CONVOLUTIONAL, RECURRENT, recurrent_layer

_CONSUMERS = frozenset({"Softmax", "GlobalAveragePooling1D", "Bidirectional"}) | RECURRENT | CONVOLUTIONAL


def _without_mask_beside_states(rule: StructuredLayer) -> StructuredLayer:
    """A recurrent layer with given states ignores the mask of its input, but propagates it.

    `Layer.__call__` looks for a mask of each of several tensor arguments under `sequences_mask`, which no recurrent
    layer has. A mask that the call names itself is applied.
    """

    def layer(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
        mask = inputs.masks[0]
        named = [call.kwargs.get("mask") is not None for call in layer.calls]
        if mask is None or len(inputs.values) == 1 or (named and all(named)):
            return rule(layer, inputs, evaluator)
        if any(named):
            raise NotCovered("a recurrent layer with states and a mask that the call names", layer.path)
        result = rule(layer, Tensors.unmasked(*inputs.values), evaluator)
        sequences = layer.slots.get("forward", layer).config.get("return_sequences")
        both = 2 if layer.class_name == "Bidirectional" and layer.config.get("merge_mode", "concat") is None else 1
        masks = [mask if sequences and index < both else None for index in range(len(result.values))]
        return Tensors(result.values, tuple(masks))

    return layer


def _unmasked_convolutional(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    if inputs.masks[0] is not None:
        raise NotCovered("a masked convolutional LSTM of Keras 3", layer.path)
    return recurrent_layer(layer, inputs, evaluator)


def _time_distributed(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """One layer at every step, (n, t, ...) -> (n, t, ...). The output keeps the mask of the input.

    The inner layer is not *called*; its `call` is run, so it outputs no mask. It receives the mask of the step, (n,),
    which no mask-reading layer accepts (`TimeDistributed.call` in keras/src/layers/rnn).
    """
    if len(inputs.values) != 1:
        raise NotCovered(f"TimeDistributed of {len(inputs.values)} inputs", layer.path)
    x, mask = inputs.values[0], inputs.masks[0]
    inner = layer.slots["layer"]
    if mask is not None and (inner.graph is not None or inner.class_name in _CONSUMERS):
        raise NotCovered(f"a mask on TimeDistributed({inner.class_name})", layer.path)
    result = evaluator.run(inner, Tensors.unmasked(x.reshape(-1, *x.shape[2:])))
    if len(result.values) != 1:
        raise NotCovered("TimeDistributed of several outputs", layer.path)
    return Tensors((result.values[0].reshape(*x.shape[:2], *result.values[0].shape[1:]),), (mask,))


def keras_3_dialect(stateless: Mapping[str, StatelessLayer], structured: Mapping[str, StructuredLayer]) -> Dialect:
    """The dialect, from the rules of Keras 2 that still apply.

    Args:
        stateless: layers of arrays by class.
        structured: layers that hold others.
    """
    return Dialect(
        stateless={
            **stateless,
            **OPERATIONS_BY_CLASS,
            "Multiply": masked_product(),
            **{name: refusing_masks(stateless[name]) for name in ("Maximum", "Minimum", "Softmax")},
        },
        structured={
            **structured,
            **dict.fromkeys(RECURRENT, _without_mask_beside_states(recurrent_layer)),
            **dict.fromkeys(CONVOLUTIONAL, _unmasked_convolutional),
            "Bidirectional": _without_mask_beside_states(bidirectional),
            "TimeDistributed": _time_distributed,
        },
        cells=CELLS,
        output_mask=keras_3_output_mask,
        looks_at_masks=LOOKS_AT_MASKS_IN_KERAS_3,
        arguments=frozenset({"mask"}),
    )
