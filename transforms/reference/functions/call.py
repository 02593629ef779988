"""Runs a function by its name on its inputs in the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION
from transforms.architecture.graph import Layer
from transforms.reference.dialect import Evaluator, StructuredLayer, Tensors
from transforms.reference.functions.arrangement import ARRANGEMENT
from transforms.reference.functions.colours import COLOURS
from transforms.reference.functions.elementwise import ELEMENTWISE
from transforms.reference.functions.images import IMAGES
from transforms.reference.functions.linear_algebra import LINEAR_ALGEBRA
from transforms.reference.functions.reductions import REDUCTIONS
from transforms.reference.functions.windows import WINDOWS
from transforms.reference.layer_call import Array, NotCovered
from transforms.reference.masks.propagation import any_mask

RULES: Mapping[str, Callable[..., Any]] = {
    **ELEMENTWISE,
    **REDUCTIONS,
    **ARRANGEMENT,
    **IMAGES,
    **COLOURS,
    **WINDOWS,
    **LINEAR_ALGEBRA,
}

#: Functions that may return their input tensor itself, with its mask.
_MAY_RETURN_ITS_INPUT = frozenset({"cast", "convert_to_tensor"})


def _function(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """The result of the function. No function propagates a mask (`TFOpLambda` does not support masking)."""
    name = layer.class_name.removeprefix(FUNCTION)
    if name in _MAY_RETURN_ITS_INPUT and any_mask(inputs.masks):
        raise NotCovered(f"a mask on tf.{name}", layer.path)
    rule = RULES[name]
    given = {key: _placed(value, inputs.values) for key, value in layer.config[ARGUMENTS].items() if value is not None}
    known = signature(rule).parameters
    unknown = [key for key, value in given.items() if key not in known and value is not False]
    if unknown:
        raise NotCovered(f"tf.{name} with {', '.join(unknown)}", layer.path)
    try:
        result = rule(**{key: value for key, value in given.items() if key in known})
    except NotCovered as missing:
        raise NotCovered(missing.what, layer.path) from missing
    except (TypeError, KeyError, IndexError) as error:
        raise NotCovered(f"tf.{name} on such arguments ({error})", layer.path) from error
    return Tensors.unmasked(*(result if isinstance(result, tuple) else (np.asarray(result),)))


def _placed(value: Any, inputs: tuple[Array, ...]) -> Any:
    if isinstance(value, list):
        return [_placed(item, inputs) for item in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"input"}:
        return inputs[value["input"]]
    return {key: _placed(item, inputs) for key, item in value.items()}


FUNCTION_LAYERS: Mapping[str, StructuredLayer] = {FUNCTION + name: _function for name in RULES}
