"""One run as asked for."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.history.signing import Signer
from pipeline.monitoring.event_log import LogFormat
from pipeline.settings import MigrateSettings


@dataclass(frozen=True)
class RunRequest:
    """One run as asked for.

    Attributes:
        manifest: path or URL.
        settings: what the workers are told.
        report: folder for the report, "" for the one in the output.
        beam_arguments: for Beam alone.
        quiet: no progress and no summary.
        log_format: JSON for events in place of lines for people, on standard error.
        signer: signs the run's record.
        metrics_file: local file for Prometheus, "" for none.
        wait: seconds to wait for another run in the same output.
        lock: whether the output is held against other runs.
    """

    manifest: str
    settings: MigrateSettings
    report: str = ""
    beam_arguments: tuple[str, ...] = ()
    quiet: bool = False
    log_format: LogFormat = LogFormat.TEXT
    signer: Signer | None = None
    metrics_file: str = ""
    wait: float = 0.0
    lock: bool = True
