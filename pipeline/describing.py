"""`h5ferry inspect`: what a file is, told from its bytes alone, in a confined child and without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from pipeline.isolation import Child, Isolation
from pipeline.options import CODE_INSPECTOR, INSPECTOR, RECORDED
from pipeline.records import describe_rewrite
from pipeline.terminal import printable
from transforms.errors import MigrationError
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.outcome import MigrationRequest, Rewrite

_INSPECT_SECONDS = 120.0


def describe_models(
    models: Sequence[Path],
    architecture: Path | None,
    backend: str,
    limits: Limits = DEFAULT_LIMITS,
    *,
    custom_objects: Path | None = None,
    as_json: bool = False,
) -> bool:
    """Prints what each file is, or why it would be refused. `custom_objects` is executed, in the child.

    Returns:
        True when none would be.
    """
    console = Console(highlight=False)
    child = Child(Isolation(timeout=_INSPECT_SECONDS))
    sound = True
    try:
        for model in models:
            description = describe_model(child, model.absolute(), architecture, backend, limits, custom_objects)
            sound = sound and not description.get("reason")
            if as_json:
                print(json.dumps({"file": str(model), **description}))
            else:
                _print(console, str(model), description)
    finally:
        child.close()
    return sound


def describe_model(
    child: Child,
    model: Path,
    architecture: Path | None,
    backend: str,
    limits: Limits = DEFAULT_LIMITS,
    custom_objects: Path | None = None,
) -> dict[str, Any]:
    """The facts of one file by name; of a file that would be refused what it records, `reason` and `message`."""
    architecture = architecture.absolute() if architecture else None
    try:
        if custom_objects is None:
            inspection = child.call(INSPECTOR, model, architecture, backend, limits)
        else:
            request = MigrationRequest(
                str(model),
                model,
                staging=Path(),
                architecture=architecture,
                backend=backend,
                custom_objects=custom_objects.absolute(),
                allow_custom_code=True,
            )
            inspection = child.call(CODE_INSPECTOR, request, limits)
    except MigrationError as error:
        return {
            **_recorded(child, model, limits),
            "reason": error.reason.value,
            "message": str(error),
            **({"detail": error.detail} if error.detail else {}),
        }
    return {field.name: _plain(getattr(inspection, field.name)) for field in dataclasses.fields(inspection)}


def _recorded(child: Child, model: Path, limits: Limits) -> dict[str, Any]:
    """What a refused file says of its writer; nothing where it cannot be read."""
    try:
        return dict(child.call(RECORDED, model, limits))
    except MigrationError:
        return {}


def _plain(value: Any) -> Any:
    if isinstance(value, Rewrite):
        return describe_rewrite(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _print(console: Console, name: str, description: Mapping[str, Any]) -> None:
    console.print(Text(printable(name), style="bold"))
    for key, value in description.items():
        lines = value if isinstance(value, (list, tuple)) else [value]
        for line in lines:
            text = "  ".join(map(str, line.values())) if isinstance(line, Mapping) else str(line)
            console.print(Text(f"  {key:<16} {printable(text)}"), soft_wrap=True)
