"""Registers what lies in an output; for the commands `register`, `migrate --register` and `verify --registered`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.registries.mlflow.registered import registered_findings
from pipeline.registries.mlflow.target import Registration, open_target, register_models
from pipeline.registries.published import RegistryError, published_models
from pipeline.registries.scan import is_registry

__all__ = ["RegistryError", "check_target", "published_models", "register_output", "registered_findings", "summary"]


def check_target(target: str) -> None:
    """Raises RegistryError if a target is no registry that could be written, without asking it."""
    if not is_registry(target):
        raise RegistryError(f"{target} is no registry: give mlflow:URI.")
    open_target(target)


def register_output(output: Path, target: str) -> list[Registration]:
    """Registers every published model of an output that is not yet registered. The caller holds the output's lock.

    Raises:
        RegistryError: the output is not what its receipts say, or the registry cannot be written. What was registered
            by then stays, and counts when it is tried again.
    """
    check_target(target)
    return list(register_models(published_models(output), target))


def summary(registrations: Iterable[Registration], target: str) -> list[str]:
    """A line for each model that was added, and the counts."""
    found = list(registrations)
    added = [each for each in found if each.added]
    lines = [f"{each.model}/{each.version}: version {each.number} of {each.name!r}" for each in added]
    return [*lines, f"{len(added)} registered in {target}, {len(found) - len(added)} were there already."]
