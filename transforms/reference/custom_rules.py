"""Reference passes defined by custom code: NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from transforms.architecture.graph import LayerPath
from transforms.reference.layer_call import Array, NotCovered


class NamedArrays(tuple[Array, ...]):
    """Arrays in stored order, as from `get_weights`, also accessible by stored name: `arrays["W"]`."""

    names: tuple[str, ...]

    def __new__(cls, named: Sequence[tuple[str, Array]]) -> NamedArrays:
        """From pairs of name and array."""
        made = super().__new__(cls, [array for _, array in named])
        made.names = tuple(name for name, _ in named)
        return made

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


@dataclass(frozen=True)
class CustomRules:
    """The reference rules of custom code for its own layers and functions.

    Attributes:
        layers: by marked class name, a function of config, inputs and weights by role.
        functions: by marked name, a function of one array, and of a Lambda's arguments.
    """

    layers: Mapping[str, Callable[[Mapping[str, Any], Sequence[Array], Mapping[str, Array]], Any]] = field(
        default_factory=dict
    )
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def knows(self, class_name: str, config: Mapping[str, Any]) -> bool:
        """True if there is a rule for a layer of that class."""
        return class_name in self.layers or (class_name == "custom:Lambda" and config.get("function") in self.functions)

    def run(
        self,
        class_name: str,
        config: Mapping[str, Any],
        inputs: Sequence[Array],
        weights: Mapping[str, Array],
        path: LayerPath,
    ) -> tuple[Array, ...]:
        """The outputs of a custom layer. Raises NotCovered if its reference fails."""
        try:
            if class_name in self.layers:
                outputs = self.layers[class_name](config, inputs, weights)
            else:
                x = inputs[0] if len(inputs) == 1 else list(inputs)
                outputs = self.functions[str(config["function"])](x, **(config.get("arguments") or {}))
        except Exception as error:
            raise NotCovered(f"{class_name}, whose reference raised {type(error).__name__}: {error}", path) from error
        return tuple(map(np.asarray, outputs)) if isinstance(outputs, (list, tuple)) else (np.asarray(outputs),)
