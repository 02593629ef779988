"""The end of a run, complete or interrupted: report, record, `latest.json`, metrics, in this order."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.history.chain import appending, chain, previous_run, remove_record, write_latest, write_record
from pipeline.history.record import FINISHED, INTERRUPTED, FileDigest, RunRecord
from pipeline.monitoring.prometheus import RunFigures, write_metrics
from pipeline.publication.layout import MANIFEST, RECEIPT, RECEIPT_BYTES, run_folder
from pipeline.report.table import write_report
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.durable_file import read_file, remove_file
from transforms.records.outcome import PUBLISHED, Status

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.history.signing import Signer
    from pipeline.run.request import FinishedRun, RunRequest

_RECEIPT_READERS = 16
#: Settings left out of the record: the run's name and places, facts of the machine, test replacements.
_NOT_OPTIONS = ("output", "run_id", "attempt", "folder", "isolation", "children")
_SECRET = re.compile(r"secret|password|passwd|token|credential|connection|key", re.IGNORECASE)
_LIBRARIES = ("apache-beam", "h5py", "numpy", "pyarrow", "tensorflow", "tf-keras")


def finish_run(run: FinishedRun) -> FinishedRun:
    """Writes a run's report, record and metrics.

    Returns:
        The run; `unrecorded` if its record or its metrics could not be written, which its notifier then reported.

    Raises:
        OSError: the report could not be written.
    """
    request, warn = run.request, run.request.notifier.warn
    remove_record(run.report)
    written = write_report(run.frame, run.report)
    if isinstance(request.manifest, bytes):
        written = {**written, MANIFEST: request.manifest}
    else:  # An earlier run with the same report folder may have left its record.
        remove_file(f"{run.report}/{MANIFEST}")
    history = run_folder(request.settings.output, request.settings.run_id)
    record = _record(run, written, report="" if run.report == history else run.report)
    try:
        record = _append(record, history, request.signer, _found(run.frame))
    except OSError as error:
        if run.report == history:
            raise
        warn(f"{history} cannot be written ({error}): the output has no record of this run.")
        run = replace(run, unrecorded=True)
        record = replace(record, exit_status=run.exit_status)
    for name in record.taken_over:
        warn(f"{name}: the receipt is not the one that previous runs recorded. Check the output with h5ferry verify.")
    if run.report != history:
        write_record(run.report, record, request.signer)
    if request.metrics_file:
        try:
            write_metrics(Path(request.metrics_file), _figures(run, record))
        except OSError as error:
            warn(f"The metrics could not be written: {error}")
            run = replace(run, unrecorded=True)
    return run


def _record(run: FinishedRun, written: Mapping[str, bytes], report: str) -> RunRecord:
    """The record of a run, not yet in the chain; `written` holds the report's files by name."""
    settings, manifest = run.request.settings, run.manifest
    return RunRecord(
        run_id=settings.run_id,
        state=INTERRUPTED if run.interrupted else FINISHED,
        exit_status=run.exit_status,
        started_at=_instant(run.started),
        finished_at=_instant(run.finished),
        manifest={"path": manifest.path, "sha256": manifest.sha256, "rows": len(manifest.rows)},
        output=settings.output,
        report=report,
        options=recorded_options(run.request),
        versions=_versions(),
        counts=_counts(run.frame),
        report_files={name: FileDigest(len(data), sha256_of(data)) for name, data in written.items()},
        receipts=receipt_digests(run.frame),
        signer=run.request.signer.public_key if run.request.signer else "",
    )


def _append(record: RunRecord, folder: str, signer: Signer | None, found: Collection[str]) -> RunRecord:
    """Appends the record to its output's chain; returns it as written.

    `found` names the outputs that were already published.
    """
    with appending(record.output):
        previous = previous_run(record.output)
        receipts = {name: digest for name, digest in record.receipts.items() if name in found}
        record = replace(record, previous=previous, taken_over=differing(receipts, chain(record.output, previous)))
        write_record(folder, record, signer)
        write_latest(record.output, record)
    return record


def differing(receipts: Mapping[str, str], records: Iterable[RunRecord]) -> tuple[str, ...]:
    """Names, sorted, of the receipts (name -> sha256) that differ from the newest record that lists them.

    A receipt may differ because a killed run published it, or because it was changed.
    """
    left, found = dict(receipts), []
    for record in records:
        for name in left.keys() & record.receipts.keys():
            if left.pop(name) != record.receipts[name]:
                found.append(name)
        if not left:
            break
    return tuple(sorted(found))


def _found(frame: pd.DataFrame) -> set[str]:
    """Names of the outputs that were already published."""
    rows = frame[frame["status"] == Status.UNCHANGED.value]
    return {f"{model}/{version}" for model, version in zip(rows["model"], rows["version"], strict=True)}


def receipt_digests(frame: pd.DataFrame) -> dict[str, str]:
    """Sha256 of each published row's existing receipt, by "<model>/<version>"."""
    rows = frame[frame["status"].isin(PUBLISHED)]
    names = [f"{model}/{version}" for model, version in zip(rows["model"], rows["version"], strict=True)]
    with ThreadPoolExecutor(_RECEIPT_READERS) as readers:
        found = list(readers.map(lambda output: read_file(f"{output}/{RECEIPT}", RECEIPT_BYTES), rows["output"]))
    return {name: sha256_of(data) for name, data in zip(names, found, strict=True) if data is not None}


def recorded_options(run: RunRequest) -> dict[str, Any]:
    """The run's options, without secrets."""
    settings = asdict(run.settings)
    isolation = settings["isolation"]
    return {
        **{name: _plain(value) for name, value in settings.items() if name not in _NOT_OPTIONS},
        "timeout": isolation["timeout"],
        "memory_bytes": isolation["memory_bytes"],
        "beam_arguments": without_secrets(run.beam_arguments),
    }


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """Beam's arguments without the values of those that look like credentials."""
    told, hide = [], False
    for argument in arguments:
        name, given, _ = argument.partition("=")
        if hide and not argument.startswith("--"):
            told.append("(not recorded)")
            hide = False
            continue
        secret = argument.startswith("--") and _SECRET.search(name) is not None
        told.append(f"{name}=(not recorded)" if secret and given else argument)
        hide = secret and not given
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _counts(frame: pd.DataFrame) -> dict[str, dict[str, int]]:
    return {
        column: {str(value): int(number) for value, number in frame[column].value_counts().items() if value}
        for column in ("status", "reason", "evidence")
    }


def _figures(run: FinishedRun, record: RunRecord) -> RunFigures:
    return RunFigures(
        run_id=record.run_id,
        exit_status=record.exit_status,
        started=run.started,
        finished=run.finished,
        rows=len(run.manifest.rows),
        statuses=record.counts["status"],
        reasons=record.counts["reason"],
        evidence=record.counts["evidence"],
        max_abs_error=float(run.frame["max_abs_error"].max()) if len(run.frame) else float("nan"),
        max_rel_error=float(run.frame["max_rel_error"].max()) if len(run.frame) else float("nan"),
    )


def _versions() -> dict[str, str]:
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"h5ferry": __version__, "python": platform.python_version(), "platform": platform.platform(), **libraries}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
