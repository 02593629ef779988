"""A scan of whatever `h5ferry scan` and `h5ferry migrate` are given: folders, or a registry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.scan.find import ScanError
from pipeline.scan.propose import Proposal, propose_rows

#: Default folder for downloads, beside the manifest.
DOWNLOADS = "mlflow"


def is_registry(argument: str) -> bool:
    """Whether an argument names a registry."""
    return argument.startswith("mlflow:")


def propose(arguments: Sequence[str], downloads: Path) -> Proposal:
    """Proposes rows for files, folders and patterns, or for one registry.

    Args:
        arguments: paths; or `mlflow:URI` by itself.
        downloads: folder for what a registry does not keep as a file of this machine.

    Raises:
        ScanError: a path does not exist, a pattern matches nothing, or a registry cannot be read.
    """
    if not any(map(is_registry, arguments)):
        return propose_rows(arguments)
    if len(arguments) > 1:
        raise ScanError("A registry is scanned by itself.")
    from pipeline.registries.mlflow.source import propose_registry
    from pipeline.registries.mlflow.versions import MlflowError

    try:
        return propose_registry(arguments[0], downloads)
    except MlflowError as error:
        raise ScanError(str(error)) from error
