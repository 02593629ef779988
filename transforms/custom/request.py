"""From a request to its custom code and its architecture: which files are executed, and when none may be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transforms.architecture_source import read_architecture
from transforms.custom.stored import stored_groups
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.outcome import MigrationRequest

if TYPE_CHECKING:
    from transforms.custom.code import CustomCode


def is_python(architecture: Path | None) -> bool:
    """True for an architecture that only code can tell."""
    return architecture is not None and architecture.suffix.lower() == ".py"


@contextlib.contextmanager
def opened_request(request: MigrationRequest, limits: Limits) -> Iterator[tuple[Any, CustomCode | None]]:
    """The parsed architecture (None: the file's own) and the executed custom code (None: there is none).

    Raises:
        MigrationError: `custom_objects_needed` for a Python architecture that may not be executed, or where code
            fails; and whatever reading an architecture raises.
    """
    build = request.architecture if is_python(request.architecture) else None
    if build is not None and not request.allow_custom_code:
        raise MigrationError(
            Reason.CUSTOM_OBJECTS_NEEDED,
            "The architecture is a Python file, which is executed only where custom code is allowed",
            advice="Pass --allow-custom-code, or give the architecture as JSON.",
        )
    allowed = request.custom_objects if request.allow_custom_code else None
    files = [file for file in (allowed, build) if file is not None]
    parsed = read_architecture(request.architecture, limits) if request.architecture and build is None else None
    if not files:
        yield parsed, None
        return
    stored = stored_groups(request.source, request.backend, limits)
    from transforms.custom.code import custom_code

    with custom_code(files, stored.runtime) as code:
        if build is not None:
            from transforms.custom.build_model import built_architecture

            parsed = built_architecture(code, stored, limits)
        yield parsed, code
