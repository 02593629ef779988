"""One run over a registry: check the manifest, run the graph, gather the report."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from rich.console import Console

from pipeline.coordination.progress import MarkFollower
from pipeline.coordination.stop import Stop, reserved_space, stop_requested, stopped_by_signals
from pipeline.graph import MigrateRegistry
from pipeline.history.chain import SHARDS, open_run_folder, run_folder
from pipeline.history.signing import Signer
from pipeline.manifest.reader import Manifest, read_manifest
from pipeline.manifest.row import is_remote
from pipeline.monitoring.event_log import event, row_ended, run_ended
from pipeline.monitoring.log_format import LogFormat
from pipeline.monitoring.summary import print_summary, progress_view
from pipeline.printable import printable
from pipeline.publication.local import output_folder, sweep_leftovers
from pipeline.publication.locks import output_lock
from pipeline.publication.receipt import RECEIPT
from pipeline.report.formatting import count
from pipeline.report.table import gather
from pipeline.run.finish import FAILED, conclude
from pipeline.settings import MigrateSettings, runs_here, with_local_runner
from pipeline.steps.converter_pool import drop_work, joined_pool
from transforms.records.outcome import Status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
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


def new_run_id() -> str:
    """A run id that sorts by time: "20260131T142501-3f9a"."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def migrate(run: Run) -> int:
    """Runs to the end and reports.

    Returns:
        The exit status: 0 when every row is migrated or unchanged, else 3.

    Raises:
        ManifestError, OutputInUseError: before any work.
        ReportError: the report does not account for every row.
    """
    started = datetime.now(UTC)
    errors = Console(stderr=True, highlight=False)

    def warn(text: str) -> None:
        if run.log_format is LogFormat.JSON:
            event("warning", logging.WARNING, message=text)
        else:
            errors.print(f"Warning: {printable(text)}", style="yellow", markup=False, soft_wrap=True)

    manifest = read_manifest(run.manifest)
    if not run.quiet or run.log_format is LogFormat.JSON:
        for warning in manifest.warnings:
            warn(warning)
    output = _absolute(run.settings.output)
    report = _absolute(run.report) if run.report else run_folder(output, run.settings.run_id)
    run = replace(run, settings=replace(run.settings, output=output, attempt=secrets.token_hex(8)))
    event("run_started", run_id=run.settings.run_id, manifest=manifest.path, rows=len(manifest.rows), output=output)
    with _held_output(run, report, warn):
        if not is_remote(output):
            sweep_leftovers(Path(output), {row.model for row in manifest.rows if not row.reason})
        with reserved_space(Path(report), len(manifest.rows)):
            frame, ending = run_graph(run, manifest, report, errors)
        status = conclude(run, manifest, frame, report, started, warn, ending)
    run_ended(count(frame, "status", [each.value for each in Status]), exit_status=status, report=report)
    if not run.quiet and run.log_format is LogFormat.TEXT:
        print_summary(Console(highlight=False), frame, report)
    if ending == FAILED:
        warn(f"The disk of {output} is full, so the run ended early. Make room, run again: what was published stays.")
    return status


@contextlib.contextmanager
def _held_output(run: Run, report: str, warn: Callable[[str], None]) -> Iterator[None]:
    """Holds the output against other runs, and the place where this run leaves its record."""
    output, run_id = run.settings.output, run.settings.run_id
    with contextlib.ExitStack() as held:
        if run.lock and not is_remote(output):
            tell = (lambda text: None) if run.quiet else warn
            held.enter_context(output_lock(Path(output), run_id, run.wait, warn, tell))
        try:
            held.enter_context(open_run_folder(output, run_id))
        except OSError as error:
            if report == run_folder(output, run_id):
                raise
            warn(f"{output} cannot be written ({error}).")
        yield


def run_graph(run: Run, manifest: Manifest, report: str, console: Console) -> tuple[pd.DataFrame, int]:
    """Runs the Beam graph.

    Returns:
        Its report rows, one for each manifest row, in the manifest's order; and the exit status of a run that ended
        early: 128 and the number of the signal, 1 when the disk of the output was full, 0 otherwise.
    """
    options = PipelineOptions(with_local_runner(run.beam_arguments))
    with tempfile.TemporaryDirectory(prefix="h5ferry-progress-") as marks:
        isolation = replace(run.settings.isolation, workers=worker_count(options))
        threads = thread_count(options)
        settings = replace(run.settings, progress=marks, isolation=isolation, threads=threads)
        # The disk of the output may be full, and the rows must be told all the same.
        folder = marks if runs_here(run.beam_arguments) else report
        shards = f"{folder}/{SHARDS}{run.settings.attempt}"
        pipeline = beam.Pipeline(options=options)
        pipeline | MigrateRegistry(manifest.path, manifest.sha256, settings, f"{shards}/rows")
        follow = run.log_format is LogFormat.TEXT
        with (
            _processes(settings, manifest, in_this_process=_runs_in_this_process(run, options)),
            progress_view(console, len(manifest.rows), quiet=run.quiet or not follow) as show,
            MarkFollower(Path(marks), show if follow else row_ended),
            stopped_by_signals(marks, partial(drop_work, settings)) as signals,
        ):
            pipeline.run().wait_until_finish()
        found = FileSystems.match([f"{shards}/rows*"])[0].metadata_list
        frame = gather([shard.path for shard in found], [row.line for row in manifest.rows])
        FileSystems.delete([shards] if not is_remote(shards) else [shard.path for shard in found])
        full = stop_requested(marks) is Stop.OUTPUT_FULL
    return frame, 128 + signals[0] if signals else FAILED if full else 0


@contextlib.contextmanager
def _processes(settings: MigrateSettings, manifest: Manifest, *, in_this_process: bool) -> Iterator[None]:
    """Starts the first converting processes while Beam is still building its graph, where there is work for them."""
    if not in_this_process or is_remote(settings.output):
        yield
        return
    with joined_pool(settings) as pool:
        folders = (output_folder(settings.output, row.model, row.version) for row in manifest.rows if not row.reason)
        if any(not Path(folder, RECEIPT).exists() for folder in folders):
            pool.start()
        yield


def _runs_in_this_process(run: Run, options: PipelineOptions) -> bool:
    mode = options.view_as(DirectOptions).direct_running_mode
    return runs_here(run.beam_arguments) and mode != "multi_processing"


def worker_count(options: PipelineOptions) -> int:
    """Workers that share this machine, by Beam's direct options."""
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode == "in_memory":
        return 1
    return int(direct.direct_num_workers) or len(os.sched_getaffinity(0))


def thread_count(options: PipelineOptions) -> int:
    """Those of these workers that are threads of one process."""
    return worker_count(options) if options.view_as(DirectOptions).direct_running_mode == "multi_threading" else 1


def _absolute(path: str) -> str:
    return path.rstrip("/") if is_remote(path) else os.path.abspath(path)
