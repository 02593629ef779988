"""One run over a registry: check the manifest, run the graph, write the report."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.coordination.stop import reserved_space
from pipeline.history.chain import open_run_folder
from pipeline.manifest.reader import parse_manifest, read_manifest
from pipeline.publication.layout import MANIFEST, run_folder
from pipeline.publication.local import sweep_leftovers
from pipeline.publication.locks import output_lock
from pipeline.run.beam_options import memory_note
from pipeline.run.exit_status import ExitStatus
from pipeline.run.finish import finish_run
from pipeline.run.graph_run import run_graph
from pipeline.run.report_folder import check_report_folder
from pipeline.run.request import FinishedRun, RunRequest
from pipeline.storage.durable_file import write_file
from pipeline.storage.paths import absolute_path, is_remote
from transforms.platform.system_calls import folds_case, hide_memory


def run_registry(request: RunRequest) -> FinishedRun:
    """Migrates a registry and writes the report.

    Raises:
        ManifestError, OutputInUseError, ReportFolderError: before any work.
        OSError: the output, or the folder of the report, cannot be written.
    """
    started, notifier = datetime.now(UTC), request.notifier
    output = absolute_path(request.settings.output)
    report = absolute_path(request.report) if request.report else run_folder(output, request.settings.run_id)
    if request.report:
        check_report_folder(report, request.manifest if isinstance(request.manifest, bytes) else None)
    if request.signer is not None or request.settings.allow_custom_code:
        hide_memory()
    one_case = not is_remote(output) and folds_case(Path(output))
    if isinstance(request.manifest, bytes):
        manifest = parse_manifest(f"{report}/{MANIFEST}", request.manifest, folds_case=one_case)
    else:
        manifest = read_manifest(request.manifest, folds_case=one_case)
    for warning in (*manifest.warnings, *filter(None, [memory_note(request.beam_arguments)])):
        notifier.note(warning)
    settings = replace(
        request.settings,
        output=output,
        attempt=secrets.token_hex(8),
        folds_case=one_case,
        trusted_keys=request.trusted_keys,
    )
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
        if request.register and not ending:
            run = _registered(run)
    notifier.ended(frame, report, run.exit_status)
    if ending == ExitStatus.FAILED:
        notifier.warn(
            f"The disk of {output} is full, so the run ended early. Free space, run again: what was published stays."
        )
    return run


def _registered(run: FinishedRun) -> FinishedRun:
    """Registers what the output holds; `unrecorded` if that failed, which the notifier then reported."""
    from pipeline.registries.register import RegistryError, register_output, summary

    notifier, target = run.request.notifier, run.request.register
    try:
        for line in summary(register_output(Path(run.request.settings.output), target), target):
            notifier.inform(line)
    except RegistryError as error:
        notifier.warn(f"{error} Correct the cause, then run `h5ferry register`.")
        return replace(run, unrecorded=True)
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
