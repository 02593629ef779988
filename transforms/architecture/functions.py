"""Reads TensorFlow functions among the layers of a stored graph as data: name and arguments.

`TFOpLambda` and `SlicingOpLambda` (tf.keras 2.4 to 2.15) name a function; the arguments of the call are in its inbound
node, constants among them as `_CONSTANT_VALUE` (`Node.serialize` in keras/engine/node.py). `TensorFlowOpLayer` (2.0 to
2.3) holds an operation. Each becomes a layer of the class `tf.<function>` here, its arguments in the config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from transforms.architecture.calls import POSITIONAL, refs_among
from transforms.architecture.function_signatures import ALIASES, ARGUMENTS, FUNCTION, FUNCTIONS, GETITEM, SIZES
from transforms.architecture.graph import Call, Graph, Layer, TensorRef
from transforms.architecture.node_defs import stored_operation
from transforms.errors import MigrationError, Reason, together
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget

_NAMING = ("TFOpLambda", "SlicingOpLambda")

#: Arguments that do not affect the result.
_IDLE = frozenset({"name", "var", "grad_a", "grad_b", "bad_indices_policy"})


def with_functions(graph: Graph, limits: Limits = DEFAULT_LIMITS) -> Graph:
    """The graph, with function layers as layers of the class `tf.<function>`.

    Raises MigrationError `unsafe_op` for a function outside the list or one without a tensor of the model as argument,
    `over_budget`, `unsupported_layer`, `invalid_config`.
    """
    layers: list[Layer] = []
    obstacles: list[MigrationError] = []
    for layer in graph.layers:
        try:
            layers.append(_layer(layer, limits))
        except MigrationError as obstacle:
            obstacles.append(obstacle)
    if obstacles:
        raise together(obstacles)
    return replace(graph, layers=tuple(_with_shape_stated(layer, tuple(layers)) for layer in layers))


def _layer(layer: Layer, limits: Limits) -> Layer:
    if layer.class_name in _NAMING:
        return _called(layer, *_named(layer), limits)
    if layer.class_name == "TensorFlowOpLayer" and layer.calls:
        return _called(layer, *stored_operation(layer.config, layer.calls[0].inputs, layer.path), limits)
    if any(POSITIONAL in call.kwargs for call in layer.calls):
        raise MigrationError(
            Reason.UNSAFE_OP,
            f"The {layer.class_name} is called on a constant instead of a tensor of the model",
            layer=layer.path,
            advice="Save the model with the constant as a weight of a layer.",
        )
    slots = {slot: _layer(inner, limits) for slot, inner in layer.slots.items()}
    inner = layer.graph
    return replace(layer, slots=slots, graph=None if inner is None else with_functions(inner, limits))


def _named(layer: Layer) -> tuple[str, dict[str, Any]]:
    """The function that the config names, and the arguments of the call."""
    stored = str(layer.config.get("function"))
    function = ALIASES.get(stored, stored)
    if function not in FUNCTIONS:
        raise MigrationError(
            Reason.UNSAFE_OP,
            f"The {layer.class_name} calls tf.{stored}, which is not on the list of pure functions",
            layer=layer.path,
            advice="Rebuild the model with standard layers.",
        )
    if not layer.calls:
        raise MigrationError(Reason.INVALID_CONFIG, f"The function tf.{stored} is never called", layer=layer.path)
    call = layer.calls[0]
    named = {key: value for key, value in call.kwargs.items() if key not in _IDLE and key != POSITIONAL}
    parameters = FUNCTIONS[function]
    first = parameters[0]
    if first in named:
        raise MigrationError(Reason.INVALID_CONFIG, f"The argument {first} is given twice", layer=layer.path)
    unknown = named.keys() - set(parameters)
    if unknown:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"tf.{stored} is called with {', '.join(sorted(unknown))}, which is not supported",
            layer=layer.path,
        )
    if function == GETITEM:
        named.setdefault("slice_spec", None)
    values = list(call.kwargs.get(POSITIONAL, call.inputs))
    return function, {first: values[0] if call.bare else values, **named}


def _called(layer: Layer, function: str, arguments: dict[str, Any], limits: Limits) -> Layer:
    if any(call != layer.calls[0] for call in layer.calls):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER, f"tf.{function} is called several times, with other arguments", layer=layer.path
        )
    refs: list[TensorRef] = list(dict.fromkeys(refs_among(arguments.values())))
    if not refs:
        raise MigrationError(
            Reason.UNSAFE_OP,
            f"tf.{function} is called on constants alone: the file records no tensor of the model among its arguments",
            layer=layer.path,
            advice="Rebuild the model with standard layers.",
        )
    _refuse_expansion(layer, function, arguments, limits)
    config = {**layer.config, ARGUMENTS: _numbered(arguments, refs)}
    call = Call(tuple(refs))
    return replace(layer, class_name=FUNCTION + function, config=config, calls=(call,) * len(layer.calls))


def _numbered(value: Any, refs: list[TensorRef]) -> Any:
    """The value, with each tensor replaced by its number among the call's inputs."""
    if isinstance(value, TensorRef):
        return {"input": refs.index(value)}
    if isinstance(value, list):
        return [_numbered(item, refs) for item in value]
    if isinstance(value, Mapping):
        return {key: _numbered(item, refs) for key, item in value.items()}
    return value


def _with_shape_stated(layer: Layer, layers: tuple[Layer, ...]) -> Layer:
    """Replaces a stack of numbers, -1 among them, in a reshape by the numbers: tf-keras reads such a stack as a
    shape.
    """
    if layer.class_name != FUNCTION + "reshape":
        return layer
    arguments, refs = layer.config[ARGUMENTS], layer.calls[0].inputs
    shape = arguments.get("shape")
    if not isinstance(shape, Mapping):
        return layer
    source = next(each for each in layers if each.name == refs[shape["input"]].layer)
    if source.class_name != FUNCTION + "stack" or source.config[ARGUMENTS].get("axis", 0) != 0:
        return layer
    stacked = _restored(source.config[ARGUMENTS]["values"], source.calls[0].inputs)
    named = {**{key: _restored(value, refs) for key, value in arguments.items()}, "shape": stacked}
    inputs = tuple(dict.fromkeys(refs_among(named.values())))
    config = {**layer.config, ARGUMENTS: _numbered(named, list(inputs))}
    return replace(layer, config=config, calls=(Call(inputs),) * len(layer.calls))


def _restored(value: Any, refs: tuple[TensorRef, ...]) -> Any:
    """The value, with references in place of their numbers."""
    if isinstance(value, list):
        return [_restored(item, refs) for item in value]
    return refs[value["input"]] if isinstance(value, Mapping) else value


def _refuse_expansion(layer: Layer, function: str, arguments: Mapping[str, Any], limits: Limits) -> None:
    """Refuses expansion beyond the budget: a config of a few bytes must not allocate gigabytes."""
    for name in SIZES.get(function, ()):
        pending = [arguments.get(name)]
        while pending:
            value = pending.pop()
            if isinstance(value, list):
                pending.extend(value)
            elif isinstance(value, (int, float)) and abs(value) > limits.expansion:
                raise over_budget(f"tf.{function} has {name}={value:,}", "expansion", limits, layer.path)
