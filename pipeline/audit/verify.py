"""`h5ferry verify`: whether an output is still what was published, and still computes the recorded outputs.

Needs only the output, wherever it is now: neither the sources nor the machine of the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.audit.findings import AuditResult, Finding, Kind, OutputState, relative_path
from pipeline.audit.output_tree import read_tree
from pipeline.audit.published_output import Recorded, check_output
from pipeline.audit.run_records import check_run_folder, read_history
from pipeline.history.record import RunRecord
from pipeline.isolation.machine import this_machine
from pipeline.isolation.policy import Advice, Isolation, Role
from pipeline.isolation.process import ConfinedProcess
from pipeline.publication.layout import RECORD, RESERVED, RUNS
from pipeline.publication.receipt import read_receipt
from pipeline.report.table import PARQUET, ReportError, read_report
from transforms.errors import MigrationError
from transforms.records.outcome import PUBLISHED
from transforms.records.signature import NO_SIGNATURE

_REPLAY = "pipeline.audit.replay:replay_samples"
_ADVICE = Advice(crash="Verify again; if it happens again, migrate the model anew, and report it.")


@dataclass(frozen=True)
class VerifyRequest:
    """The arguments of `verify`.

    Attributes:
        target: an output folder, or a report (the file or its folder).
        run_samples: whether to run the samples stored with each output, which needs TensorFlow.
        keys: public keys (hex), one of which must have signed every run record; empty: no signature is required.
        output: the present folder of a report's output, None if it was not moved.
    """

    target: Path
    run_samples: bool = True
    keys: tuple[str, ...] = ()
    output: Path | None = None


def verify(request: VerifyRequest, notice: Callable[[OutputState], None] = lambda output: None) -> AuditResult:
    """Verifies an output folder, or what a report lists; calls `notice` with each output when it is done.

    Raises:
        ReportError: there is nothing to verify, or the report cannot be read.
    """
    target = request.target.resolve()
    is_report = target.is_file() or ((target / PARQUET).is_file() and not (target / RESERVED).is_dir())
    frame = _report_frame if is_report else _folder_frame
    found, checks = frame(replace(request, target=target))
    outputs = tuple(_examined(checks, request.run_samples, notice))
    if not outputs and not found.findings and not found.runs:
        raise ReportError(f"{request.target} holds no published model.")
    return replace(found, outputs=outputs)


@dataclass(frozen=True)
class _Check:
    """One output to verify: its folder, its name in messages, and what records say of it."""

    folder: Path
    path: str
    recorded: Recorded


def _folder_frame(request: VerifyRequest) -> tuple[AuditResult, list[_Check]]:
    """Findings about an output folder as a whole, and the outputs to verify."""
    root = request.target
    tree = read_tree(root)
    history = read_history(root, request.keys)
    findings = [*tree.findings, *history.findings]
    for folder in tree.runs:
        record, wrong = check_run_folder(folder, root, request.keys)
        findings += wrong
        if record is not None and history.kept and record.reference.sha256 not in history.known:
            path = relative_path(folder / RECORD, root)
            findings.append(Finding(Kind.UNRECORDED, path, "is not the record of any run in the output's history"))
    here = {relative_path(folder, root) for folder in tree.outputs}
    for name, run in sorted(history.expected.items()):
        if name not in here:
            findings.append(Finding(Kind.MISSING, name, f"is missing: run {run} published it"))
    checks = []
    for folder in tree.outputs:
        path = relative_path(folder, root)
        digest, run = history.receipts.get(path, ("", ""))
        demanded = history.kept and (history.complete or bool(request.keys))
        known = Recorded(path.removeprefix("."), digest, run, demanded, at_work=history.at_work)
        checks.append(_Check(folder, path, known))
    return AuditResult((), tuple(findings), (*history.notes, *tree.notes), len(history.records)), checks


def _report_frame(request: VerifyRequest) -> tuple[AuditResult, list[_Check]]:
    """Findings about a report itself, and the outputs that it lists."""
    folder = request.target if request.target.is_dir() else request.target.parent
    record: RunRecord | None = None
    findings: list[Finding] = []
    notes: list[str] = []
    if os.path.lexists(folder / RECORD):
        record, findings = check_run_folder(folder, folder, request.keys)
    elif request.keys:
        findings = [Finding(Kind.UNSIGNED, RECORD, "is missing: no signed run vouches for this report")]
    else:
        notes = [f"There is no {RECORD} beside the report: nothing vouches for it."]
    try:
        frame = read_report(str(request.target))
    except ReportError:
        if not findings:
            raise
        return AuditResult((), tuple(findings), tuple(notes), runs=1), []
    moved = request.output or _output_around(folder, record)
    receipts: Mapping[str, str] = record.receipts if record else {}
    checks = []
    for row in frame[frame["status"].isin(PUBLISHED)].itertuples():
        name = f"{row.model}/{row.version}"
        if ".." in name.split("/"):
            findings.append(Finding(Kind.FOREIGN, name, "is no name of a model"))
            continue
        place = moved.absolute() / name if moved else Path(str(row.output))
        recorded = Recorded(name, receipts.get(name, ""), str(row.run_id), bool(request.keys), str(row.output_sha256))
        checks.append(_Check(place, name if moved else str(place), recorded))
    if moved is None and checks and not any(check.folder.exists() for check in checks):
        notes.append("No output is where the report says: if it was moved, say where with --output.")
    return AuditResult((), tuple(findings), tuple(notes), runs=int(record is not None)), checks


def _output_around(folder: Path, record: RunRecord | None) -> Path | None:
    """The output that contains a report, also after a move; None for a report outside its output."""
    runs = folder.parent
    if runs.name == RUNS and runs.parent.name == RESERVED:
        return runs.parents[1]
    if record is not None and record.report and Path(record.report).is_relative_to(record.output):
        inner = Path(record.report).relative_to(record.output)
        around = Path(*folder.parts[: len(folder.parts) - len(inner.parts)])
        return around if around / inner == folder else None
    return None


def _examined(
    checks: Iterable[_Check], run_samples: bool, notice: Callable[[OutputState], None]
) -> Iterator[OutputState]:
    """Hashes the outputs on all cores, and runs the samples of the sound ones in one child."""
    child = ConfinedProcess(Isolation(preload=("tensorflow",), role=Role.REPLAYING, advice=_ADVICE))
    hashed = ThreadPoolExecutor(this_machine().cpus, thread_name_prefix="hash")
    try:
        pending = [
            (check, hashed.submit(partial(check_output, check.folder, check.path, check.recorded))) for check in checks
        ]
        for check, result in pending:
            state = _state(check, tuple(result.result()))
            if run_samples and not state.findings:
                state = replay(check.folder, state, child)
            notice(state)
            yield state
    finally:
        hashed.shutdown(cancel_futures=True)
        child.close()


def _state(check: _Check, findings: tuple[Finding, ...]) -> OutputState:
    """With the signature that the receipt states, if there are no findings."""
    receipt = None if findings else read_receipt(check.folder)
    return OutputState(check.path, findings, signature=NO_SIGNATURE if receipt is None else receipt.signature)


def replay(folder: Path, state: OutputState, child: ConfinedProcess) -> OutputState:
    """Runs the samples stored with an output again, in the child."""
    receipt = read_receipt(folder)
    if receipt is None:  # It existed a moment ago.
        return replace(state, findings=(Finding(Kind.ALTERED, state.path, "changes while it is verified"),))
    key = receipt.key
    custom_code = bool(key.custom_objects_sha256 or key.architecture_sha256)
    try:
        problems, error = child.call(_REPLAY, folder, key.rtol, key.atol, custom_code, returns=tuple[list[str], float])
    except MigrationError as refusal:
        problems, error = [str(refusal)], float("nan")
    drift = tuple(Finding(Kind.DRIFT, state.path, str(problem)) for problem in problems)
    return replace(state, findings=drift, replayed=True, max_abs_error=float(error))
