"""`h5ferry diff`: differences between two reports, and which of them are for the worse."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.storage.canonical_json import plain_json
from transforms.records.outcome import DEFAULT_ATOL, EVIDENCE_ORDER, PUBLISHED, Evidence, Status

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_FACTOR = 10.0
_KEY = ("model", "version")
#: Higher is better: a refusal is a result; a failure or a mismatch is not.
_RANK: Mapping[str, int] = {Status.MIGRATED: 2, Status.UNCHANGED: 2, Status.REFUSED: 1}
#: Errors below this share of the row's atol count as equal: rounding noise.
_NOISE = 1e-3
#: Columns whose change is neutral; those not listed (times, run ids) differ in every run.
_NEUTRAL = ("reason", "source_sha256", "output_sha256", "architecture", "assumptions")


class Verdict(StrEnum):
    """The significance of a change."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        model, version: the row.
        what: `appeared`, `vanished`, or the column that changed.
        old, new: the values, "" for none; the status for a row that appeared or vanished.
        verdict: whether it is for the worse.
    """

    model: str
    version: int
    what: str
    old: str | float
    new: str | float
    verdict: Verdict

    def as_record(self) -> dict[str, Any]:
        """The change as a JSON object."""
        record: dict[str, Any] = plain_json(asdict(self))
        return record


def compare_reports(old: pd.DataFrame, new: pd.DataFrame, factor: float = DEFAULT_FACTOR) -> list[Change]:
    """Compares two reports row by row, in the order of the models' names.

    Worse are: a published row that vanished, or a row that appeared and is not published; a status of lower rank
    (published, refused, mismatch or failed); weaker evidence; a larger tolerance; an error that grew by more than
    `factor`. `migrated` in one and `unchanged` in the other are equal.

    Args:
        old: a report.
        new: the report to judge.
        factor: by which an error must grow or shrink to count. Errors below a thousandth of the row's atol count as a
            thousandth.
    """
    before, after = _by_row(old), _by_row(new)
    changes: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        changes += _row_changes(key[0], key[1], before.get(key), after.get(key), factor)
    return changes


def _by_row(frame: pd.DataFrame) -> dict[tuple[str, int, int], Mapping[str, Any]]:
    """Rows by model, version and, since refused rows may share these, their number within the group."""
    number = frame.groupby(list(_KEY), dropna=False).cumcount()
    records = frame.to_dict("records")
    return {
        (str(row["model"]), int(row["version"]), int(index)): {str(name): value for name, value in row.items()}
        for row, index in zip(records, number, strict=True)
    }


def _row_changes(
    model: str, version: int, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, factor: float
) -> list[Change]:
    if new is None:
        assert old is not None
        verdict = Verdict.WORSE if old["status"] in PUBLISHED else Verdict.CHANGED
        return [Change(model, version, "vanished", str(old["status"]), "", verdict)]
    if old is None:
        verdict = Verdict.CHANGED if new["status"] in PUBLISHED else Verdict.WORSE
        return [Change(model, version, "appeared", "", str(new["status"]), verdict)]
    found: dict[str, Verdict | None] = {"status": _of_status(old["status"], new["status"])}
    if old["status"] in PUBLISHED and new["status"] in PUBLISHED:
        found["evidence"] = _of_order(_evidence(old), _evidence(new))
        found["max_abs_error"] = _of_error(old, new, factor)
        for column in ("rtol", "atol"):
            found[column] = _of_order(-_number(old, column), -_number(new, column))
    for column in _NEUTRAL:
        found[column] = Verdict.CHANGED if _text(old, column) != _text(new, column) else None
    return [
        Change(model, version, column, _value(old, column), _value(new, column), verdict)
        for column, verdict in found.items()
        if verdict is not None and column in old and column in new
    ]


def _of_status(old: str, new: str) -> Verdict | None:
    if old == new or (old in PUBLISHED and new in PUBLISHED):
        return None
    return _of_order(_RANK.get(old, 0), _RANK.get(new, 0)) or Verdict.CHANGED


def _of_order(old: float, new: float) -> Verdict | None:
    """The status's rank; higher is better."""
    if old == new or math.isnan(old) or math.isnan(new):
        return None
    return Verdict.WORSE if new < old else Verdict.BETTER


def _of_error(old: Mapping[str, Any], new: Mapping[str, Any], factor: float) -> Verdict | None:
    before, after = _number(old, "max_abs_error"), _number(new, "max_abs_error")
    if math.isnan(before) or math.isnan(after):
        gone, came = math.isnan(after) and not math.isnan(before), math.isnan(before) and not math.isnan(after)
        return Verdict.WORSE if gone else Verdict.BETTER if came else None
    tolerance = _number(new, "atol")
    noise = _NOISE * (DEFAULT_ATOL if math.isnan(tolerance) else tolerance)
    before, after = max(before, noise), max(after, noise)
    if after > before * factor:
        return Verdict.WORSE
    return Verdict.BETTER if before > after * factor else None


def _evidence(row: Mapping[str, Any]) -> float:
    value = _text(row, "evidence")
    return EVIDENCE_ORDER.index(Evidence(value)) if value in EVIDENCE_ORDER else math.nan


def _number(row: Mapping[str, Any], column: str) -> float:
    value = row.get(column)
    return float(value) if isinstance(value, (int, float)) else math.nan


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if isinstance(value, str):
        return value
    return "; ".join(map(str, value)) if isinstance(value, Iterable) else ""


def _value(row: Mapping[str, Any], column: str) -> str | float:
    value = row.get(column)
    return float(value) if isinstance(value, (int, float)) else _text(row, column)
