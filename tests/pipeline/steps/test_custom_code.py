"""The word of a process that ran custom code counts for no more than `rebuilt`, whatever it answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.steps.custom_code import WARNING, without_the_codes_word
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Status

REQUEST = MigrationRequest("m", Path("m.h5"), Path("staged"), custom_objects=Path("code.py"), allow_custom_code=True)
WITH_SAMPLES = replace(REQUEST, samples=Path("samples.npz"))


@pytest.mark.parametrize(
    ("claimed", "request_", "counted"),
    [
        (Evidence.NONE, REQUEST, Evidence.NONE),
        (Evidence.REBUILT, REQUEST, Evidence.REBUILT),
        (Evidence.ASSUMED, REQUEST, Evidence.REBUILT),
        (Evidence.REFERENCE, REQUEST, Evidence.REBUILT),
        (Evidence.REFERENCE, WITH_SAMPLES, Evidence.REBUILT),
        (Evidence.GOLDEN, REQUEST, Evidence.REBUILT),  # nothing golden was given
        (Evidence.GOLDEN, WITH_SAMPLES, Evidence.GOLDEN),
    ],
)
def test_evidence_is_capped(claimed: Evidence, request_: MigrationRequest, counted: Evidence) -> None:
    outcome = MigrationOutcome(Status.MIGRATED, evidence=claimed, warnings=("one",))
    found = without_the_codes_word(outcome, request_, strays=0)
    assert found.evidence is counted
    assert found.warnings == ("one", WARNING)


@settings(deadline=None)
@given(st.lists(st.text(max_size=20)), st.integers(0, 3))
def test_the_warning_cannot_be_suppressed(claimed: list[str], strays: int) -> None:
    outcome = MigrationOutcome(Status.MIGRATED, warnings=tuple(claimed), reference_max_abs_error=1e-9)
    found = without_the_codes_word(outcome, REQUEST, strays)
    assert WARNING in found.warnings[len(claimed) :]
    assert any(f"{strays} processes" in warning for warning in found.warnings[len(claimed) :]) == bool(strays)
    assert found.reference_max_abs_error != found.reference_max_abs_error
