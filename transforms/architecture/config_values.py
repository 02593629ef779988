"""Typed access to the values of a stored config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from transforms.architecture.graph import LayerPath
from transforms.errors import MigrationError, Reason


@contextmanager
def config_errors() -> Iterator[None]:
    """Whatever a config that no Keras wrote makes the code inside stumble over becomes `invalid_config`."""
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
    return value


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"
