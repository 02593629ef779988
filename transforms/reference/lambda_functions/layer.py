"""The Lambda layer: evaluates its translated expression step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from transforms.architecture.graph import Layer, LayerPath
from transforms.legacy.release import Writer
from transforms.records.expression import TRANSLATION, Expression, Step, Translation
from transforms.reference.dialect import Evaluator, StructuredLayer, Tensors
from transforms.reference.functions.call import RULES as FUNCTIONS
from transforms.reference.lambda_functions.activations import ACTIVATIONS
from transforms.reference.lambda_functions.backend import BACKEND
from transforms.reference.lambda_functions.images import COLOURS_AND_EDGES
from transforms.reference.lambda_functions.keras_3 import OPS
from transforms.reference.lambda_functions.keras_3_arrays import ARRAYS
from transforms.reference.lambda_functions.keras_3_networks import NETWORKS
from transforms.reference.lambda_functions.operators import OPERATORS
from transforms.reference.lambda_functions.signals import SIGNALS
from transforms.reference.lambda_functions.tensorflow import TENSORFLOW
from transforms.reference.layer_call import Array, Mask, NotCovered

#: The rule of each listed function. A parameter `writer` receives the program that wrote the model.
RULES: Mapping[str, Callable[..., Any]] = {
    **FUNCTIONS,
    **TENSORFLOW,
    **COLOURS_AND_EDGES,
    **SIGNALS,
    **OPERATORS,
    **BACKEND,
    **OPS,
    **ARRAYS,
    **NETWORKS,
    **ACTIVATIONS,
}


def _lambda(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """The function's results. A Lambda propagates no mask except the one that its `mask` argument computes."""
    translation = layer.config.get(TRANSLATION)
    if not isinstance(translation, Translation):
        raise NotCovered("a Lambda that is not translated", layer.path)
    masked = tuple(mask is not None and translation.by_mask for mask in inputs.masks)
    variant = translation.variant(tuple(x.shape for x in inputs.values), masked)
    if variant is None:
        shapes = [x.shape for x in inputs.values]
        raise NotCovered(f"a function translated for other inputs than {shapes}, masked {masked}", layer.path)
    given = (inputs.values, inputs.masks, evaluator.writer, layer.path)
    values = evaluated(variant.expression, *given)
    if variant.mask is None:
        return Tensors.unmasked(*values)
    found = evaluated(variant.mask, *given)
    masks = [mask.astype(bool) for mask in found] + [None] * (len(values) - len(found))
    return Tensors(values, tuple(masks))


def evaluated(
    expression: Expression, inputs: Sequence[Array], masks: Sequence[Mask], writer: Writer, path: LayerPath = ()
) -> tuple[Array, ...]:
    """The outputs of an expression in float64. Raises NotCovered, or ValueError if it does not run on these inputs."""
    results: list[Any] = []

    def placed(value: Any) -> Any:
        if isinstance(value, list):
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
            return _kind(placed(value["dtype_of"]))
        return {key: placed(item) for key, item in value.items()}

    for step in expression.steps:
        arguments = {name: placed(value) for name, value in step.arguments.items()}
        results.append(called(step, arguments, writer, path))
    return tuple(np.asarray(placed(ref)) for ref in expression.outputs)


def called(step: Step, arguments: Mapping[str, Any], writer: Writer, path: LayerPath) -> Any:
    """The result of a step, its arguments placed. Raises NotCovered for arguments that its rule does not have."""
    rule = RULES[step.function]
    known = signature(rule).parameters
    given = {name: value for name, value in arguments.items() if value is not None or name in known}
    unknown = [name for name, value in given.items() if name not in known and value is not False]
    if unknown:
        raise NotCovered(f"{step.function} with {', '.join(unknown)}", path)
    given = {name: value for name, value in given.items() if name in known}
    try:
        return rule(**given, **({"writer": writer} if "writer" in known else {}))
    except NotCovered as missing:
        raise NotCovered(missing.what, path) from missing
    except (TypeError, KeyError, IndexError) as error:
        raise NotCovered(f"{step.function} on such arguments ({error})", path) from error


def _kind(x: Any) -> str:
    """The dtype of a tensor as far as known; of integers only the kind is."""
    return {"f": "float32", "i": "int64", "u": "int64", "b": "bool"}[np.asarray(x).dtype.kind]


LAMBDA_LAYERS: Mapping[str, StructuredLayer] = {"Lambda": _lambda}
