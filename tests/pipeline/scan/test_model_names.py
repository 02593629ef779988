from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.reader import case_clashes, refuse_duplicates
from pipeline.manifest.row import parse_row
from pipeline.scan.model_names import legal_name, propose


def names(*paths, root="root"):
    return [(each.model, each.version) for each in propose([(root, PurePosixPath(path)) for path in paths])]


@pytest.mark.parametrize(
    "name, legal",
    [("a/b", "a/b"), ("a b/ü", "a_b/_"), ("-a/.b", "_-a/_.b"), ("x(1)", "x_1_"), ("_h5ferry/a", "__h5ferry/a")],
)
def test_legal_name(name, legal):
    assert legal_name(name) == legal


@pytest.mark.parametrize(
    "paths, proposed",
    [
        (["a/m.h5", "b c/weights", "x.HDF5"], [("a/m", 1), ("b_c/weights", 1), ("x", 1)]),
        (["tag/1/model.h5", "tag/2/model.h5"], [("tag", 1), ("tag", 2)]),
        (["tag/1/best.h5", "tag/1/last.h5", "tag/2/best.h5"], [("tag/best", 1), ("tag/last", 1), ("tag/best", 2)]),
        (["1/model.h5", "7/model.h5"], [("root", 1), ("root", 7)]),
        (["tag/0/model.h5", "tag/01/model.h5"], [("tag/0/model", 1), ("tag/01/model", 1)]),
        (["a_v1.h5", "a_v2.h5"], [("a", 1), ("a", 2)]),
        (["d/a-v3.h5", "d/a-v4.h5"], [("d/a", 3), ("d/a", 4)]),
        (["a-1.h5", "a-2.h5", "a-3.h5"], [("a", 1), ("a", 2), ("a", 3)]),
        (["mobilenet_v2.h5"], [("mobilenet_v2", 1)]),
        (["resnet-50.h5", "resnet-101.h5"], [("resnet-50", 1), ("resnet-101", 1)]),
        (["a.h5", "a-1.h5", "a-2.h5"], [("a", 1), ("a-1", 1), ("a-2", 1)]),
        (["a-0.h5", "a-1.h5"], [("a-0", 1), ("a-1", 1)]),
        (["a_v1.h5", "a_v01.h5"], [("a_v1", 1), ("a_v01", 1)]),
        (["a.h5", "a.hdf5"], [("a", 1), ("a-2", 1)]),
        (["A.h5", "a.h5"], [("A", 1), ("a-2", 1)]),
        (["A/1/m.h5", "a/2/m.h5"], [("A", 1), ("a-2", 2)]),
        (["a/1/m.h5", "a/1/b/c.h5"], [("a", 1), ("a/1_b/c", 1)]),
        (["a/1/b/c.h5", "a/1/m.h5"], [("a/1/b/c", 1), ("a-2", 1)]),
        (["a b.h5", "a_b.h5"], [("a_b", 1), ("a_b-2", 1)]),
    ],
)
def test_names_and_versions(paths, proposed):
    assert names(*paths) == proposed


def test_what_is_not_certain_is_noted():
    notes = [each.notes for each in propose([("r", PurePosixPath(p)) for p in ("a-1.h5", "a-2.h5", "b_v2.h5", "c.h5")])]
    assert "version 1" in notes[0][0] and "part of the name" in notes[2][0] and notes[3] == ()


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "A", "1", "2", "a-1", "a-2", "a_v1", "é", "_h5ferry"]), min_size=1, max_size=4),
        max_size=12,
    )
)
def test_no_two_rows_share_an_output_on_any_file_system(paths):
    found = names(*["/".join(parts) + ".h5" for parts in paths])
    rows = [
        parse_row(line, {"model": model, "source": "x", "version": str(version)}, "/")
        for line, (model, version) in enumerate(found)
    ]
    assert not [row.message for row in refuse_duplicates(rows) if row.reason]
    assert case_clashes(rows) == ()
    folded = [
        parse_row(line, {"model": model.casefold(), "source": "x", "version": str(version)}, "/")
        for line, (model, version) in enumerate(found)
    ]
    assert not [row.message for row in refuse_duplicates(folded) if row.reason]
