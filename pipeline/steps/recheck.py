"""A second conversion of some rows by fresh processes: it must write the same files on the same evidence.

The expected outputs come from the process that parsed the source. A source that takes it over in one conversion, and
not in another, gives other files.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.publication.receipt import PublishedFile
from pipeline.settings import MigrateSettings
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import MigrationOutcome, Status


@dataclass(frozen=True)
class SecondConversion:
    """Outcome and files of the second conversion; no files unless it is `migrated`."""

    outcome: MigrationOutcome
    files: tuple[PublishedFile, ...]


def is_rechecked(model: str, settings: MigrateSettings) -> bool:
    """Whether a model is among those that are converted twice: the same ones in every run."""
    return settings.recheck_every > 0 and zlib.crc32(model.encode()) % settings.recheck_every == 0


def refuse_other_files(files: Sequence[PublishedFile], outcome: MigrationOutcome, second: SecondConversion) -> None:
    """Raises MigrationError `internal_error` where the second conversion differs from the first."""
    first_files, second_files = ({file.path: file.sha256 for file in each} for each in (files, second.files))
    if second.outcome.status is not Status.MIGRATED:
        what = f"ended as {second.outcome.status.value} ({second.outcome.message})"
    elif second.outcome.evidence is not outcome.evidence:
        what = f"ended with the evidence {second.outcome.evidence.value!r} in place of {outcome.evidence.value!r}"
    elif first_files != second_files:
        differing = [
            path for path in {**first_files, **second_files} if first_files.get(path) != second_files.get(path)
        ]
        what = f"gave another {min(differing)}"
    else:
        return
    raise MigrationError(
        Reason.INTERNAL_ERROR,
        f"A second conversion by fresh processes {what}",
        advice="Do not trust this source before somebody has looked at it, and report the model.",
    )
