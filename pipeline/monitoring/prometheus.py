"""Metrics of a run for Prometheus, as a text file for node_exporter's textfile collector."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import __version__
from pipeline.storage.durable_file import write_file
from pipeline.storage.regular_file import read_regular
from transforms.errors import Reason
from transforms.records.outcome import Evidence, Status

#: The file has a few thousand bytes.
_METRICS_BYTES = 1 << 20
_LAST_SUCCESS = "h5ferry_last_success_timestamp_seconds"


@dataclass(frozen=True)
class RunFigures:
    """The figures of a run for its metrics.

    Attributes:
        run_id: name of the run.
        exit_status: of the program; 0 makes the run a success.
        started, finished: UTC.
        statuses, reasons, evidence: number of rows by value.
        rows: number of rows in the manifest.
        max_abs_error, max_rel_error: the largest of all rows that were compared, nan for none.
    """

    run_id: str
    exit_status: int
    started: datetime
    finished: datetime
    rows: int
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    evidence: Mapping[str, int]
    max_abs_error: float = math.nan
    max_rel_error: float = math.nan


def write_metrics(path: Path, run: RunFigures) -> None:
    """Replaces the file atomically. If this run is not a success, the time of the last one is copied from the old file.

    Raises:
        OSError: it cannot be written; the old file is unchanged.
    """
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=registry)

    def counted(name: str, text: str, label: str, values: list[str], counts: Mapping[str, int]) -> None:
        family = gauge(name, text, (label,))
        for value in (*values, *(extra for extra in counts if extra not in values)):
            family.labels(value).set(counts.get(value, 0))

    gauge("h5ferry_run_info", "The run that wrote this file.", ("run_id", "version")).labels(
        run.run_id, __version__
    ).set(1)
    gauge("h5ferry_run_exit_status", "Exit status: 0 all published, 3 some rows were not.").set(run.exit_status)
    gauge("h5ferry_run_duration_seconds", "Wall clock of the run.").set((run.finished - run.started).total_seconds())
    gauge("h5ferry_run_finished_timestamp_seconds", "When the run ended, in Unix time.").set(run.finished.timestamp())
    gauge("h5ferry_manifest_rows", "Rows of the manifest.").set(run.rows)
    counted("h5ferry_rows", "Rows by status.", "status", [status.value for status in Status], run.statuses)
    counted("h5ferry_stopped_rows", "Rows that were not published, by reason.", "reason", list(Reason), run.reasons)
    evidence = [value.value for value in Evidence if value.value]
    counted("h5ferry_evidence_rows", "Rows by the evidence that they rest on.", "evidence", evidence, run.evidence)
    worst = gauge("h5ferry_worst_error", "Largest error of any row against its evidence.", ("kind",))
    for kind, error in (("absolute", run.max_abs_error), ("relative", run.max_rel_error)):
        if not math.isnan(error):
            worst.labels(kind).set(error)
    success = run.finished.timestamp() if run.exit_status == 0 else last_success(path)
    if success is not None:
        gauge(_LAST_SUCCESS, "When a run last ended with every row published, in Unix time.").set(success)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    write_file(str(path), generate_latest(registry))


def last_success(path: Path) -> float | None:
    """The time of the last success, from an earlier metrics file; None if there is no such file or entry."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        text = read_regular(path, _METRICS_BYTES).decode()
        families = list(text_string_to_metric_families(text))
    except (OSError, ValueError):
        return None
    return next(
        (sample.value for family in families for sample in family.samples if sample.name == _LAST_SUCCESS), None
    )
