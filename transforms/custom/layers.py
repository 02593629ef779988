"""Builds tf-keras layers from custom code and stored configs; their variables, and the reference in the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tf_keras

from transforms.architecture.custom_names import custom_name, is_custom, marked
from transforms.architecture.graph import Layer
from transforms.custom.code import CustomCode, failure
from transforms.errors import MigrationError, Reason
from transforms.reference.custom_rules import CustomRules, NamedArrays
from transforms.weights.custom_weights import stored_name

#: Options that every Keras layer has, and that are handled elsewhere.
_BASE_OPTIONS = frozenset(
    {"name", "dtype", "trainable", "batch_input_shape", "batch_shape", "input_dtype", "create_input_layer"}
)


def build_custom_layer(code: CustomCode, layer: Layer, name: str, dtype: str) -> Any:
    """The custom layer for a marked layer, not yet built.

    Raises:
        MigrationError: `custom_objects_needed`, naming the missing or unexpected argument.
    """
    if layer.class_name == marked("Lambda"):
        function = code.functions[custom_name(str(layer.config["function"]))]
        arguments = layer.config.get("arguments") or {}
        return tf_keras.layers.Lambda(function, arguments=dict(arguments), name=name, dtype=dtype)
    cls = code.classes[custom_name(layer.class_name)]
    config = {key: value for key, value in layer.config.items() if key not in _BASE_OPTIONS}
    base = {"name": name, "dtype": dtype}
    if _has_own(cls, "from_config"):
        config |= base
    else:
        config |= _checked(cls, config, base, layer)
    try:
        with code.scope():
            made = cls.from_config(config)
    except Exception as error:
        raise failure(f"Making {cls.__name__} from its stored config", error, layer.path) from error
    made._name = name
    return made


def resolved_activations(code: CustomCode | None, options: dict[str, Any]) -> dict[str, Any]:
    """The options of a standard layer, with custom activations as functions."""
    return {
        key: code.functions[custom_name(value)] if code is not None and is_custom(value) else value
        for key, value in options.items()
    }


def matching_variables(layer: Any, roles: Sequence[str], path: tuple[str, ...]) -> dict[str, Any]:
    """The variable for each role of a custom layer.

    By name if the names are the same and each occurs once; otherwise by order, and then no name may be at another
    position.

    Raises:
        MigrationError: `weights_mismatch`.
    """
    variables = list(layer.weights)
    wanted = [stored_name(role) for role in roles]
    found = [variable.name.rsplit("/", 1)[-1].split(":", 1)[0] for variable in variables]
    if len(wanted) != len(found):
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"The file has {len(wanted)} arrays ({', '.join(wanted)}), the custom layer makes {len(found)} "
            f"({', '.join(found)})",
            layer=path,
            advice="Provide the Python file that the model was trained with.",
        )
    if len(set(wanted)) == len(wanted) and set(wanted) == set(found):
        return {role: variables[found.index(name)] for role, name in zip(roles, wanted, strict=True)}
    for index, (name, other) in enumerate(zip(wanted, found, strict=True)):
        if name != other and name in found and wanted.count(name) == found.count(name) == 1:
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"Array {index + 1} is {name!r} in the file, {other!r} in the custom layer",
                layer=path,
                advice="Provide the Python file that the model was trained with.",
            )
    return dict(zip(roles, variables, strict=True))


def custom_rules(code: CustomCode) -> CustomRules:
    """The references in the code: `reference` of a layer class, and of a function."""
    functions: dict[str, Callable[..., Any]] = {
        marked(name): value.reference
        for name, value in code.functions.items()
        if callable(getattr(value, "reference", None))
    }
    layers = {
        marked(name): _layer_reference(code, marked(name))
        for name, cls in code.classes.items()
        if callable(getattr(cls, "reference", None))
    }
    return CustomRules(layers, functions)


def _layer_reference(code: CustomCode, class_name: str) -> Callable[..., Any]:
    def run(config: Mapping[str, Any], inputs: Sequence[Any], weights: Mapping[str, Any]) -> Any:
        layer = Layer(class_name, str(config.get("name", "layer")), (str(config.get("name", "layer")),), config)
        made = build_custom_layer(code, layer, layer.name, "float32")
        named = NamedArrays([(stored_name(role), np.asarray(value)) for role, value in weights.items()])
        return made.reference(inputs[0] if len(inputs) == 1 else list(inputs), named)

    return run


def _has_own(cls: Any, method: str) -> bool:
    return getattr(cls, method).__func__ is not getattr(tf_keras.layers.Layer, method).__func__


def _checked(cls: Any, config: Mapping[str, Any], base: Mapping[str, Any], layer: Layer) -> Mapping[str, Any]:
    """The base options that the constructor accepts, after checking that it accepts the stored options."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    named = {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters)
    needed = [
        each.name
        for each in parameters
        if each.default is each.empty and each.name in named and each.name not in {*config, *base}
    ]
    if needed:
        raise _argument(
            cls, layer, f"needs the argument {needed[0]!r}, which the stored config lacks (was get_config written?)"
        )
    strangers = sorted(set(config) - named)
    if strangers and not takes_any:
        raise _argument(cls, layer, f"does not take {strangers[0]!r}, which the stored config holds")
    return {key: value for key, value in base.items() if takes_any or key in named}


def _argument(cls: Any, layer: Layer, what: str) -> MigrationError:
    return MigrationError(
        Reason.CUSTOM_OBJECTS_NEEDED,
        f"The constructor of {cls.__name__} {what}",
        layer=layer.path,
        advice="Give the argument a default, or accept it, in the Python file.",
    )
