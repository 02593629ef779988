"""`h5ferry inspect`: description of a file from its bytes alone, in a confined child and without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.inspection.view import lines_of, tree_of
from pipeline.isolation.parallel_map import map_in_children
from pipeline.isolation.policy import Isolation, Role
from pipeline.isolation.process import ConfinedProcess
from pipeline.printable import printable
from transforms.errors import MEANINGS, MigrationError
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.inspection import Inspection
from transforms.records.outcome import MigrationRequest

_DESCRIBE = "transforms.inspection.inspect:describe_source"
_DESCRIBE_WITH_CODE = "transforms.inspection.inspect:describe_with_code"
_RECORDED = "transforms.inspection.inspect:recorded_runtime"
_ISOLATION = Isolation(timeout=120.0, role=Role.INSPECTING)


def describe_models(
    models: Sequence[Path],
    architecture: Path | None,
    backend: str,
    limits: Limits = DEFAULT_LIMITS,
    *,
    custom_objects: Path | None = None,
    as_json: bool = False,
) -> bool:
    """Prints a description of each file, or why it would be refused. `custom_objects` is executed in the children.

    Returns:
        True if none would be refused.
    """
    sound = True

    def described(child: ConfinedProcess, model: Path) -> dict[str, Any]:
        facts = describe_model(child, model.absolute(), architecture, backend, limits, custom_objects)
        return {"file": str(model), **facts}

    for description in map_in_children(described, models, _ISOLATION):
        sound = sound and description["accepted"]
        if as_json:
            print(json.dumps(description))
        else:
            _print(description)
    return sound


def inspect_file(
    model: Path,
    architecture: Path | None = None,
    backend: str = "",
    limits: Limits = DEFAULT_LIMITS,
    custom_objects: Path | None = None,
) -> Inspection:
    """The facts of one file, read in a child process.

    Raises:
        MigrationError: the file would be refused.
    """
    child = ConfinedProcess(_ISOLATION)
    try:
        return _inspection(child, model.absolute(), architecture, backend, limits, custom_objects)
    finally:
        child.close()


def describe_model(
    child: ConfinedProcess,
    model: Path,
    architecture: Path | None,
    backend: str,
    limits: Limits = DEFAULT_LIMITS,
    custom_objects: Path | None = None,
) -> dict[str, Any]:
    """The facts of one file by name, as listed in `docs/operators.md`; for a refused file, those that it records."""
    try:
        inspection = _inspection(child, model, architecture, backend, limits, custom_objects)
    except MigrationError as error:
        return {
            "accepted": False,
            "reason": error.reason.value,
            "meaning": MEANINGS[error.reason],
            "message": error.message,
            "layer": "/".join(error.layer),
            "advice": error.advice,
            "detail": error.detail,
            **_recorded(child, model, limits),
        }
    facts = dataclasses.asdict(inspection)
    return {"accepted": True, **facts, "evidence": _evidence_to_expect(inspection)}


def _evidence_to_expect(inspection: Inspection) -> str:
    if inspection.uncovered:
        return "rebuilt"
    return "assumed" if inspection.assumptions else "reference"


def _inspection(
    child: ConfinedProcess,
    model: Path,
    architecture: Path | None,
    backend: str,
    limits: Limits,
    custom_objects: Path | None,
) -> Inspection:
    architecture = architecture.absolute() if architecture else None
    if custom_objects is None:
        found: Inspection = child.call(_DESCRIBE, model, architecture, backend, limits, returns=Inspection)
        return found
    request = MigrationRequest(
        printable(str(model)),
        model,
        staging=Path(),
        architecture=architecture,
        backend=backend,
        custom_objects=custom_objects.absolute(),
        allow_custom_code=True,
    )
    described: Inspection = child.call(_DESCRIBE_WITH_CODE, request, limits, returns=Inspection)
    return described


def _recorded(child: ConfinedProcess, model: Path, limits: Limits) -> dict[str, Any]:
    """What a refused file records of its writer; empty if it cannot be read."""
    try:
        return dict(child.call(_RECORDED, model, limits, returns=dict[str, str]))
    except MigrationError:
        return {}


def _print(description: Mapping[str, Any]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console

        Console(highlight=False).print(tree_of(description))
    else:
        _write(lines_of(description))


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
