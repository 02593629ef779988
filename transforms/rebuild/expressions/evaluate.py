"""Applies an expression, step by step, to symbolic tensors: each operation becomes a layer of Keras 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import tensorflow as tf

from transforms.architecture.function_signatures import FUNCTIONS
from transforms.rebuild.expressions.activations import ACTIVATIONS
from transforms.rebuild.expressions.backend import BACKEND
from transforms.rebuild.expressions.era import Era
from transforms.rebuild.expressions.keras_3 import OPS
from transforms.rebuild.expressions.keras_3_arrays import ARRAYS
from transforms.rebuild.expressions.keras_3_networks import NETWORKS
from transforms.rebuild.expressions.operators import OPERATORS
from transforms.rebuild.expressions.tensorflow_functions import TENSORFLOW
from transforms.rebuild.functions import call_function

#: The rule of each listed function that does not occur as a layer. A parameter `era` receives the writer's.
RULES: Mapping[str, Callable[..., Any]] = {
    **TENSORFLOW,
    **OPERATORS,
    **BACKEND,
    **OPS,
    **ARRAYS,
    **NETWORKS,
    **ACTIVATIONS,
}


def evaluate_expression(*tensors: Any, expression: Mapping[str, Any], era: Mapping[str, Any]) -> Any:
    """The outputs of an expression: a tensor, or a list of them.

    Args:
        tensors: the inputs, then the masks of those that have one.
        expression: `steps` and `outputs` as in `records.expression`, and `masked`: which inputs have a mask.
        era: fields of `era.Era`.

    Raises ValueError for a function that is not listed, or arguments that TensorFlow refuses.
    """
    masked: Sequence[bool] = expression["masked"]
    inputs, rest = tensors[: len(masked)], iter(tensors[len(masked) :])
    masks = [next(rest) if has else None for has in masked]
    results: list[Any] = []

    def placed(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [placed(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if "input" in value:
            return inputs[value["input"]]
        if "mask" in value:
            return masks[value["mask"]]
        if "result" in value:
            found = results[value["result"]]
            return found[value["output"]] if "output" in value else found
        if "dtype_of" in value:
            return placed(value["dtype_of"]).dtype
        return {key: placed(item) for key, item in value.items()}

    for step in expression["steps"]:
        arguments = {name: placed(value) for name, value in step["arguments"].items()}
        try:
            results.append(called(step["function"], arguments, Era(**era)))
        except (AttributeError, KeyError, IndexError, tf.errors.OpError) as error:
            raise ValueError(f"{step['function']}: {error}") from error
    outputs = [placed(ref) for ref in expression["outputs"]]
    return outputs[0] if len(outputs) == 1 else outputs


def called(name: str, arguments: Mapping[str, Any], era: Era) -> Any:
    """The result of a listed function. Raises ValueError for one that is not listed."""
    if name in FUNCTIONS:
        return call_function(name=name, arguments=arguments)
    rule = RULES.get(name)
    if rule is None:
        raise ValueError(f"{name} is not listed")
    return rule(**arguments, **({"era": era} if "era" in signature(rule).parameters else {}))
