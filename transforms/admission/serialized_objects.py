"""Checks objects among the options of layers: initializers, regularizers, constraints, dtype policies.

None of them affects inference, and none is ever built. Initializers, regularizers and constraints may therefore be
custom: they are omitted with a warning. Every other object must be on an allowlist of names. Bytecode is refused
everywhere, with or without custom code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from transforms.architecture.config_values import is_of_keras
from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.stored_function import looks_dumped

_NAMES = frozenset(
    """
    zeros zero ones one constant randomnormal randomuniform truncatednormal variancescaling orthogonal identity
    identityinitializer glorotnormal glorotuniform henormal heuniform lecunnormal lecununiform uniform normal
    convolutionaware
    l1 l2 l1l2 l1l2regularizer weightregularizer activityregularizer eigenvalueregularizer orthogonalregularizer
    maxnorm unitnorm nonneg minmaxnorm radialconstraint clipconstraint
    policy policyv1 dtypepolicy autocastvariable tensorshape tuple numpy tensor listwrapper dictwrapper function
    ellipsis
    """.split()
)
#: Suffixes of options that only affect training.
_OPTIONS = ("initializer", "regularizer", "constraint", "init")
_BYTECODE_CLASSES = frozenset({"Lambda", "__lambda__"})

#: Options that hold layers, which are layers of the graph.
_LAYERS = frozenset({"layer", "layers", "backward_layer", "cell", "cells"})

#: Options of a Lambda that hold functions, which are interpreted, or arguments of one.
_FUNCTIONS = frozenset({"function", "output_shape", "mask", "arguments"})

#: Options that hold an activation, whose name `transforms.admission.classes` checks.
_ACTIVATIONS = frozenset({"activation", "recurrent_activation", "inner_activation"})


def check_stored_objects(graph: Graph, *, custom_code: bool) -> tuple[str, ...]:
    """Refuses unknown objects in the options of all layers.

    Args:
        graph: the outermost graph, its custom layers marked.
        custom_code: whether the operator provides code, which then defines unknown names.

    Returns:
        One line for each custom initializer, regularizer or constraint.

    Raises:
        MigrationError: `unsafe_lambda`, `custom_objects_needed`.
    """
    foreign: dict[str, Layer] = {}
    for layer in (Layer(graph.class_name, graph.name, (), graph.config), *graph.walk()):
        for name in _check(layer, custom_code or is_custom(layer.class_name)):
            foreign.setdefault(name, layer)
    return tuple(
        f"{name[:120]} (layer {'/'.join(layer.path) or layer.name}) is not Keras's own and acts in training alone: "
        "it is left out."
        for name, layer in foreign.items()
    )


def _check(layer: Layer, custom_code: bool) -> Iterator[str]:
    """Names of omitted objects."""
    own = is_custom(layer.class_name)
    for option, value in layer.config.items():
        if (option in _LAYERS and not own) or (layer.class_name == "Lambda" and option in _FUNCTIONS):
            continue
        _refuse_dumped(value, option, layer)
        trains = option.endswith(_OPTIONS)
        for found in _objects(value):
            _refuse_bytecode(found, option, layer)
            if option in _ACTIVATIONS:
                continue
            name = _foreign_name(found)
            if name and not custom_code:
                if not trains:
                    raise _unknown(name, option, layer)
                yield name
        if isinstance(value, str) and trains and value and not custom_code and not _is_known(value):
            yield value


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Every object within a value, without recursion."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, Mapping):
            yield current
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _refuse_dumped(value: object, option: str, layer: Layer) -> None:
    """Refuses a function in addition to the operator's code, or in an option that takes none."""
    if layer.config.get(f"{option}_type") == "lambda" and looks_dumped(value):
        raise _bytecode(option, layer)


def _refuse_bytecode(found: Mapping[str, Any], option: str, layer: Layer) -> None:
    if str(found.get("class_name")) in _BYTECODE_CLASSES or found.get("function_type") == "lambda":
        raise _bytecode(option, layer)


def _bytecode(option: str, layer: Layer) -> MigrationError:
    return MigrationError(
        Reason.UNSAFE_LAMBDA,
        f"The option {option} stores Python bytecode, which is never run",
        layer=layer.path,
        advice="Save the model without it.",
    )


def _foreign_name(found: Mapping[str, Any]) -> str:
    """The name of an object that is not Keras's own; "" for Keras's own, and for values that name no class."""
    module, name = found.get("module"), str(found.get("class_name"))
    if module is not None and not (isinstance(module, str) and is_of_keras(module)):
        return f"{str(module)[:60]}.{name[:60]}"
    return name if "class_name" in found and not _is_known(name) else ""


def _is_known(name: str) -> bool:
    plain = name.rpartition(">")[2].replace("_", "").lower()
    return plain in _NAMES or plain.removesuffix("v1").removesuffix("v2") in _NAMES


def _unknown(name: str, option: str, layer: Layer) -> MigrationError:
    return MigrationError(
        Reason.CUSTOM_OBJECTS_NEEDED,
        f"The option {option} names {name[:120]}, which is not Keras's own",
        layer=layer.path,
        advice="Give its code in `custom_objects`, or save the model without it.",
    )
