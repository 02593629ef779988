"""`h5ferry migrate MODEL...`: models in place of a manifest, migrated under the names that `scan` proposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli.endings import unusable

if TYPE_CHECKING:
    from pipeline.monitoring.notifier import Notifier

_REMARKS_SHOWN = 10


def manifest_of(arguments: Sequence[str], notifier: Notifier) -> str | bytes:
    """The manifest of a command line: a path or URL, or the text of one made for the models that it names.

    Args:
        arguments: one manifest; or any number of model files, folders and patterns; or one registry, `mlflow:URI`.
        notifier: reports that models were scanned, and which need attention.

    Raises:
        ScanError: a pattern matches nothing, or a registry cannot be read.
        typer.Exit: a manifest among models, or nothing that could be migrated.
    """
    from pipeline.registries.scan import is_registry
    from pipeline.scan.find import as_scanned

    if any(map(is_registry, arguments)):
        return _scanned(arguments, notifier)
    scanned = [as_scanned(argument) for argument in arguments]
    paths = [path for path in scanned if path is not None]
    if len(arguments) == 1 and not paths:
        return arguments[0]
    for argument, path in zip(arguments, scanned, strict=True):
        if path is None:
            unusable(f"{argument} is no model file, folder or pattern of such. A manifest is given by itself.")
    return _scanned(paths, notifier)


def _scanned(paths: Sequence[str], notifier: Notifier) -> bytes:
    from pathlib import Path

    from pipeline.manifest.row import as_manifest
    from pipeline.publication.layout import MANIFEST
    from pipeline.registries.scan import DOWNLOADS, propose

    found = propose(paths, Path(DOWNLOADS).absolute())
    if not found.rows:
        unusable(f"There is no model in {', '.join(paths)}.")
    for line in found.summary(Path.cwd()):
        notifier.inform(line)
    remarks = found.remarks()
    for line in remarks[:_REMARKS_SHOWN]:
        notifier.inform(line)
    if len(remarks) > _REMARKS_SHOWN:
        notifier.inform(f"… and {len(remarks) - _REMARKS_SHOWN} more comments.")
    notifier.inform(f"They are migrated under the names that scan gives them; {MANIFEST}, beside the report, has all.")
    return as_manifest((row.columns() for row in found.rows), "/")
