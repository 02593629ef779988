"""`h5ferry verify`: whether an output is still what was published, and still computes the recorded outputs.

Nothing but the output is needed, wherever it lies now: not the sources, not the machine of the run. What it promises,
against whom, is told in docs/security_model.md.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipeline.audit.findings import AuditResult, Finding, Kind, OutputState, relative_path
from pipeline.audit.freshness import Freshness, check_freshness, clock_note
from pipeline.audit.output_tree import read_tree
from pipeline.audit.parsing import ConfinedParser
from pipeline.audit.published_output import CheckedOutput, Expectation, check_output
from pipeline.audit.run_folder import StoredRun, check_run_folder
from pipeline.audit.run_records import read_history
from pipeline.history.inventory import RecordedOutput, inventory
from pipeline.isolation.machine import this_machine
from pipeline.isolation.policy import Advice, Isolation, Role
from pipeline.isolation.process import ConfinedProcess
from pipeline.publication.layout import RECORD, RESERVED, RUNS, is_output_name
from pipeline.publication.receipt import Receipt
from pipeline.report.table import PARQUET, ReportError
from pipeline.report.untrusted import READING, ReportedOutput, report_bytes, reported_outputs
from pipeline.storage.canonical_json import sha256_of
from transforms.errors import MigrationError
from transforms.records.outcome import DEFAULT_ATOL, DEFAULT_RTOL
from transforms.records.signature import NO_SIGNATURE
from transforms.saved_model.file_names import GRAPH

_REPLAY = "pipeline.audit.replay:replay_samples"
_ADVICE = Advice(crash="Verify again; if it happens again, migrate the model anew, and report it.")


@dataclass(frozen=True)
class VerifyRequest:
    """The arguments of `verify`.

    Attributes:
        target: an output folder, or a report (the file or its folder).
        run_samples: whether to run the samples kept with each output, which needs TensorFlow.
        keys: public keys (hex), one of which must have signed every run record; none asks for no signature.
        output: where the output of a report lies now, None where the report says.
        fresh: what is expected of the newest record.
        reading: limits of the child that reads a report.
    """

    target: Path
    run_samples: bool = True
    keys: tuple[str, ...] = ()
    output: Path | None = None
    fresh: Freshness = field(default_factory=Freshness)
    reading: Isolation = READING


def verify(
    request: VerifyRequest,
    notice: Callable[[OutputState], None] = lambda output: None,
    parser: ConfinedParser | None = None,
) -> AuditResult:
    """Verifies an output folder, or what a report lists.

    Args:
        request: what is to be verified.
        notice: called with each output as it is done.
        parser: parses what is read, and stays open; None starts one for this call.

    Raises:
        ReportError: there is nothing to verify, or the report cannot be read.
    """
    request = replace(request, target=request.target.resolve())
    with contextlib.closing(ConfinedParser()) if parser is None else contextlib.nullcontext(parser) as parser:
        return _verified(request, notice, parser)


def _verified(request: VerifyRequest, notice: Callable[[OutputState], None], parser: ConfinedParser) -> AuditResult:
    target = request.target
    is_report = target.is_file() or ((target / PARQUET).is_file() and not (target / RESERVED).is_dir())
    found, checks = (_report_frame if is_report else _folder_frame)(request, parser)
    now = datetime.now(UTC)
    stale = tuple(check_freshness(found.newest, request.fresh, now))
    ahead = clock_note(found.newest, now)
    outputs = tuple(_examined(checks, request, parser, notice))
    if not outputs and not found.findings and not found.runs:
        raise ReportError(f"{target} holds no published model.")
    notes = (*found.notes, *([ahead] if ahead else ()))
    return replace(found, outputs=outputs, findings=(*found.findings, *stale), notes=notes)


@dataclass(frozen=True)
class _Check:
    """One output to look at: where it lies, how it is named, and what is known of it.

    Attributes:
        root: no folder between it and the output's files may be a link.
    """

    folder: Path
    path: str
    expected: Expectation
    root: Path


def _folder_frame(request: VerifyRequest, parser: ConfinedParser) -> tuple[AuditResult, list[_Check]]:
    """What is found in an output folder besides the outputs, and the outputs to look at."""
    root = request.target
    tree = read_tree(root)
    history = read_history(root, request.keys, parser)
    findings = [*tree.findings, *history.findings]
    for folder in tree.runs:
        run, wrong = check_run_folder(folder, root, request.keys, parser, in_history=False)
        findings += wrong
        if run is not None and history.kept and run.record.reference.sha256 not in history.known:
            path = relative_path(folder / RECORD, root)
            findings.append(Finding(Kind.UNRECORDED, path, "is not the record of any run in the output's history"))
    here = {relative_path(folder, root) for folder in tree.outputs}
    for name, recorded in sorted(history.recorded.items()):
        if recorded.demanded and name not in here:
            findings.append(Finding(Kind.MISSING, name, f"is missing: run {recorded.run_id} published it"))
    checks = []
    for folder in tree.outputs:
        path = relative_path(folder, root)
        expected = Expectation(
            name=path.removeprefix("."),
            recorded=history.recorded.get(path),
            signed=bool(request.keys),
            required=history.kept or bool(request.keys),
            at_work=history.at_work,
        )
        checks.append(_Check(folder, path, expected, root))
    notes = (*history.notes, *tree.notes)
    return AuditResult((), tuple(findings), notes, len(history.records), history.newest), checks


def _report_frame(request: VerifyRequest, parser: ConfinedParser) -> tuple[AuditResult, list[_Check]]:
    """What is wrong with a report itself, and the outputs that it lists."""
    folder = request.target if request.target.is_dir() else request.target.parent
    file = request.target / PARQUET if request.target.is_dir() else request.target
    run: StoredRun | None = None
    findings: list[Finding] = []
    notes: list[str] = []
    if os.path.lexists(folder / RECORD):
        run, findings = check_run_folder(folder, folder, request.keys, parser, in_history=_in_history(folder))
    elif request.keys:
        findings = [Finding(Kind.UNSIGNED, RECORD, "is missing: no signed run vouches for this report")]
    else:
        notes = [f"There is no {RECORD} beside the report: nothing vouches for it."]
    counted = run if run is not None and (run.signed_by or not request.keys) else None
    newest = None if counted is None else counted.summary
    try:
        data = report_bytes(file)
        findings += _about_report(file.name, data, run)
        rows = reported_outputs(data, request.reading)
    except ReportError:
        if not findings:
            raise
        return AuditResult((), tuple(findings), tuple(notes), runs=1, newest=newest), []
    checks, foreign = _reported_checks(rows, counted, request, _output_around(folder, run))
    if checks and request.output is None and not any(os.path.lexists(check.folder) for check in checks):
        notes.append("No output is where the report says: if it was moved, say where with --output.")
    return AuditResult((), (*findings, *foreign), tuple(notes), int(run is not None), newest), checks


def _about_report(name: str, data: bytes, run: StoredRun | None) -> list[Finding]:
    """Whether the very bytes that are going to be read are those of which the record tells."""
    listed = None if run is None else run.record.report_files.get(name)
    if run is None or (listed is not None and listed.sha256 == sha256_of(data)):
        return []
    return [Finding(Kind.ALTERED, name, f"is not the report of run {run.record.run_id}")]


def _reported_checks(
    rows: Iterable[ReportedOutput], run: StoredRun | None, request: VerifyRequest, around: Path | None
) -> tuple[list[_Check], list[Finding]]:
    moved = request.output or around
    known = inventory(None if run is None else run.record)
    checks, findings = [], []
    for row in rows:
        name = f"{row.model}/{row.version}"
        if not is_output_name(name):
            findings.append(Finding(Kind.FOREIGN, name, "is no name of a model"))
            continue
        recorded = known.get(name)
        if recorded is None and not request.keys:
            recorded = RecordedOutput(row.receipt_sha256, row.output_sha256, row.run_id, "", demanded=True)
        elif recorded is not None and row.output_sha256 != recorded.output_sha256:
            findings.append(Finding(Kind.ALTERED, PARQUET, f"tells of another {name} than the run's record"))
        root = moved.absolute() if moved else Path(row.output)
        place = root / name if moved else root
        expected = Expectation(name, recorded, bool(request.keys), bool(request.keys))
        checks.append(_Check(place, name if moved else str(place), expected, root))
    return checks, findings


def _in_history(folder: Path) -> bool:
    return folder.parent.name == RUNS and folder.parents[1].name == RESERVED


def _output_around(folder: Path, run: StoredRun | None) -> Path | None:
    """The output that a report lies in, wherever that was moved to; None for a report that lies elsewhere."""
    if _in_history(folder):
        return folder.parents[2]
    record = None if run is None else run.record
    if record is not None and record.report and Path(record.report).is_relative_to(record.output):
        inner = Path(record.report).relative_to(record.output)
        around = Path(*folder.parts[: len(folder.parts) - len(inner.parts)])
        return around if around / inner == folder else None
    return None


def _examined(
    checks: Iterable[_Check], request: VerifyRequest, parser: ConfinedParser, notice: Callable[[OutputState], None]
) -> Iterator[OutputState]:
    """Hashes the outputs on all cores, and runs the samples of the sound ones in one child."""
    child = ConfinedProcess(Isolation(preload=("tensorflow",), role=Role.REPLAYING, advice=_ADVICE))
    hashed = ThreadPoolExecutor(this_machine().cpus, thread_name_prefix="hash")
    try:
        pending = [
            (each, hashed.submit(partial(check_output, each.folder, each.path, each.expected, each.root, parser)))
            for each in checks
        ]
        for check, result in pending:
            checked: CheckedOutput = result.result()
            state = _state(check, checked)
            if request.run_samples and checked.receipt is not None and not checked.findings:
                state = replay(check.folder, state, checked.receipt, child, believed=check.expected.signed)
            notice(state)
            yield state
    finally:
        hashed.shutdown(cancel_futures=True)
        child.close()


def _state(check: _Check, checked: CheckedOutput) -> OutputState:
    """With the signature that the receipt states, if there are no findings."""
    known = checked.receipt if not checked.findings else None
    signature = NO_SIGNATURE if known is None else known.signature
    return OutputState(check.path, checked.findings, signature=signature)


def replay(
    folder: Path, state: OutputState, receipt: Receipt, child: ConfinedProcess, *, believed: bool = False
) -> OutputState:
    """Runs the samples stored with an output again, in the child.

    Args:
        folder: the output.
        state: of it so far.
        receipt: of it.
        child: runs them.
        believed: whether a signed record vouches for the receipt: else its tolerances count only as far as they are
            no wider than the default.
    """
    key = receipt.key
    rtol, atol = (key.rtol, key.atol) if believed else (min(key.rtol, DEFAULT_RTOL), min(key.atol, DEFAULT_ATOL))
    custom_code = bool(key.custom_objects_sha256 or key.architecture_sha256)
    graph = next((file.sha256 for file in receipt.files if file.path == GRAPH), "")
    try:
        problems, error = child.call(_REPLAY, folder, graph, rtol, atol, custom_code, returns=tuple[list[str], float])
    except MigrationError as refusal:
        problems, error = [str(refusal)], float("nan")
    drift = tuple(Finding(Kind.DRIFT, state.path, str(problem)) for problem in problems)
    return replace(state, findings=drift, replayed=True, max_abs_error=float(error))
