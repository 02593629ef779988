"""The end of a run, complete or interrupted: report, record, `latest.json`, metrics, in this order."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.history.chain import appending, chain, newest_run, remove_record, write_latest, write_record
from pipeline.history.inventory import carried_over, inventory
from pipeline.history.record import FINISHED, INTERRUPTED, FileDigest, RunRecord
from pipeline.monitoring.prometheus import RunFigures, write_metrics
from pipeline.publication.layout import MANIFEST, RECEIPT, RECEIPT_BYTES, run_folder
from pipeline.report.table import write_report
from pipeline.run.report_folder import earlier_record
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.durable_file import read_file, remove_file
from pipeline.storage.paths import is_remote
from transforms.records.outcome import PUBLISHED, Status

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.run.request import FinishedRun, RunRequest

_NAMES_TOLD = 5
#: Settings that name the run or its places, what is private to the machine, and the tests' stand-ins.
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
    earlier = earlier_record(run.report)
    remove_record(run.report)
    written = write_report(run.frame, run.report)
    if isinstance(request.manifest, bytes):
        written = {**written, MANIFEST: request.manifest}
    elif is_remote(run.report) or (earlier and MANIFEST in earlier.report_files):  # An earlier run left its own.
        remove_file(f"{run.report}/{MANIFEST}")
    history = run_folder(request.settings.output, request.settings.run_id)
    record = _record(run, written, report="" if run.report == history else run.report)
    try:
        record = _append(run, record, history)
    except OSError as error:
        if run.report == history:
            raise
        warn(f"{history} cannot be written ({error}): the output has no record of this run.")
        run = replace(run, unrecorded=True)
        record = replace(record, exit_status=run.exit_status)
    if record.taken_over:
        names = ", ".join(record.taken_over[:_NAMES_TOLD])
        warn(
            f"{len(record.taken_over)} outputs were published by a run that left no record, as a killed one does:"
            f" {names}. They are taken for what their receipts say."
        )
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
    receipts, outputs = published_digests(run.frame)
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
        receipts=receipts,
        outputs=outputs,
        signer=run.request.signer.public_key if run.request.signer else "",
    )


def _append(run: FinishedRun, record: RunRecord, folder: str) -> RunRecord:
    """Makes the record the newest of its output; returns it as it was written."""
    settings, signer = run.request.settings, run.request.signer
    root = None if is_remote(record.output) else Path(record.output)
    with appending(record.output):
        newest = newest_run(record.output, settings.trusted_keys)
        others = takewhile(partial(_ended_meanwhile, record), chain(record.output, newest, settings.trusted_keys))
        record = with_concurrent_runs(record, others)
        # Without any record that counts, the chain goes on from those that do not: `verify` tells them apart.
        before = newest or newest_run(record.output)
        record = replace(
            record,
            previous=None if before is None else before.reference,
            earlier=carried_over(newest, record, {row.name for row in run.manifest.rows if not row.reason}),
            taken_over=_taken_over(run.frame, newest),
        )
        write_record(folder, record, signer, root)
        write_latest(record.output, record)
    return record


def _ended_meanwhile(record: RunRecord, other: RunRecord) -> bool:
    """Whether a run ended while another was at work; both times are UTC and written alike."""
    return other.finished_at >= record.started_at


def with_concurrent_runs(record: RunRecord, others: Iterable[RunRecord]) -> RunRecord:
    """The record, which does not claim what a run that ended meanwhile put in the place of its own output.

    Of two runs that published one name, the one whose receipt lies there was the last. Whatever else lies there was put
    there by no run, and the record stays as this one knows it.
    """
    receipts, outputs = dict(record.receipts), dict(record.outputs)
    for other in reversed(list(others)):
        for name in receipts.keys() & other.receipts.keys():
            if receipts[name] != other.receipts[name] == _digest_there(record.output, name):
                receipts[name], outputs[name] = other.receipts[name], other.outputs.get(name, "")
    return replace(record, receipts=receipts, outputs=outputs)


def _digest_there(output: str, name: str) -> str:
    root = None if is_remote(output) else Path(output)
    try:
        data = read_file(f"{output}/{name}/{RECEIPT}", RECEIPT_BYTES, root)
    except OSError:
        return ""
    return "" if data is None else sha256_of(data)


def _taken_over(frame: pd.DataFrame, newest: RunRecord | None) -> tuple[str, ...]:
    """Names of outputs that the run found published, and that no record before it knew."""
    known = inventory(newest)
    return tuple(sorted(name for name in _names(frame[frame["status"] == Status.UNCHANGED]) if name not in known))


def _names(rows: pd.DataFrame) -> list[str]:
    return [f"{model}/{version}" for model, version in zip(rows["model"], rows["version"], strict=True)]


def published_digests(frame: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Digests of each published row's receipt, and of its output, by "<model>/<version>": as the run knows them.

    Whatever lies in the output by now is not asked: somebody else may have put it there.
    """
    rows = frame[frame["status"].isin(PUBLISHED)]
    names = _names(rows)
    return dict(zip(names, rows["receipt_sha256"], strict=True)), dict(zip(names, rows["output_sha256"], strict=True))


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
