"""Objects among the options of layers: initializers, regularizers, constraints, dtype policies. An allowlist of names.

None of them takes part in inference and none is ever made, but a file that hides code or a foreign module among them
is not one to be carried on. Bytecode is refused wherever it stands, custom code or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from transforms.architecture.config_values import is_of_keras
from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer
from transforms.errors import MigrationError, Reason

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
#: What Keras 1 and 2 store of a function that somebody wrote as an initializer: its bare name.
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|<lambda>")
_OPTIONS = ("initializer", "regularizer", "constraint", "init")
_BYTECODE_CLASSES = frozenset({"Lambda", "__lambda__"})

#: Options that hold layers, which the graph shows as such.
_LAYERS = frozenset({"layer", "layers", "backward_layer", "cell", "cells"})

#: Options that hold an activation, whose name `transforms.admission.classes` looks at.
_ACTIVATIONS = frozenset({"activation", "recurrent_activation", "inner_activation"})


def check_stored_objects(graph: Graph, *, custom_code: bool) -> None:
    """Refuses what is not known among the options of all layers.

    Args:
        graph: the outermost graph, its custom layers marked.
        custom_code: whether the operator brings code, which then stands for names that are not known.

    Raises:
        MigrationError: `unsafe_lambda`, `custom_objects_needed`.
    """
    _check(Layer(graph.class_name, graph.name, (), graph.config), custom_code)
    for layer in graph.walk():
        _check(layer, custom_code or is_custom(layer.class_name))


def _check(layer: Layer, custom_code: bool) -> None:
    own = is_custom(layer.class_name)
    for option, value in layer.config.items():
        if option in _LAYERS and not own:
            continue
        for found in _objects(value):
            _refuse_bytecode(found, option, layer)
            if option in _ACTIVATIONS:
                continue
            _refuse_foreign_module(found, option, layer)
            name = str(found.get("class_name"))
            if "class_name" in found and not custom_code and not _is_known(name):
                raise _unknown(name, option, layer)
        named = isinstance(value, str) and option.endswith(_OPTIONS) and value
        if named and not custom_code and not (_is_known(str(value)) or _FUNCTION.fullmatch(str(value))):
            raise _unknown(str(value), option, layer)


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


def _refuse_bytecode(found: Mapping[str, Any], option: str, layer: Layer) -> None:
    if str(found.get("class_name")) in _BYTECODE_CLASSES or found.get("function_type") == "lambda":
        raise MigrationError(
            Reason.UNSAFE_LAMBDA,
            f"The option {option} stores Python bytecode, which is never run",
            layer=layer.path,
            advice="Save the model without it.",
        )


def _refuse_foreign_module(found: Mapping[str, Any], option: str, layer: Layer) -> None:
    module = found.get("module")
    if module is not None and not (isinstance(module, str) and is_of_keras(module)):
        raise _unknown(f"{str(module)[:60]}.{str(found.get('class_name'))[:60]}", option, layer)


def _is_known(name: str) -> bool:
    plain = name.rpartition(">")[2].replace("_", "").lower()
    return plain in _NAMES or plain.removesuffix("v1").removesuffix("v2") in _NAMES


def _unknown(name: str, option: str, layer: Layer) -> MigrationError:
    return MigrationError(
        Reason.CUSTOM_OBJECTS_NEEDED,
        f"The option {option} names {name[:120]}, which is not Keras's own",
        layer=layer.path,
        advice="It has no part in inference: save the model without it, or give its code in `custom_objects`.",
    )
