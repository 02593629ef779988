import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.reader import ManifestError, case_clashes, read_manifest, refuse_duplicates
from pipeline.manifest.row import ManifestRow


def row(line, model, version=1):
    return ManifestRow(line, model, "/a.h5", version)


def reasons(rows):
    return {each.line: each.reason for each in rows}


@pytest.mark.parametrize(
    "outputs, refused",
    [
        ([("a", 1), ("b", 1)], []),
        ([("a", 1), ("a", 2)], []),
        ([("a", 1), ("a", 1)], [0, 1]),
        ([("a", 1), ("a", 1), ("a", 1), ("b", 1)], [0, 1, 2]),
        ([("a", 1), ("a/1", 1)], [0, 1]),
        ([("a/1/b/c", 4), ("x", 1), ("a", 1)], [0, 2]),
        ([("a", 2), ("a/1", 1)], [0, 1]),
        ([("a/10", 1), ("b", 1), ("a", 1)], [0, 2]),
        ([("a", 1), ("a", 2), ("a/10/b", 1)], [0, 1, 2]),
        ([("a/b", 1), ("a/b/7", 1), ("a", 1)], [0, 1]),
        ([("a/10", 1), ("a/11", 1), ("a/10", 2)], []),
        ([("a", 1), ("a/x1", 1), ("a1", 1), ("1/a", 1)], []),
        ([("a", 1), ("A", 1)], []),
    ],
)
def test_duplicate_outputs(outputs, refused):
    found = list(refuse_duplicates([row(line, *output) for line, output in enumerate(outputs)]))
    assert [each.line for each in found if each.reason] == refused
    assert {each.reason for each in found} <= {"", "duplicate_output"}


@pytest.mark.parametrize(
    "outputs, refused",
    [
        ([("a", 1), ("A", 1)], [0, 1]),
        ([("a", 1), ("A", 1), ("b", 1)], [0, 1]),
        ([("A", 1), ("a/1", 1)], [0, 1]),
        ([("A", 2), ("b/1", 1)], []),
    ],
)
def test_duplicates_where_case_makes_no_difference(outputs, refused):
    found = list(refuse_duplicates([row(line, *output) for line, output in enumerate(outputs)], folds_case=True))
    assert [each.line for each in found if each.reason] == refused


def test_case_clash_is_a_warning():
    assert case_clashes([row(1, "a"), row(2, "b")]) == ()
    assert len(case_clashes([row(1, "a/x"), row(2, "A/x")])) == 1


def test_csv(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(
        b'\xef\xbb\xbfmodel,source,note\r\na,x.h5,"two\nlines"\r\n\r\nb c,y.h5,\r\nc,z.h5\r\nd,\xff.h5,\r\n'
    )
    manifest = read_manifest(str(path))
    assert [(each.line, each.model) for each in manifest.rows] == [(2, "a"), (5, "b c"), (6, "c"), (7, "d")]
    assert reasons(manifest.rows) == {2: "", 5: "invalid_row", 6: "", 7: "invalid_row"}
    assert manifest.rows[0].source == str(tmp_path / "x.h5")
    assert manifest.warnings == ("Column 'note' is not known and is ignored.",)


def test_comment_lines_are_no_entries(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(
        b'# made by "scan\n#\nmodel,source,comment\r\n# a, "b\na,x.h5,"of two\n# lines"\n#b,y.h5,\nc,z.h5,why\n# end'
    )
    manifest = read_manifest(str(path))
    assert [(each.line, each.model, each.reason) for each in manifest.rows] == [(5, "a", ""), (8, "c", "")]
    assert manifest.warnings == ()
    path.write_text('source,model\n"#x.h5",a\n')
    assert [each.source for each in read_manifest(str(path)).rows] == [str(tmp_path / "#x.h5")]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
REMARK = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), max_size=8).map(lambda text: f"#{text}\n")


@given(rows=st.lists(st.tuples(CELL.map(lambda text: f"m{text}"), CELL), min_size=1, max_size=5), data=st.data())
def test_comments_change_nothing_but_lines(tmp_path_factory, rows, data):
    """Whatever the fields hold, quoted line breaks and "#" among it."""
    records = []
    for record in (("model", "note", "source"), *((model, note, "x.h5") for model, note in rows)):
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(record)
        records.append(stream.getvalue())
    remarks = [data.draw(st.lists(REMARK, max_size=2)) for _ in records]
    path = tmp_path_factory.getbasetemp() / "commented.csv"
    found = []
    for lines in (records, [line for pair in zip(remarks, records, strict=True) for line in (*pair[0], pair[1])]):
        path.write_bytes("".join(lines).encode())
        found.append([(row.model, row.source, row.reason) for row in read_manifest(str(path)).rows])
    assert found[0] == found[1] and len(found[0]) == len(rows)


def test_json_lines(tmp_path):
    path = tmp_path / "m.jsonl"
    lines = [json.dumps({"model": "a", "source": "x.h5", "version": 2}), "", "[1]", "{broken", '{"model": "b"}']
    path.write_text("\n".join(lines))
    rows = read_manifest(str(path)).rows
    assert reasons(rows) == {1: "", 3: "invalid_row", 4: "invalid_row", 5: "invalid_row"}
    assert rows[0].version == 2


def test_parquet(tmp_path):
    path = tmp_path / "m.parquet"
    pd.DataFrame({"model": ["a", "b"], "source": ["x.h5", None], "version": [2.0, None]}).to_parquet(path)
    rows = read_manifest(str(path)).rows
    assert reasons(rows) == {1: "", 2: "invalid_row"}
    assert [each.version for each in rows] == [2, 1]


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "lacks the required column"),
        (b"model,version\na,1\n", "column source"),
        (b"model,source\n", "no entry"),
        (b"model,source,model\na,b,c\n", "twice"),
        (b'model,source\n"a,b\n', "no manifest"),
        (b"PAR1 and then nothing", "no manifest"),
        (b'{"model": "a"}\n', "column source"),
    ],
)
def test_unusable(tmp_path, content, says):
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=says):
        read_manifest(str(path))


def test_missing(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ManifestError, match="cannot be read"):
            read_manifest(str(path))
