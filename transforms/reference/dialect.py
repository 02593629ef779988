"""The meaning of a Keras generation's layer classes, and the interface between composite layers and their evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from transforms.architecture.graph import Layer
from transforms.legacy.release import Writer
from transforms.reference.layer_call import Array, LayerCall, Mask, StatelessLayer
from transforms.reference.layers.cells import Cell
from transforms.reference.masks.propagation import LOOKS_AT_MASKS


@dataclass(frozen=True)
class Tensors:
    """Values between layers: arrays, each with its mask."""

    values: tuple[Array, ...]
    masks: tuple[Mask, ...]

    @classmethod
    def unmasked(cls, *values: Array) -> Tensors:
        """Arrays without masks."""
        return cls(values, (None,) * len(values))


class Evaluator(Protocol):
    """Runs single layers of one model."""

    @property
    def writer(self) -> Writer:
        """The program that wrote the model."""

    @property
    def fixed_batch(self) -> bool:
        """True if the model states its batch size, as one with stateful layers must."""

    @property
    def cells(self) -> Mapping[str, Callable[[LayerCall], Cell]]:
        """The recurrent cells that the model may hold, by class."""

    def layer_call(self, layer: Layer, inputs: Tensors) -> LayerCall:
        """The call of a layer, with its weights."""

    def run(self, layer: Layer, inputs: Tensors) -> Tensors:
        """The outputs of any layer, with their masks."""


#: A layer that holds others, has states or several outputs, and handles its own masks.
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
        read: completes a call with options that its config leaves to the rest of the model.
        looks_at_masks: stateless classes whose result depends on masks.
        arguments: further supported call arguments: `mask`, which replaces the masks of the inputs.
    """

    stateless: Mapping[str, StatelessLayer]
    structured: Mapping[str, StructuredLayer]
    cells: Mapping[str, Callable[[LayerCall], Cell]]
    output_mask: Callable[[LayerCall, Writer], Mask]
    read: Callable[[LayerCall], LayerCall] = as_stored
    looks_at_masks: frozenset[str] = LOOKS_AT_MASKS
    arguments: frozenset[str] = frozenset()
