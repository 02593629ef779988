"""What a generation of Keras means by its layer classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from transforms.architecture.graph import Layer
from transforms.legacy.release import Writer
from transforms.reference.evaluator import Evaluator, Tensors
from transforms.reference.layer_call import LayerCall, Mask, StatelessLayer
from transforms.reference.layers.cells import Cell
from transforms.reference.masks.propagation import LOOKS_AT_MASKS

#: A layer that holds others, has states or several outputs, and sees to its own masks.
StructuredLayer: TypeAlias = Callable[[Layer, Tensors, Evaluator], Tensors]


def as_stored(call: LayerCall) -> LayerCall:
    """The call, unchanged."""
    return call


@dataclass(frozen=True)
class Dialect:
    """The layer classes of a generation of Keras.

    Attributes:
        stateless: classes whose output is one array, computed from arrays.
        structured: classes that hold others, have states or several outputs.
        cells: the recurrent cells, by layer and cell class.
        output_mask: the mask of the output of a stateless layer.
        read: states in a call what its config leaves to the rest of the model.
        looks_at_masks: stateless classes whose result depends on masks.
        arguments: further call arguments that it follows: `mask`, which counts in place of the masks of the inputs.
    """

    stateless: Mapping[str, StatelessLayer]
    structured: Mapping[str, StructuredLayer]
    cells: Mapping[str, Callable[[LayerCall], Cell]]
    output_mask: Callable[[LayerCall, Writer], Mask]
    read: Callable[[LayerCall], LayerCall] = as_stored
    looks_at_masks: frozenset[str] = LOOKS_AT_MASKS
    arguments: frozenset[str] = frozenset()
