import base64
import gzip
import json
import math
import subprocess

import pandas as pd
import pytest

from pipeline.manifest.reader import read_manifest
from pipeline.manifest.row import ManifestRow
from pipeline.report.page_rows import derived, dialect, pack, redo_commands, split_rewrite
from tests.pipeline.many_rows import HOSTILE, frame_of, hostile_rows, many_rows


def unpacked(text):
    return json.loads(gzip.decompress(base64.b64decode(text, validate=True)))


@pytest.mark.parametrize(
    "version, backend, name",
    [
        ("1.2.2", "theano", "Keras 1, theano"),
        ("2.2.4", "tensorflow", "Keras 2"),
        ("2.2.4-tf", "tensorflow", "tf.keras"),
        ("2.15.0", "", "tf.keras"),
        ("3.4.1", "", "Keras 3"),
        ("", "", "not recorded"),
        ("<b>", "tensorflow", "not recorded"),
        ("9" * 5000, "", "not recorded"),
    ],
)
def test_dialect(version, backend, name):
    assert dialect(version, backend) == name


@pytest.mark.parametrize(
    "text, parts",
    [
        ("lstm: cudnn_lstm_to_lstm (of 6: units)", ("lstm", "cudnn_lstm_to_lstm", "of 6: units")),
        ("a/b: mask_dropped", ("a/b", "mask_dropped", "")),
        ("odd: name: mask_dropped (x)", ("odd: name", "mask_dropped", "x")),
        ("nothing of the kind", ("", "", "nothing of the kind")),
    ],
)
def test_split_rewrite(text, parts):
    assert split_rewrite(text) == parts


def redone(tmp_path, row):
    """The manifest rows that the commands leave behind when the shell runs all but the migration."""
    commands = derived(frame_of([row]))["redo"][0].rsplit("\n", 1)[0]
    subprocess.run(["bash", "-ec", commands], cwd=tmp_path, check=True)
    return read_manifest(str(tmp_path / "redo.jsonl")).rows


@pytest.mark.parametrize(
    "source", ["/a b/m.h5", *(f"/{text.replace('//', '')}.h5" for text in HOSTILE if "\0" not in text)]
)
def test_redo_commands_state_the_very_row(tmp_path, source):
    (stopped,) = many_rows(1)
    entry = ManifestRow(
        1, "a/b", source, 3, samples="/x'y.npz", backend="theano", sha256=stopped.outcome.source_sha256, rtol=0.5
    )
    row = type(stopped)(**{**vars(stopped), "manifest_row": entry.as_entry()})
    assert redone(tmp_path, row) == (entry,)


def test_redo_commands_hold_the_source_to_its_digest():
    row = {"reason": "", "source_sha256": "ab", "manifest_row": '{"model": "m", "custom_objects": "/c.py"}'}
    commands = redo_commands(row)
    assert '"sha256": "ab"' in commands and commands.endswith("--allow-custom-code")
    assert '"sha256"' not in redo_commands({**row, "reason": "digest_mismatch"})
    assert redo_commands({**row, "reason": "invalid_row"}) == ""


@pytest.mark.parametrize("recorded", ["", "[1]", "{", "null"])
def test_redo_commands_say_what_an_older_report_does_not_hold(recorded):
    frame = frame_of(many_rows(1)).assign(manifest_row=recorded)
    commands = derived(frame)["redo"][0]
    assert commands.startswith("# samples") and frame["source"][0] in commands


def test_packed_rows_are_the_reports(tmp_path):
    frame = frame_of(many_rows(20)).assign(extra=[{"a": [1, math.inf, None]}] * 20, flag=[True] * 20)
    content = unpacked(pack(derived(frame), {"status": {}}))
    columns = content["columns"]
    assert set(frame.columns) < set(columns)
    row = dict(zip(columns, content["rows"][0], strict=True))
    assert row["model"] == frame["model"][0] and row["extra"] == {"a": [1, "inf", None]} and row["flag"] is True
    assert row["finished_at"] == "2026-01-31 14:25:02 UTC"
    assert [len(rewrite) for rewrite in row["rewrites"]] == [3] * len(frame["rewrites"][0])
    assert row["reference_max_abs_error"] is None


def test_packed_texts_are_printable():
    content = unpacked(pack(derived(frame_of(hostile_rows())), {}))

    def texts(value):
        if isinstance(value, str):
            yield from value.split("\n")
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)

    assert all(text.isprintable() for text in texts(content["rows"]))


def test_a_report_of_another_version_is_completed():
    frame = derived(pd.DataFrame({"model": ["m"], "version": [1], "status": ["migrated"]}))
    assert frame["source"][0] == "" and math.isnan(frame["tolerance_used"][0]) and frame["dialect"][0] == "not recorded"
