"""One run over a registry: check the manifest, run the graph, gather the report."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from pipeline.coordination.progress import MarkFollower
from pipeline.coordination.stop import Stop, reserved_space, stop_requested, stopped_by_signals
from pipeline.graph import MigrateRegistry
from pipeline.history.chain import open_run_folder
from pipeline.manifest.reader import Manifest, read_manifest
from pipeline.monitoring.event_log import LogFormat, event, row_ended, run_ended
from pipeline.monitoring.summary import print_summary, progress_view
from pipeline.printable import printable
from pipeline.publication.layout import RECEIPT, SHARDS, output_folder, run_folder
from pipeline.publication.local import sweep_leftovers
from pipeline.publication.locks import output_lock
from pipeline.report.formatting import count
from pipeline.report.table import gather
from pipeline.run.beam_options import (
    memory_note,
    runs_here,
    runs_in_this_process,
    thread_count,
    with_local_runner,
    worker_count,
)
from pipeline.run.finish import FAILED, finish_run
from pipeline.run.request import RunRequest
from pipeline.settings import MigrateSettings
from pipeline.steps.converter_pool import drop_work, joined_pool
from pipeline.storage.paths import is_remote
from transforms.platform import folds_case
from transforms.records.outcome import Status

if TYPE_CHECKING:
    import pandas as pd


def new_run_id() -> str:
    """A run id that sorts by time: "20260131T142501-3f9a"."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def run_registry(run: RunRequest) -> int:
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

    output = _absolute(run.settings.output)
    one_case = not is_remote(output) and folds_case(Path(output))
    manifest = read_manifest(run.manifest, folds_case=one_case)
    if not run.quiet or run.log_format is LogFormat.JSON:
        for warning in (*manifest.warnings, *filter(None, [memory_note(run.beam_arguments)])):
            warn(warning)
    report = _absolute(run.report) if run.report else run_folder(output, run.settings.run_id)
    run = replace(run, settings=replace(run.settings, output=output, attempt=secrets.token_hex(8), folds_case=one_case))
    event("run_started", run_id=run.settings.run_id, manifest=manifest.path, rows=len(manifest.rows), output=output)
    with _held_output(run, report, warn):
        if not is_remote(output):
            sweep_leftovers(Path(output), {row.model for row in manifest.rows if not row.reason})
        with reserved_space(Path(report), len(manifest.rows)):
            frame, ending = run_graph(run, manifest, report, errors)
        status = finish_run(run, manifest, frame, report, started, warn, ending)
    run_ended(count(frame, "status", [each.value for each in Status]), exit_status=status, report=report)
    if not run.quiet and run.log_format is LogFormat.TEXT:
        print_summary(Console(highlight=False), frame, report)
    if ending == FAILED:
        warn(f"The disk of {output} is full, so the run ended early. Make room, run again: what was published stays.")
    return status


@contextlib.contextmanager
def _held_output(run: RunRequest, report: str, warn: Callable[[str], None]) -> Iterator[None]:
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


def run_graph(run: RunRequest, manifest: Manifest, report: str, console: Console) -> tuple[pd.DataFrame, int]:
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
            _processes(settings, manifest, in_this_process=runs_in_this_process(run, options)),
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


def _absolute(path: str) -> str:
    return path.rstrip("/") if is_remote(path) else os.path.abspath(path)
