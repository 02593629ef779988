"""Values that the operator gives to global names: `{"layer": {"SCALE": 255.0}}`, JSON by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from transforms.architecture.config_json import parse_config
from transforms.architecture.graph import Layer
from transforms.errors import MigrationError, Reason

_ADVICE = 'Write it as {"layer": {"NAME": value}}.'


def parse_constants(text: str) -> Mapping[str, Mapping[str, Any]]:
    """The values by layer, then by name; nothing for "".

    Raises MigrationError `invalid_row` for what is no JSON object of objects whose keys are names of Python.
    """
    if not text.strip():
        return {}
    try:
        found = parse_config(text, "value")
    except MigrationError as error:
        raise MigrationError(
            Reason.INVALID_ROW, f"The constants are not usable: {error.message}", advice=_ADVICE
        ) from error
    if not isinstance(found, dict) or not all(isinstance(names, dict) for names in found.values()):
        raise MigrationError(Reason.INVALID_ROW, "The constants are no JSON object of objects", advice=_ADVICE)
    for name in (name for names in found.values() for name in names):
        if not name.isidentifier():
            raise MigrationError(
                Reason.INVALID_ROW, f"The constants name {name[:40]!r}, which is no name of Python", advice=_ADVICE
            )
    return found


def constants_of(layer: Layer, given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The operator's values for a layer, by its path or its name."""
    return given.get("/".join(layer.path), given.get(layer.name, {}))


def refuse_strangers(given: Mapping[str, Mapping[str, Any]], layers: Iterable[Layer]) -> None:
    """Raises MigrationError `invalid_row` for values that are given to no Lambda of the model."""
    lambdas = list(layers)
    known = {name for layer in lambdas for name in ("/".join(layer.path), layer.name)}
    for name in given.keys() - known:
        paths = ", ".join("/".join(layer.path) for layer in lambdas)
        raise MigrationError(
            Reason.INVALID_ROW,
            f"The manifest's column `constants` names {name[:80]!r}, which is no Lambda of the model",
            advice=f"Its Lambdas are {paths[:200]}." if paths else "It has none.",
        )
