"""The Beam graph of a run, until each manifest row has its report row."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.coordination.progress import MarkFollower
from pipeline.coordination.run_folder import RunFolder, Stop
from pipeline.coordination.stop import stopped_by_signals
from pipeline.graph import MigrateRegistry
from pipeline.manifest.reader import Manifest
from pipeline.publication.layout import RECEIPT, SHARDS, output_folder
from pipeline.report.row import stopped_row
from pipeline.report.table import gather, with_rows
from pipeline.run.beam_options import (
    local_runner,
    runs_here,
    runs_in_this_process,
    thread_count,
    with_local_runner,
    worker_count,
)
from pipeline.run.exit_status import ExitStatus
from pipeline.run.request import RunRequest
from pipeline.settings import MigrateSettings
from pipeline.steps.converter_pool import drop_work, joined_pool
from pipeline.storage.paths import is_remote
from transforms.errors import Reason
from transforms.records.outcome import Status

if TYPE_CHECKING:
    import pandas as pd

#: Runs the graph over some lines of the manifest, or over all, and writes shards that begin with a path or URL.
RunLines = Callable[[frozenset[int] | None, str], None]
_log = logging.getLogger(__name__)


def run_graph(run: RunRequest, manifest: Manifest, report: str) -> tuple[pd.DataFrame, int]:
    """Runs the Beam graph.

    Returns:
        Its report rows, one per manifest row, in the manifest's order; and the exit status of a run that ended early:
        128 plus the number of the signal, 1 if the output's disk was full, 0 otherwise.
    """
    options = PipelineOptions(with_local_runner(run.beam_arguments))
    with tempfile.TemporaryDirectory(prefix="h5ferry-run-") as scratch:
        folder = RunFolder(scratch)
        isolation = replace(run.settings.isolation, workers=worker_count(run.beam_arguments))
        settings = replace(run.settings, folder=folder, isolation=isolation, threads=thread_count(run.beam_arguments))
        # The output's disk may be full, but the rows must still be reported.
        shards = folder.shards if runs_here(run.beam_arguments) else f"{report}/{SHARDS}{settings.attempt}"

        def run_lines(lines: frozenset[int] | None, prefix: str) -> None:
            pipeline = beam.Pipeline(local_runner(run.beam_arguments), options)
            pipeline | MigrateRegistry(manifest.path, manifest.sha256, settings, prefix, lines)
            pipeline.run().wait_until_finish()

        with (
            _processes(settings, manifest, in_this_process=runs_in_this_process(run.beam_arguments)),
            run.notifier.following(len(manifest.rows)) as notice,
            MarkFollower(folder, notice),
            stopped_by_signals(folder, partial(drop_work, settings)) as signals,
        ):
            frame = rows_of_all(run_lines, manifest, shards, settings.run_id, run.notifier.warn)
        FileSystems.delete([shards] if not is_remote(shards) else _shards(shards))
        full = folder.stop_requested() is Stop.OUTPUT_FULL
    return frame, _early_exit_status(signals, full)


def rows_of_all(
    run_lines: RunLines, manifest: Manifest, shards: str, run_id: str, warn: Callable[[str], None]
) -> pd.DataFrame:
    """Runs the graph, and once more over the rows that did not come back; a model already published is found so.

    Args:
        run_lines: runs the graph.
        manifest: all rows.
        shards: folder or URL of the report's shards.
        run_id: of the run.
        warn: called when rows did not come back.

    Returns:
        One row for each manifest row, in its order; `row_lost` for those that came back neither time.
    """
    wanted = {row.line: row for row in manifest.rows}
    lines: frozenset[int] | None = None
    for attempt in ("rows", "rows-again"):
        error = _run(run_lines, lines, f"{shards}/{attempt}")
        frame = gather(_shards(shards), list(wanted))
        lines = frozenset(wanted) - set(frame["line"])
        if not lines:
            return frame
        cause = f": {error}" if error else ""
        warn(f"{len(lines):,} of {len(wanted):,} rows did not come back from the workers{cause}.")
    message = f"The row did not come back from the workers{cause}. Run again."
    lost = [stopped_row(wanted[line], run_id, Status.FAILED, Reason.ROW_LOST, message) for line in sorted(lines or ())]
    return with_rows(frame, lost)


def _run(run_lines: RunLines, lines: frozenset[int] | None, prefix: str) -> str:
    """Runs the graph; returns what ended it, "" for one that ended well."""
    try:
        run_lines(lines, prefix)
    except Exception as error:  # A runner raises what its workers raised: whatever that is, other rows are whole.
        _log.exception("the graph ended early")
        return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[-1]}"
    return ""


def _shards(folder: str) -> list[str]:
    """The shards of all attempts, in a fixed order."""
    (found,) = FileSystems.match([f"{folder}/rows*"])
    return sorted(shard.path for shard in found.metadata_list)


def _early_exit_status(signals: Sequence[int], full: bool) -> int:
    """The exit status of a run ended by a signal or a full disk; 0 for any other."""
    if signals:
        return 128 + signals[0]
    return ExitStatus.FAILED if full else 0


@contextlib.contextmanager
def _processes(settings: MigrateSettings, manifest: Manifest, *, in_this_process: bool) -> Iterator[None]:
    """Starts the first converting processes while Beam is still building its graph, if there is work for them."""
    if not in_this_process or is_remote(settings.output):
        yield
        return
    with joined_pool(settings) as pool:
        folders = (output_folder(settings.output, row.model, row.version) for row in manifest.rows if not row.reason)
        if any(not Path(folder, RECEIPT).exists() for folder in folders):
            pool.start()
        yield
