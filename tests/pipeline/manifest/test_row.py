import json
import math
import re
from pathlib import Path

import pytest

from pipeline.manifest.row import COLUMNS, COMMENT, parse_row
from pipeline.storage.paths import resolve_path

GOOD = {"model": "text/sentiment", "source": "a.h5"}
SCHEMA = Path(__file__).parents[3] / "manifests/schema.json"


@pytest.mark.parametrize(
    "fields, attribute, value",
    [
        ({}, "version", 1),
        ({"version": ""}, "version", 1),
        ({"version": None}, "version", 1),
        ({"version": math.nan}, "version", 1),
        ({"version": "3"}, "version", 3),
        ({"version": 3}, "version", 3),
        ({"version": 3.0}, "version", 3),
        ({"version": "003"}, "version", 3),
        ({"version": "3.0"}, "version", 3),
        ({"model": " spaced "}, "model", "spaced"),
        ({"model": "A.b_c-d/0"}, "model", "A.b_c-d/0"),
        ({"source": "../x.h5"}, "source", "/x.h5"),
        ({"source": "/abs/x.h5"}, "source", "/abs/x.h5"),
        ({"source": "gs://b/x.h5"}, "source", "gs://b/x.h5"),
        ({"samples": "x.npz"}, "samples", "/registry/x.npz"),
        ({"samples": ""}, "samples", ""),
        ({"backend": "theano"}, "backend", "theano"),
        ({"outputs": "z_mean"}, "output_layers", ("z_mean",)),
        ({"outputs": "a; b/c ;d"}, "output_layers", ("a", "b/c", "d")),
        ({"outputs": ""}, "output_layers", ()),
        ({"constants": '{"a": {"SCALE": 2.5}}'}, "constants", '{"a": {"SCALE": 2.5}}'),
        ({"constants": {"a/b": {"N": [1, 2]}}}, "constants", '{"a/b": {"N": [1, 2]}}'),
        ({"constants": "{}"}, "constants", ""),
        ({"sha256": "AB" * 32}, "sha256", "ab" * 32),
        ({"rtol": "1e-3"}, "rtol", 1e-3),
        ({"atol": 0}, "atol", 0.0),
        ({"owner": "somebody"}, "reason", ""),
    ],
)
def test_good_values(fields, attribute, value):
    row = parse_row(2, GOOD | fields, "/registry")
    assert row.reason == "", row.message
    assert getattr(row, attribute) == value


@pytest.mark.parametrize(
    "column, value",
    [
        *(("model", name) for name in ["", "/a", "a/", "a//b", "a/../b", ".", "..", "a/.", ".a", "a b", "ä", "=1+1"]),
        *(
            ("model", name)
            for name in [
                "a\n",
                "a\0",
                "-a",
                "_h5ferry",
                "_h5ferry/x",
                "_H5FERRY",
                "_H5Ferry/x",
                "a" * 256,
                "\udcff",
                7,
                ["a"],
            ]
        ),
        *(("source", value) for value in ["", "a\0b", 3, "\udc80"]),
        *(("version", value) for value in ["0", "-1", "1.5", "one", "1e3", True, 1.5, "9" * 30, "²"]),
        ("backend", "torch"),
        *(("outputs", value) for value in [";", "a;", "a;;b", "a;a", 3]),
        *(("constants", value) for value in ["[]", "{", '{"a": 1}', '{"a": {"b c": 1}}', '{"ä": {"": 1}}', 3]),
        ("backend", "Theano"),
        ("sha256", "ab"),
        ("sha256", "g" * 64),
        *((column, value) for column in ("rtol", "atol") for value in ["-1", "nan", "inf", "x", True]),
        ("samples", 5),
    ],
)
def test_bad_value_names_line_and_column(column, value):
    row = parse_row(7, GOOD | {column: value}, "/registry")
    assert row.reason == "invalid_row"
    assert "line 7" in row.message and f"column {column}" in row.message
    row.model.encode(), row.source.encode(), row.message.encode("ascii")


def test_surplus_fields_are_refused():
    assert parse_row(2, GOOD | {None: ["x"]}, "/registry").reason == "invalid_row"


@pytest.mark.parametrize(
    "base, path, expected",
    [
        ("/m", "a/b.h5", "/m/a/b.h5"),
        ("/m/n", "../b.h5", "/m/b.h5"),
        ("gs://bucket/m", "b.h5", "gs://bucket/m/b.h5"),
        ("gs://bucket/m", "../b.h5", "gs://bucket/b.h5"),
        ("gs://bucket/m", "/local.h5", "/local.h5"),
        ("/m", "s3://x/b.h5", "s3://x/b.h5"),
    ],
)
def test_resolve_path(base, path, expected):
    assert resolve_path(base, path) == expected


def test_schema_says_the_same():
    schema = json.loads(SCHEMA.read_text())["properties"]
    assert list(schema) == [*COLUMNS, COMMENT]
    for name in ["a", "a/b", "a.b-c_d", ".a", "a//b", "-a", "a b", "", "a/"]:
        accepted = parse_row(1, GOOD | {"model": name}, "/").reason == ""
        assert bool(re.search(schema["model"]["pattern"], name)) == accepted, name
    assert schema["version"]["minimum"] == 1
