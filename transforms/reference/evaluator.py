"""What layers that hold other layers need of the program that runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from transforms.architecture.graph import Layer
from transforms.legacy.release import Writer
from transforms.reference.layer_call import Array, LayerCall, Mask
from transforms.reference.layers.cells import Cell


@dataclass(frozen=True)
class Tensors:
    """What passes between layers: arrays, each with its mask."""

    values: tuple[Array, ...]
    masks: tuple[Mask, ...]

    @classmethod
    def unmasked(cls, *values: Array) -> Tensors:
        """Arrays in which nothing is masked."""
        return cls(values, (None,) * len(values))


class Evaluator(Protocol):
    """Runs single layers of one model."""

    @property
    def writer(self) -> Writer:
        """Which program wrote the model."""

    @property
    def fixed_batch(self) -> bool:
        """True where the model states its batch size, as one with stateful layers must."""

    @property
    def cells(self) -> Mapping[str, Callable[[LayerCall], Cell]]:
        """The recurrent cells that the model may hold, by class."""

    def layer_call(self, layer: Layer, inputs: Tensors) -> LayerCall:
        """The call of a layer, with its weights."""

    def run(self, layer: Layer, inputs: Tensors) -> Tensors:
        """The outputs of any layer, with their masks."""
