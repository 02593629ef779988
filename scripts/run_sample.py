"""Runs the sample manifest and says whether it ended as it should: all rows published but the one that is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd

from pipeline.run.exit_status import ExitStatus

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "out/sample"
REPORT = OUTPUT / "report"
#: The row that is there to be refused, and why.
EXPECTED = {"tabular/noisy": "unsafe_lambda"}


def main() -> int:
    """Returns 0 when the refusals are the expected ones, else the program's own exit status, or 1."""
    manifest = ROOT / "manifests/sample.csv"
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "migrate",
        str(manifest),
        "--output",
        str(OUTPUT),
        "--report",
        str(REPORT),
    ]
    status = subprocess.run([*command, *sys.argv[1:]], cwd=ROOT).returncode
    if status != ExitStatus.SOME_NOT:
        expected = int(ExitStatus.SOME_NOT)
        print(f"The sample ended with exit status {status}; {expected} was expected, for its one refused row.")
        return status or 1
    frame = pd.read_parquet(REPORT / "report.parquet")
    stopped = frame[~frame["status"].isin(("migrated", "unchanged"))]
    found = dict(zip(stopped["model"], stopped["reason"], strict=True))
    if found != EXPECTED:
        print(f"Not as expected: {found} instead of {EXPECTED}.")
        return 1
    for model, reason in EXPECTED.items():
        print(
            f"The one refusal is expected: {model} ({reason}) draws random numbers, and is there to show what happens."
        )
    output, page = OUTPUT.relative_to(ROOT), (REPORT / "report.html").relative_to(ROOT)
    print(f"{len(frame) - len(found)} models are in {output}; the report is {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
