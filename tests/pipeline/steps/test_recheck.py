"""A second conversion by fresh processes must give the same files on the same evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.publication.receipt import PublishedFile
from pipeline.settings import MigrateSettings
from pipeline.steps.recheck import SecondConversion, is_rechecked, refuse_other_files
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import Evidence, MigrationOutcome, Status

FILES = (PublishedFile("saved_model.pb", 5, "a" * 64), PublishedFile("variables/variables.index", 5, "b" * 64))
OUTCOME = MigrationOutcome(Status.MIGRATED, evidence=Evidence.REFERENCE)


def test_the_same_again_is_accepted() -> None:
    refuse_other_files(FILES, OUTCOME, SecondConversion(replace(OUTCOME, seconds=3.0), FILES[::-1]))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            SecondConversion(OUTCOME, (FILES[0], replace(FILES[1], sha256="c" * 64))),
            "another variables/variables.index",
        ),
        (SecondConversion(OUTCOME, FILES[:1]), "another variables/variables.index"),
        (SecondConversion(OUTCOME, (*FILES, replace(FILES[0], path="more"))), "another more"),
        (SecondConversion(replace(OUTCOME, evidence=Evidence.REBUILT), FILES), "'rebuilt' in place of 'reference'"),
        (SecondConversion(replace(OUTCOME, status=Status.MISMATCH, message="They differ."), ()), "They differ"),
    ],
)
def test_anything_else_is_refused(second: SecondConversion, said: str) -> None:
    with pytest.raises(MigrationError, match=said) as caught:
        refuse_other_files(FILES, OUTCOME, second)
    assert caught.value.reason is Reason.INTERNAL_ERROR


@pytest.mark.parametrize(("every", "share"), [(0, 0.0), (1, 1.0), (10, 0.1)])
def test_one_row_in_so_many(every: int, share: float) -> None:
    settings = MigrateSettings("out", "run", recheck_every=every)
    found = [is_rechecked(f"model-{number}", settings) for number in range(1000)]
    assert sum(found) == pytest.approx(1000 * share, abs=40)
    assert found == [is_rechecked(f"model-{number}", settings) for number in range(1000)]
