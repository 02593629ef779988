"""`h5ferry inspect`: what a file is, told from its bytes alone, in a confined child and without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.child_pool import map_in_children
from pipeline.inspection_view import lines_of, tree_of
from pipeline.isolation import Child, Isolation
from transforms.errors import MEANINGS, MigrationError
from transforms.limits import DEFAULT_LIMITS, Limits

_DESCRIBE = "transforms.inspection:describe_source"
_INSPECT_SECONDS = 120.0


def describe_models(
    models: Sequence[Path],
    architecture: Path | None,
    backend: str,
    limits: Limits = DEFAULT_LIMITS,
    *,
    as_json: bool = False,
) -> bool:
    """Prints what each file is, or why it would be refused.

    Returns:
        True when none would be.
    """
    sound = True

    def described(child: Child, model: Path) -> dict[str, Any]:
        return {"file": str(model), **describe_model(child, model.absolute(), architecture, backend, limits)}

    for description in map_in_children(described, models, Isolation(timeout=_INSPECT_SECONDS)):
        sound = sound and description["accepted"]
        if as_json:
            print(json.dumps(description))
        else:
            _print(description)
    return sound


def describe_model(
    child: Child, model: Path, architecture: Path | None, backend: str, limits: Limits = DEFAULT_LIMITS
) -> dict[str, Any]:
    """The facts of one file by name, as `docs/operators.md` lists them."""
    try:
        inspection = child.call(_DESCRIBE, model, architecture.absolute() if architecture else None, backend, limits)
    except MigrationError as error:
        return {
            "accepted": False,
            "reason": error.reason.value,
            "meaning": MEANINGS[error.reason],
            "message": error.message,
            "layer": "/".join(error.layer),
            "advice": error.advice,
            "detail": error.detail,
        }
    facts = dataclasses.asdict(inspection)
    return {"accepted": True, **facts, "evidence": "rebuilt" if inspection.uncovered else "reference"}


def _print(description: Mapping[str, Any]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console

        Console(highlight=False).print(tree_of(description))
    else:
        _write(lines_of(description))


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
