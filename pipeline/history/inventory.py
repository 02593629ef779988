"""What the newest record of an output vouches for: what its run published or found, and what it carried over."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.history.record import FINISHED, EarlierRun, RunRecord
from pipeline.storage.paths import is_remote


@dataclass(frozen=True)
class RecordedOutput:
    """One output as a record knows it.

    Attributes:
        receipt_sha256: of its receipt.
        output_sha256: digest of the whole output.
        run_id, finished_at: of the newest run that published or found it.
        demanded: whether it must be there.
    """

    receipt_sha256: str
    output_sha256: str
    run_id: str
    finished_at: str
    demanded: bool


def inventory(record: RunRecord | None) -> Mapping[str, RecordedOutput]:
    """What a record vouches for, by "<model>/<version>"."""
    return {
        name: RecordedOutput(digest, run.outputs.get(name, ""), run.run_id, run.finished_at, run.demanded)
        for run in reversed(() if record is None else (_as_earlier(record), *record.earlier))
        for name, digest in run.receipts.items()
    }


def carried_over(previous: RunRecord | None, record: RunRecord, rows: Collection[str]) -> tuple[EarlierRun, ...]:
    """What a record takes over from the one before, so that the newest alone tells of the whole output.

    That is all but what the run itself published or found. What a whole run over the same manifest has no row for any
    more need not be there; once it is gone, it is forgotten.

    Args:
        previous: the newest record before.
        record: of the run that ends.
        rows: "<model>/<version>" of each row of its manifest.
    """
    runs = () if previous is None else (_as_earlier(previous), *previous.earlier)
    return tuple(kept for run in runs for kept in _kept(run, record, rows) if kept.receipts)


def _kept(run: EarlierRun, record: RunRecord, rows: Collection[str]) -> Iterator[EarlierRun]:
    left = run.receipts.keys() - record.receipts.keys()
    settled = record.state == FINISHED and run.manifest == record.manifest.get("path")
    withdrawn = left - set(rows) if settled else set()
    if run.demanded:
        yield _only(run, left - withdrawn)
        yield _only(replace(run, demanded=False), {name for name in withdrawn if _may_be_there(record.output, name)})
    else:
        yield _only(run, {name for name in left if _may_be_there(record.output, name)})


def _only(run: EarlierRun, names: Collection[str]) -> EarlierRun:
    receipts = {name: digest for name, digest in run.receipts.items() if name in names}
    return replace(run, receipts=receipts, outputs={name: run.outputs.get(name, "") for name in receipts})


def _may_be_there(output: str, name: str) -> bool:
    return is_remote(output) or os.path.lexists(f"{output}/{name}")


def _as_earlier(record: RunRecord) -> EarlierRun:
    path = str(record.manifest.get("path", ""))
    return EarlierRun(record.run_id, record.finished_at, path, True, record.receipts, record.outputs)
