import contextlib
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.history.record import FileDigest, RecordError, RunRecord, RunReference, parse_latest, parse_record

RECORD = RunRecord(
    run_id="r1",
    state="finished",
    exit_status=0,
    started_at="2026-01-31T14:25:00+00:00",
    finished_at="2026-01-31T14:26:00+00:00",
    manifest={"path": "/m/ä.csv", "sha256": "a" * 64, "rows": 2},
    output="/out",
    options={"timeout": 600.0, "beam_arguments": []},
    counts={"status": {"migrated": 2}},
    report_files={"report.csv": FileDigest(7, "b" * 64)},
    receipts={"a/b/1": "c" * 64},
    taken_over=("a/b/1",),
    previous=RunReference("r0", "d" * 64),
)


def test_round_trip():
    for record in (RECORD, replace(RECORD, previous=None, report="/elsewhere", signer="ab")):
        assert parse_record(record.to_bytes()) == record


def test_the_text_is_canonical():
    """One record has one text, whatever the order of its parts."""
    shuffled = replace(RECORD, manifest=dict(reversed(RECORD.manifest.items())))
    assert shuffled.to_bytes() == RECORD.to_bytes() == RECORD.to_bytes().decode("ascii").encode()
    assert list(json.loads(RECORD.to_bytes())) == sorted(json.loads(RECORD.to_bytes()))


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_are_finite(number):
    with pytest.raises(ValueError):
        replace(RECORD, options={"timeout": number}).to_bytes()


@settings(deadline=None)
@given(st.integers(0, len(RECORD.to_bytes()) - 1), st.integers(1, 255))
def test_a_changed_byte_changes_the_digest_or_the_form(position, change):
    data = bytearray(RECORD.to_bytes())
    data[position] ^= change
    with contextlib.suppress(RecordError):
        assert parse_record(bytes(data)).reference.sha256 != RECORD.reference.sha256


CONTENT = json.loads(RECORD.to_bytes())


def text_of(content):
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        RECORD.to_bytes() + b" ",
        RECORD.to_bytes().replace(b"\n ", b"\n  ", 1),
        RECORD.to_bytes().replace(b'"run_id": "r1"', b'"run_id": "r0",\n "run_id": "r1"'),
        *(text_of(CONTENT | change) for change in ({"format": 1}, {"surplus": 1}, {"run_id": 1}, {"receipts": []})),
        *(text_of(CONTENT | change) for change in ({"taken_over": [1]}, {"taken_over": None})),
        *(
            text_of(CONTENT | change)
            for change in ({"receipts": {"a": 1}}, {"previous": {}}, {"report_files": {"a": 1}})
        ),
        text_of({name: value for name, value in CONTENT.items() if name != "run_id"}),
    ],
)
def test_what_is_no_record(data):
    with pytest.raises(RecordError):
        parse_record(data)


def test_latest():
    assert parse_latest(RECORD.latest()) == RECORD.reference
    for data in (b"", b"[]", b"{}", b'{"run_id": 1, "run_json_sha256": "a"}'):
        with pytest.raises(RecordError):
            parse_latest(data)
