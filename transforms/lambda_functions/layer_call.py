"""The arguments with which a Lambda layer calls its functions, in each runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transforms.lambda_functions.calls import takes
from transforms.lambda_functions.stored_function import plain_value
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.values import Function, Reference, Tensor, Value
from transforms.records.inspection import Shape

#: The arguments of a call: by position, then by name.
Call = tuple[list[Value], dict[str, Value]]


@dataclass(frozen=True)
class Inputs:
    """The inputs of a function.

    Attributes:
        shapes: of the tensors, None if unknown.
        masked: which of them have a mask.
        as_list: whether they are passed as a list, as several are.
        arguments: further arguments by name, from the layer's config.
    """

    shapes: tuple[Shape | None, ...]
    masked: tuple[bool, ...]
    as_list: bool
    arguments: Mapping[str, Any]

    @property
    def tensors(self) -> Value:
        """One tensor, or a list of them."""
        tensors = [Tensor({"input": index}, shape) for index, shape in enumerate(self.shapes)]
        return tensors if self.as_list else tensors[0]

    def masks(self, era: Era) -> Value:
        """One mask or None, or a list of them; if no input is masked, only Keras 3 passes a list."""
        masks: list[Value] = [
            Tensor({"mask": index}, None if shape is None else shape[:2]) if masked else None
            for index, (shape, masked) in enumerate(zip(self.shapes, self.masked, strict=True))
        ]
        if not self.as_list:
            return masks[0]
        return masks if any(self.masked) or era.is_keras_3 else None


def call_of_function(function: Function | Reference, inputs: Inputs, era: Era) -> Call:
    """The tensors, then the layer's arguments, the masks if the function takes them, and no `training`.

    Source: `Lambda.call` in keras/layers/core.py of 1.2.2 and 2.3.1 (also of tf.keras 1.15, 2.15) and in
    keras/src/layers/core/lambda_layer.py of 3.15. Raises Refused for arguments that are not data.
    """
    kwargs = {name: plain_value(value) for name, value in inputs.arguments.items()}
    if isinstance(function, Function):
        if takes(function, "mask"):
            kwargs.setdefault("mask", inputs.masks(era))
        if takes(function, "training"):
            kwargs.setdefault("training", False)
    return [inputs.tensors], kwargs


def call_of_mask(inputs: Inputs, era: Era) -> Call:
    """`mask(inputs, mask)` of `Lambda.compute_mask` in these; `Merge.compute_mask` of Keras 1 passes only the masks."""
    if era.runtime.is_keras_1:
        return [inputs.masks(era)], {}
    return [inputs.tensors, inputs.masks(era)], {}
