"""The arguments of a reference layer, and its exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.architecture.graph import LayerPath
from transforms.records.runtime import Runtime

Array: TypeAlias = npt.NDArray[Any]
Mask: TypeAlias = npt.NDArray[np.bool_] | None


class NotCovered(Exception):
    """The reference has no independent forward pass for this layer, option or input."""

    def __init__(self, what: str, layer: LayerPath = ()) -> None:
        super().__init__(f"{'/'.join(layer)}: {what}" if layer else what)
        self.what = what
        self.layer = layer


class Refused(NotCovered):
    """The writer would have refused to build the model, so it did not write it."""


@dataclass(frozen=True)
class LayerCall:
    """One call of one layer.

    Attributes:
        class_name: as stored.
        config: the legacy config, as stored.
        weights: the original arrays by role, float64 when looked up.
        inputs: float64 (or integer) arrays, batch first.
        masks: one per input; True for unmasked steps, None if nothing is masked.
        runtime: the Keras that wrote the file.
        path: for messages.
        functions: references of custom activations, by marked name.
    """

    class_name: str
    config: Mapping[str, Any]
    weights: Mapping[str, Array]
    inputs: tuple[Array, ...]
    masks: tuple[Mask, ...]
    runtime: Runtime
    path: LayerPath
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def x(self) -> Array:
        """The first input."""
        return self.inputs[0]

    def option(self, name: str, default: Any) -> Any:
        """A config value, or the default if the key is missing or null."""
        value = self.config.get(name)
        return default if value is None else value


#: A layer without state or structure: arrays in, one array out.
StatelessLayer: TypeAlias = Callable[[LayerCall], Array]
