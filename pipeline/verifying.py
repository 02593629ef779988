"""`h5ferry verify`: is what lies in the output still what was published, and does it still answer as it did?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pipeline.isolation import Child, Isolation
from pipeline.receipts import RECEIPT, Receipt, list_files, read_receipt
from pipeline.report import PARQUET, ReportError, read_report
from pipeline.terminal import printable
from transforms.errors import MigrationError
from transforms.outcome import Status

_REPLAY = "pipeline.replaying:replay_samples"
_PUBLISHED = (Status.MIGRATED.value, Status.UNCHANGED.value)


def verify_outputs(target: Path, *, run_samples: bool) -> bool:
    """Verifies all outputs below a folder, or all that a report lists, and prints one line for each.

    Returns:
        True when all are sound.

    Raises:
        ReportError: there is nothing to verify.
    """
    console = Console(highlight=False)
    child = Child(Isolation(preload=("tensorflow",)))
    outputs = list(published_outputs(target))
    if not outputs:
        raise ReportError(f"{target} holds no published model.")
    unsound = 0
    try:
        for output in outputs:
            problems = damage(output)
            if not problems and run_samples:
                problems = replay_problems(output, child)
            unsound += bool(problems)
            console.print(Text(printable(f"{'FAIL' if problems else 'ok':<5} {output}")), soft_wrap=True)
            for problem in problems:
                console.print(Text(printable(f"      {problem}")), soft_wrap=True)
    finally:
        child.close()
    console.print(f"{len(outputs) - unsound} of {len(outputs)} outputs are as published.")
    return unsound == 0


def published_outputs(target: Path) -> Iterator[Path]:
    """The output folders that a report lists or, in a folder, all that have a receipt."""
    if target.is_file() or (target / PARQUET).is_file():
        frame = read_report(str(target))
        for row in frame[frame["status"].isin(_PUBLISHED)].itertuples():
            yield Path(str(row.output))
        return
    for parent, folders, _ in os.walk(target):
        folders.sort()
        if Path(parent, RECEIPT).is_file():
            folders.clear()
            yield Path(parent).absolute()


def damage(output: Path) -> list[str]:
    """How an output differs from its receipt: a sentence for each file."""
    receipt = read_receipt(output)
    if receipt is None:
        return ["has no readable receipt (assets.extra/h5ferry.json): migrate it again"]
    try:
        found = {file.path: file for file in list_files(output)}
    except (OSError, MigrationError) as error:
        return [f"cannot be read: {error}"]
    listed = {file.path: file for file in receipt.files}
    return [
        *(f"{path} is missing" for path in listed if path not in found),
        *(f"{path} was changed" for path in listed if path in found and found[path] != listed[path]),
        *(f"{path} was added" for path in found if path not in listed),
    ]


def replay_problems(output: Path, child: Child) -> list[str]:
    """What the samples kept with an output show when they are run again."""
    receipt = read_receipt(output)
    if receipt is None:
        return ["has no readable receipt"]
    try:
        problems = child.call(_REPLAY, str(output), *_tolerance(receipt))
    except MigrationError as error:
        return [str(error)]
    return [str(problem) for problem in problems]


def _tolerance(receipt: Receipt) -> tuple[float, float]:
    return receipt.key.rtol, receipt.key.atol
