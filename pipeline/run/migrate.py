"""One run over a registry: check the manifest, run the graph, write the report."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.coordination.progress import MarkFollower
from pipeline.coordination.run_folder import RunFolder, Stop
from pipeline.coordination.stop import reserved_space, stopped_by_signals
from pipeline.graph import MigrateRegistry
from pipeline.history.chain import open_run_folder
from pipeline.manifest.reader import Manifest, parse_manifest, read_manifest
from pipeline.publication.layout import MANIFEST, RECEIPT, SHARDS, output_folder, run_folder
from pipeline.publication.local import sweep_leftovers
from pipeline.publication.locks import output_lock
from pipeline.report.table import gather
from pipeline.run.beam_options import (
    memory_note,
    runs_here,
    runs_in_this_process,
    thread_count,
    with_local_runner,
    worker_count,
)
from pipeline.run.exit_status import ExitStatus
from pipeline.run.finish import finish_run
from pipeline.run.request import FinishedRun, RunRequest
from pipeline.settings import MigrateSettings
from pipeline.steps.converter_pool import drop_work, joined_pool
from pipeline.storage.durable_file import write_file
from pipeline.storage.paths import absolute_path, is_remote
from transforms.platform import folds_case

if TYPE_CHECKING:
    import pandas as pd


def run_registry(request: RunRequest) -> FinishedRun:
    """Migrates a registry and writes the report.

    Raises:
        ManifestError, OutputInUseError: before any work.
        ReportError: the report does not account for every row.
        OSError: the output, or the folder of the report, cannot be written.
    """
    started, notifier = datetime.now(UTC), request.notifier
    output = absolute_path(request.settings.output)
    report = absolute_path(request.report) if request.report else run_folder(output, request.settings.run_id)
    one_case = not is_remote(output) and folds_case(Path(output))
    if isinstance(request.manifest, bytes):
        manifest = parse_manifest(f"{report}/{MANIFEST}", request.manifest, folds_case=one_case)
    else:
        manifest = read_manifest(request.manifest, folds_case=one_case)
    for warning in (*manifest.warnings, *filter(None, [memory_note(request.beam_arguments)])):
        notifier.note(warning)
    settings = replace(request.settings, output=output, attempt=secrets.token_hex(8), folds_case=one_case)
    request = replace(request, settings=settings)
    notifier.started(request.settings.run_id, manifest.path, len(manifest.rows), output)
    with _held_output(request, report):
        if isinstance(request.manifest, bytes):
            write_file(manifest.path, request.manifest)
        if not is_remote(output):
            sweep_leftovers(Path(output), {row.model for row in manifest.rows if not row.reason})
        with reserved_space(Path(report), len(manifest.rows)):
            frame, ending = run_graph(request, manifest, report)
        run = FinishedRun(request, manifest, frame, report, started, datetime.now(UTC), ending)
        run = finish_run(run)
    notifier.ended(frame, report, run.exit_status)
    if ending == ExitStatus.FAILED:
        notifier.warn(
            f"The disk of {output} is full, so the run ended early. Free space, run again: what was published stays."
        )
    return run


@contextlib.contextmanager
def _held_output(run: RunRequest, report: str) -> Iterator[None]:
    """Locks the output against other runs, and opens the folder of this run's record."""
    output, run_id = run.settings.output, run.settings.run_id
    with contextlib.ExitStack() as held:
        if run.lock and not is_remote(output):
            notifier = run.notifier
            held.enter_context(output_lock(Path(output), run_id, run.wait, notifier.warn, notifier.note))
        try:
            held.enter_context(open_run_folder(output, run_id))
        except OSError as error:
            if report == run_folder(output, run_id):
                raise
            run.notifier.warn(f"{output} cannot be written ({error}).")
        yield


def run_graph(run: RunRequest, manifest: Manifest, report: str) -> tuple[pd.DataFrame, int]:
    """Runs the Beam graph.

    Returns:
        Its report rows, one per manifest row, in the manifest's order; and the exit status of a run that ended early:
        128 plus the number of the signal, 1 if the output's disk was full, 0 otherwise.
    """
    options = PipelineOptions(with_local_runner(run.beam_arguments))
    with tempfile.TemporaryDirectory(prefix="h5ferry-run-") as scratch:
        folder = RunFolder(scratch)
        isolation = replace(run.settings.isolation, workers=worker_count(options))
        settings = replace(run.settings, folder=folder, isolation=isolation, threads=thread_count(options))
        # The output's disk may be full, but the rows must still be reported.
        shards = folder.shards if runs_here(run.beam_arguments) else f"{report}/{SHARDS}{settings.attempt}"
        pipeline = beam.Pipeline(options=options)
        pipeline | MigrateRegistry(manifest.path, manifest.sha256, settings, f"{shards}/rows")
        with (
            _processes(settings, manifest, in_this_process=runs_in_this_process(run, options)),
            run.notifier.following(len(manifest.rows)) as notice,
            MarkFollower(folder, notice),
            stopped_by_signals(folder, partial(drop_work, settings)) as signals,
        ):
            pipeline.run().wait_until_finish()
        found = FileSystems.match([f"{shards}/rows*"])[0].metadata_list
        frame = gather([shard.path for shard in found], [row.line for row in manifest.rows])
        FileSystems.delete([shards] if not is_remote(shards) else [shard.path for shard in found])
        full = folder.stop_requested() is Stop.OUTPUT_FULL
    return frame, _early_exit_status(signals, full)


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
