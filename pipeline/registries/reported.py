"""What `diff` compares: a report, or what was registered."""

from __future__ import annotations

from pathlib import Path

from pipeline.registries.mlflow.registered import registry_report
from pipeline.registries.mlflow.source import read_versions
from pipeline.registries.mlflow.versions import parse_location
from pipeline.registries.scan import is_registry
from pipeline.report.table import ReportError
from pipeline.report.untrusted import report_bytes


def bytes_of(place: str) -> bytes:
    """The Parquet of a report, or of the rows that a registry's receipts tell.

    Raises:
        ReportError: there is no report.
        RegistryError: the registry cannot be read.
    """
    if is_registry(place):
        location = parse_location(place)
        return registry_report(read_versions(location), location)
    if not Path(place).exists():
        raise ReportError(f"{place} does not exist.")
    return report_bytes(Path(place))
