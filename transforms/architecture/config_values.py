"""Typed access to the values of a stored config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from transforms.architecture.graph import LayerPath
from transforms.errors import MigrationError, Reason


@contextmanager
def config_errors() -> Iterator[None]:
    """Converts errors that a malformed config causes in the code inside to `invalid_config`."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG,
            f"The stored config contradicts itself ({type(error).__name__}: {' '.join(str(error).split())[:120]})",
            advice="Restore the file; if Keras loads it, please report it.",
        ) from error


def as_mapping(value: object, path: LayerPath, what: str) -> Mapping[str, Any]:
    """The value, which must be an object. Raises MigrationError `invalid_config`."""
    if not isinstance(value, Mapping):
        raise MigrationError(Reason.INVALID_CONFIG, f"The {what} is not an object but {_kind(value)}", layer=path)
    return value


def as_list(value: object, path: LayerPath, what: str) -> list[Any]:
    """The value, which must be a list. Raises MigrationError `invalid_config`."""
    if not isinstance(value, list):
        raise MigrationError(Reason.INVALID_CONFIG, f"The {what} is not a list but {_kind(value)}", layer=path)
    return value


def as_text(value: object, path: LayerPath, what: str) -> str:
    """The value, which must be a name. Raises MigrationError `invalid_config`."""
    if not isinstance(value, str) or not value:
        raise MigrationError(Reason.INVALID_CONFIG, f"The {what} is not a name but {_kind(value)}", layer=path)
    refuse_long_name(value, path, what)
    return value


def refuse_long_name(name: str, path: LayerPath, what: str) -> None:
    """Raises MigrationError `invalid_config` for a name that no report, message or graph should have to hold."""
    if len(name) > _NAME_CHARACTERS:
        raise MigrationError(
            Reason.INVALID_CONFIG,
            f"The {what} {name[:40]!a}... has {len(name):,} characters",
            layer=path,
            advice="Restore the file: no Keras gives such a name.",
        )


#: More than HDF5 takes for the name of a group, after which Keras names the weights of a layer.
_NAME_CHARACTERS = 65_535


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"


def is_of_keras(module: str) -> bool:
    """True for a module of Keras itself, in any of its packages."""
    return any(module == each or module.startswith(f"{each}.") for each in _KERAS_MODULES)


def qualified_name(stored: Mapping[str, Any], name: str) -> str:
    """The name of a stored object, preceded by its module or package where that is not Keras's.

    Another package's `Dense` is not Keras's Dense.
    """
    registered, module = stored.get("registered_name"), stored.get("module")
    if isinstance(registered, str) and ">" in registered and not is_of_keras(registered.partition(">")[0]):
        return registered
    if module is None or (isinstance(module, str) and is_of_keras(module)):
        return name
    return f"{str(module)[:80]}>{name}"


def activation_name(value: object) -> str:
    """The name of a stored activation: a plain name, or one of the serialised forms.

    `{"class_name": "LeakyReLU", "config": {...}}` gives the class name, Keras 2.13's
    `{"module": "builtins", "class_name": "function", "config": "relu"}` the function name, preceded by a package or
    module that is not Keras's; "" when neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        name = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
        return qualified_name(value, str(name or ""))
    return ""


#: Layers that may be the activation of another layer (`activations.get` of tf.keras 2.5 to 2.15, and Keras 3).
ACTIVATION_LAYERS = frozenset({"ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"})


def activation_layer(value: object) -> tuple[str, Mapping[str, Any]] | None:
    """The class and config of an activation that is itself a layer; None for a function.

    It is stored as an object or, in hand-written configs, by its class name alone.
    """
    if isinstance(value, str):
        return (value, {}) if value in ACTIVATION_LAYERS else None
    if not isinstance(value, Mapping) or value.get("class_name") in ("function", None):
        return None
    config = value.get("config")
    return activation_name(value), config if isinstance(config, Mapping) else {}


_KERAS_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "builtins")
