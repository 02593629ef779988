"""Opens a request's custom code and architecture; decides which files may be executed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from transforms.architecture.source import read_architecture
from transforms.custom.writer_facts import stored_groups
from transforms.limits import Limits
from transforms.records.outcome import MigrationRequest, is_python

if TYPE_CHECKING:
    from transforms.custom.code import CustomCode


@contextlib.contextmanager
def opened_request(request: MigrationRequest, limits: Limits) -> Iterator[tuple[Any, CustomCode | None]]:
    """The parsed architecture (None: the file's own) and the executed custom code (None: there is none).

    Raises:
        MigrationError: `custom_objects_needed` for a Python architecture that may not be executed, or if code fails;
            and the errors of reading an architecture.
    """
    given, allowed = request.architecture, request.allow_custom_code
    build = given if allowed and given is not None and is_python(given) else None
    files = [file for file in (request.custom_objects if allowed else None, build) if file is not None]
    parsed = read_architecture(given, limits) if given is not None and build is None else None
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
