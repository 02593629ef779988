from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.isolation.record_types import check_fields
from transforms.errors import MigrationError, Reason
from transforms.inspection.inspect import Inspection, LayerSummary
from transforms.records.input_domain import InputDomain
from transforms.records.outcome import MigrationOutcome, MigrationRequest, Rewrite, Status
from transforms.records.runtime import Family
from transforms.records.staged_model import Answer, Answers, Feed, Oracle, PlainArray, Question, StagedModel

OUTCOME = MigrationOutcome(Status.MIGRATED, rewrites=(Rewrite("a", "b"),), warnings=("c",), max_abs_error=0)
INSPECTION = Inspection("", 1, "", "", Family.KERAS, "", 2, (LayerSummary("", "", 0),), (), (), ())
ARRAY = PlainArray("float32", (1,), b"abcd")
SOUND = [
    OUTCOME,
    INSPECTION,
    ARRAY,
    StagedModel(OUTCOME, (InputDomain(3, 0.0), InputDomain()), ("x",), ("y",)),
    Question(Oracle.REFERENCE, (Feed((ARRAY,), ""),)),
    Answers((Answer(None, "why"), Answer((ARRAY,)))),
    MigrationRequest("m", Path("/a"), Path("/b"), samples=Path("/c")),
    MigrationError(Reason.TIMEOUT, "m", layer=("a",)),
    7,
    None,
]
UNSOUND = [
    replace(OUTCOME, parameters="many"),
    replace(OUTCOME, parameters=True),
    replace(OUTCOME, max_abs_error=None),
    replace(OUTCOME, warnings=["a list"]),
    replace(OUTCOME, warnings=("a", 7)),
    replace(OUTCOME, rewrites=(Rewrite("a", 7),)),
    replace(OUTCOME, rewrites=("text",)),
    replace(OUTCOME, status="migrated"),
    replace(OUTCOME, reason="timeout"),
    replace(INSPECTION, fingerprint=None),
    replace(INSPECTION, layers=(OUTCOME,)),
    StagedModel(None, (), (), ()),
    StagedModel(OUTCOME, (InputDomain("3"),), (), ()),
    Answers((Answer((b"bytes",)),)),
    Answers((ARRAY,)),
    MigrationError("timeout", "m"),
    MigrationError(Reason.TIMEOUT, None),
    MigrationError(Reason.TIMEOUT, "m", layer=(1,)),
]


@pytest.mark.parametrize("record", SOUND, ids=lambda record: type(record).__name__)
def test_sound(record):
    check_fields(record)


@pytest.mark.parametrize("record", UNSOUND, ids=lambda record: type(record).__name__)
def test_unsound(record):
    with pytest.raises(TypeError):
        check_fields(record)
