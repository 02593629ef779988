"""Records of one run: its request and its result."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.history.signing import Signer
from pipeline.manifest.reader import Manifest
from pipeline.monitoring.notifier import LogNotifier, Notifier
from pipeline.run.exit_status import ExitStatus
from pipeline.settings import MigrateSettings
from transforms.records.outcome import PUBLISHED

if TYPE_CHECKING:
    import pandas as pd

_LOG = LogNotifier()
#: A run ended by a signal exits with this plus the signal's number.
_SIGNALS = 128


@dataclass(frozen=True)
class RunRequest:
    """The request for one run.

    Attributes:
        manifest: path or URL; or the text of a manifest without a file, which is written beside the report.
        settings: for the workers.
        report: folder for the report, "" for the one in the output.
        beam_arguments: for Beam.
        notifier: reports progress, warnings and the summary.
        signer: signs the run record; then published models count only if a signed record vouches for them.
        public_keys: keys (hex) whose records count for that besides the signer's.
        metrics_file: local file for Prometheus, "" for none.
        wait: seconds to wait for another run in the same output.
        lock: whether the output is locked against other runs.
        register: registry (`mlflow:URI`) for what is published, "" for none.
    """

    manifest: str | bytes
    settings: MigrateSettings
    report: str = ""
    beam_arguments: tuple[str, ...] = ()
    notifier: Notifier = _LOG
    signer: Signer | None = None
    public_keys: tuple[str, ...] = ()
    metrics_file: str = ""
    wait: float = 0.0
    lock: bool = True
    register: str = ""

    @property
    def trusted_keys(self) -> tuple[str, ...]:
        """The public keys whose records count; none where the run is not signed."""
        return () if self.signer is None else (self.signer.public_key, *self.public_keys)


@dataclass(frozen=True)
class FinishedRun:
    """One run whose graph has finished.

    Attributes:
        request: as given; its output is absolute.
        manifest: as read.
        frame: the report's rows, one per row of the manifest.
        report: folder or URL of the report.
        started, finished: UTC.
        interrupted: the exit status of a run that ended early, 0 for a complete one.
        unrecorded: whether the run's record or its metrics could not be written, or what it published could not be
            registered.
    """

    request: RunRequest
    manifest: Manifest
    frame: pd.DataFrame
    report: str
    started: datetime
    finished: datetime
    interrupted: int = 0
    unrecorded: bool = False

    def pass_signal_on(self) -> None:
        """Passes a signal that ended the run early to the calling program: SIGINT raises KeyboardInterrupt."""
        if self.interrupted > _SIGNALS:
            signal.raise_signal(self.interrupted - _SIGNALS)

    @property
    def exit_status(self) -> int:
        """`interrupted`, else 3 if a row is neither migrated nor unchanged, else 1 for an unrecorded run, else 0."""
        if self.interrupted:
            return self.interrupted
        if not self.frame["status"].isin(PUBLISHED).all():
            return ExitStatus.SOME_NOT
        return ExitStatus.FAILED if self.unrecorded else ExitStatus.ALL_PUBLISHED
