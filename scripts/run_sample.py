"""Runs the sample manifest and says whether it ended as it should: all rows published but the one that is refused."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from pipeline.run.exit_status import ExitStatus

ROOT = Path(__file__).parents[1]
#: The row that is there to be refused, and why.
EXPECTED = {"tabular/noisy": "unsafe_lambda"}


def main() -> int:
    """Returns 0 when the refusals are the expected ones, else the program's own exit status, or 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "out/sample")
    output = parser.parse_args().output.absolute()
    manifest, report = ROOT / "manifests/sample.csv", output / "report"
    command = [sys.executable, "-m", "pipeline", "migrate", manifest, "--output", output, "--report", report]
    status = subprocess.run(command, cwd=ROOT).returncode
    if status != ExitStatus.SOME_NOT:
        expected = int(ExitStatus.SOME_NOT)
        print(f"The sample ended with exit status {status}; {expected} was expected, for its one refused row.")
        return status or 1
    frame = pd.read_parquet(report / "report.parquet")
    stopped = frame[~frame["status"].isin(("migrated", "unchanged"))]
    found = dict(zip(stopped["model"], stopped["reason"], strict=True))
    if found != EXPECTED:
        print(f"Not as expected: {found} instead of {EXPECTED}.")
        return 1
    for model, reason in EXPECTED.items():
        print(
            f"The one refusal is expected: {model} ({reason}) draws random numbers, and is there to show what happens."
        )
    print(f"{len(frame) - len(found)} models are in {_named(output)}; the report is {_named(report / 'report.html')}")
    return 0


def _named(path: Path) -> str:
    """As seen from the working folder, where it lies below it."""
    return str(path.relative_to(os.getcwd()) if path.is_relative_to(os.getcwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
