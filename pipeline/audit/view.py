"""Text and JSON output of a verification."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from pipeline.audit.findings import AuditResult, Finding, NewestRun, OutputState
from pipeline.printable import printable
from pipeline.storage.canonical_json import plain_json


def output_lines(console: Console, *, verbose: bool = False) -> Callable[[OutputState], None]:
    """Prints one line for each output that differs, when it is done, and one for each finding about it.

    Args:
        console: what is written to.
        verbose: print a line for each other output as well.
    """

    def show(output: OutputState) -> None:
        if not output.findings and not verbose:
            return
        _line(console, f"{'FAIL' if output.findings else 'ok':<5} {output.path}", bool(output.findings))
        for finding in output.findings:
            place = finding.path.removeprefix(output.path).removeprefix("/")
            _line(console, f"      {place} {finding.message}" if place else f"      {finding.message}", True)

    return show


def print_verification(console: Console, found: AuditResult) -> None:
    """Prints findings outside the outputs, notes, and the totals."""
    for finding in found.findings:
        _line(console, f"{'FAIL':<5} {finding.path} {finding.message}", True)
    for note in found.notes:
        _line(console, f"note  {note}", False)
    if len(found.outputs) == 1:
        signature = found.outputs[0].signature
        for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
            for tensor in tensors:
                _line(console, f"{kind:<6} {tensor}", False)
    sound = sum(not output.findings for output in found.outputs)
    replayed = sum(output.replayed for output in found.outputs)
    samples = f"; the samples of {replayed} were run" if replayed else ""
    console.print(f"{sound} of {len(found.outputs)} outputs are as published{samples}.")
    if found.newest is not None:
        _line(console, _newest(found.newest), False)
    if found.runs:
        console.print(f"{found.runs} run {'record was' if found.runs == 1 else 'records were'} checked.")
    if found.findings:
        console.print(f"{len(found.findings)} more found wrong.")


def as_json(found: AuditResult) -> str:
    """The result as one JSON object."""
    content: dict[str, Any] = {
        "sound": found.sound,
        "runs": found.runs,
        "newest": None if found.newest is None else asdict(found.newest),
        "outputs": [
            {
                "path": output.path,
                "sound": not output.findings,
                "replayed": output.replayed,
                "max_abs_error": output.max_abs_error,
                "signature": asdict(output.signature),
                "findings": [_plain(finding) for finding in output.findings],
            }
            for output in found.outputs
        ],
        "findings": [_plain(finding) for finding in found.findings],
        "notes": list(found.notes),
    }
    return json.dumps(plain_json(content), indent=1, allow_nan=False)


def _newest(run: NewestRun) -> str:
    what = "Newest signed record" if run.signed_by else "Newest record, whose signature was not checked"
    places = f"from {run.manifest} into {run.output}"
    return f"{what}: run {run.run_id}, ended {run.finished_at}, {places}, SHA-256 {run.sha256}."


def _plain(finding: Finding) -> dict[str, str]:
    return {"kind": finding.kind.value, "path": finding.path, "message": finding.message}


def _line(console: Console, text: str, wrong: bool) -> None:
    console.print(Text(printable(text), style="red" if wrong else ""), soft_wrap=True)
