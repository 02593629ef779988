"""The operations of a Keras 3 graph, with NumPy's broadcasting.

Their arguments are in the config under `operands` (`transforms.architecture.keras_3`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.layer_call import Array, LayerCall, NotCovered, StatelessLayer
from transforms.reference.layers.activations import sigmoid


def _operands(call: LayerCall) -> list[Any]:
    """The positional arguments, with tensors inserted. Numbers are float32, as in operations with float32 tensors."""

    def found(value: Any) -> Any:
        if isinstance(value, list):
            return [found(item) for item in value]
        if isinstance(value, Mapping) and set(value) == {"input"}:
            return call.inputs[value["input"]]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise NotCovered(f"the argument {str(value)[:60]} of {call.class_name}", call.path)
        return np.float64(np.float32(value))

    return [found(value) for value in call.config["operands"]]


def _pairwise(function: Callable[[Any, Any], Any]) -> StatelessLayer:
    def operation(call: LayerCall) -> Array:
        x, y = _floats(call)
        return np.asarray(function(x, y))

    return operation


def _elementwise(function: Callable[[Any], Any]) -> StatelessLayer:
    def operation(call: LayerCall) -> Array:
        (x,) = _floats(call)
        return np.asarray(function(x))

    return operation


def _floats(call: LayerCall) -> list[Any]:
    operands = _operands(call)
    if any(np.asarray(value).dtype.kind != "f" for value in operands):
        raise NotCovered(f"{call.class_name} of integers", call.path)
    return operands


def _not_equal(call: LayerCall) -> Array:
    x, y = (np.asarray(value, dtype=np.float32) for value in _operands(call))
    return np.asarray(x != y)


def _logical(function: Callable[..., Any]) -> StatelessLayer:
    return lambda call: np.asarray(function(*(np.asarray(value, dtype=bool) for value in _operands(call))))


def _reduction(function: Callable[..., Any], dtype: type) -> StatelessLayer:
    def operation(call: LayerCall) -> Array:
        axis = call.config.get("axis")
        over = tuple(axis) if isinstance(axis, list) else axis
        (x,) = _operands(call) if dtype is bool else _floats(call)
        return np.asarray(function(np.asarray(x, dtype=dtype), axis=over, keepdims=bool(call.config.get("keepdims"))))

    return operation


def _filled(function: Callable[..., Any]) -> StatelessLayer:
    """`ZerosLike`, `OnesLike`: of the requested dtype, else of the input's."""

    def operation(call: LayerCall) -> Array:
        dtype = call.config.get("dtype")
        if dtype not in (None, "bool", "float32"):
            raise NotCovered(f"{call.class_name} as {dtype}", call.path)
        (x,) = _operands(call)
        return np.asarray(function(x, dtype=bool if dtype == "bool" else None))

    return operation


def _concatenate(call: LayerCall) -> Array:
    operands = _operands(call)
    return np.concatenate(operands[0] if isinstance(operands[0], list) else operands, axis=call.option("axis", 0))


OPERATIONS_BY_CLASS: Mapping[str, StatelessLayer] = {
    "ops.Add": _pairwise(np.add),
    "ops.Subtract": _pairwise(np.subtract),
    "ops.Multiply": _pairwise(np.multiply),
    "ops.Divide": _pairwise(np.divide),
    "ops.TrueDivide": _pairwise(np.divide),
    "ops.NotEqual": _not_equal,
    "ops.LogicalAnd": _logical(np.logical_and),
    "ops.LogicalOr": _logical(np.logical_or),
    "ops.LogicalNot": _logical(np.logical_not),
    "ops.Any": _reduction(np.any, bool),
    "ops.All": _reduction(np.all, bool),
    "ops.Mean": _reduction(np.mean, float),
    "ops.Sum": _reduction(np.sum, float),
    "ops.Max": _reduction(np.max, float),
    "ops.Min": _reduction(np.min, float),
    "ops.ExpandDims": lambda call: np.expand_dims(_operands(call)[0], call.config["axis"]),
    "ops.Squeeze": lambda call: np.squeeze(_operands(call)[0], axis=call.config.get("axis")),
    "ops.ZerosLike": _filled(np.zeros_like),
    "ops.OnesLike": _filled(np.ones_like),
    "ops.Concatenate": _concatenate,
    "ops.ConvertToTensor": lambda call: call.x,
    "ops.Relu": _elementwise(lambda x: np.maximum(x, 0.0)),
    "ops.Sigmoid": _elementwise(sigmoid),
    "ops.Tanh": _elementwise(np.tanh),
    "ops.Exp": _elementwise(np.exp),
    "ops.Square": _elementwise(np.square),
    "ops.Sqrt": _elementwise(np.sqrt),
    "ops.Negative": _elementwise(np.negative),
    "ops.Absolute": _elementwise(np.abs),
}
