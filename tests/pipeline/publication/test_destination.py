"""What lies at an output before, against what must lie there after: nothing that no run published is lost or covered.

Each case is tried as `publish` itself, as a look before any work (`check_destination`), with a place that fills up
between the two, and where two folders cannot be exchanged in one step.
"""

import contextlib
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.publication import local
from pipeline.publication.destination import check_destination
from pipeline.publication.layout import RECEIPT, RETIRED, STAGING
from pipeline.publication.local import publish, staging_area, sweep_leftovers
from pipeline.publication.receipt import Receipt, list_files, read_receipt
from tests.pipeline.fakes import write_artefact
from tests.pipeline.publication.test_receipt import KEY
from transforms.errors import MigrationError, Reason

NEW = b"new"


def put(root, model, version, data=NEW):
    """Publishes as a run does."""
    check_destination(root, model, version)
    with staging_area(root, root / model / str(version)) as area:
        write_artefact(area.folder, data)
        publish(area, Receipt(model, version, KEY, list_files(area.folder)))


def published(model, version, data=b"old"):
    return lambda root: put(root, model, version, data)


def file(path, text="mine"):
    def write(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return write


def folder(path):
    return lambda root: (root / path).mkdir(parents=True)


def link(path, target):
    def make(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root.parent / "elsewhere").mkdir(exist_ok=True)
        (root / path).symlink_to(target)

    return make


def savedmodel(path):
    """A model of somebody else's, without a receipt."""

    def write(root):
        (root / path).mkdir(parents=True)
        write_artefact(root / path, b"theirs")

    return write


def damaged(root):
    put(root, "a", 1, b"old")
    (root / "a/1/variables/variables.index").write_bytes(b"tampered")
    (root / "a/1/saved_model.pb").unlink()


def broken_seal(root):
    put(root, "a", 1, b"old")
    path = root / "a/1" / RECEIPT
    path.write_text(path.read_text().replace('"backend": "theano"', '"backend": "cntk"'))


def copied(source, target):
    return lambda root: (put(root, *source), shutil.copytree(root.joinpath(*map(str, source)), root / target))


def several(*acts):
    return lambda root: [act(root) for act in acts]


#: Published, model and version, after which things were put there.
ADMITTED = {
    "nothing": ("a", 1, lambda root: None),
    "an empty folder": ("a", 1, folder("a/1")),
    "empty folders in a folder": ("a", 1, folder("a/1/b/c")),
    "an earlier publication": ("a", 1, published("a", 1)),
    "an earlier publication, damaged": ("a", 1, damaged),
    "an earlier publication whose receipt was changed": ("a", 1, broken_seal),
    "an earlier publication with an empty folder in it": ("a", 1, several(published("a", 1), folder("a/1/2"))),
    "another version": ("a", 2, published("a", 1)),
    "another model's folder": ("a/b", 1, published("a", 1)),
    "a nested name": ("a", 1, published("a/b", 1)),
    "a name that differs in case": ("a", 1, published("A", 1)),
    "numbers as names": ("2/b", 1, published("1", 1)),
    "files of a person beside": ("a", 1, several(file("a/notes.txt"), file("README"), savedmodel("b/1"))),
    "a link of a person beside": ("a", 1, link("a/latest", "1")),
    "the output behind a link": ("a", 1, lambda root: (root.rename(f"{root}-real"), root.symlink_to(f"{root}-real"))),
}

#: Refused, and why.
REFUSED = {
    "a file": ("a", 1, file("a/1"), "is no folder"),
    "a file in the place of the model": ("a", 1, file("a"), "is no folder"),
    "files of a person": ("a", 1, file("a/1/notes.txt"), "no receipt"),
    "a model of somebody else": ("a", 1, savedmodel("a/1"), "no receipt"),
    "a receipt that is none": ("a", 1, file(f"a/1/{RECEIPT}", "{}"), "no receipt"),
    "a receipt that is a link": (
        "a",
        1,
        several(savedmodel("a/1"), published("b", 1), link(f"a/1/{RECEIPT}", f"../../../b/1/{RECEIPT}")),
        "no receipt",
    ),
    "a file of a person in a publication": ("a", 1, several(published("a", 1), file("a/1/x/notes.txt")), "notes.txt"),
    "a file beside the graph": ("a", 1, several(published("a", 1), file("a/1/assets/vocabulary")), "vocabulary"),
    "a link in a publication": ("a", 1, several(published("a", 1), link("a/1/data", "/etc")), "data"),
    "a fifo in a publication": ("a", 1, several(published("a", 1), lambda r: os.mkfifo(r / "a/1/fifo")), "fifo"),
    "another model in a publication": ("a", 1, several(published("a", 1), savedmodel("a/1/2")), "2/saved_model.pb"),
    "another model's publication": ("a", 1, copied(("b", 1), "a/1"), "holds b/1"),
    "another version's publication": ("a", 1, copied(("a", 2), "a/1"), "holds a/2"),
    "the same name in another case": ("a", 1, copied(("A", 1), "a/1"), "holds A/1"),
    "a link": ("a", 1, link("a/1", "../../elsewhere"), "is a symbolic link"),
    "a link to a publication": ("a", 1, several(published("b", 1), link("a/1", "../b/1")), "is a symbolic link"),
    "a link that leads nowhere": ("a", 1, link("a/1", "gone"), "is a symbolic link"),
    "a link on the way": ("a/b", 1, link("a", "../elsewhere"), "is a symbolic link"),
    "a publication around it": ("a/1/b", 1, published("a", 1), "within one"),
    "a publication around it, version and all": ("a/1", 2, published("a", 1), "within one"),
    "a publication within it": ("a", 1, published("a/1", 2), "holds another model"),
    "a file and a publication within it": ("a", 1, several(published("a/1", 2), file("a/1/x")), "holds another model"),
    "a hidden publication within it": ("a", 1, copied(("b", 1), "a/1/b"), "holds another model"),
    "a model of somebody else around it": ("a/b", 1, savedmodel("a"), "within one"),
    "the output is a model": ("a", 1, lambda root: write_artefact(root, b"theirs"), "within one"),
    "the output within a model": ("a", 1, lambda root: write_artefact(root.parent, b"theirs"), "within one"),
    "versions of a model around it": ("a/2", 1, published("a", 1), "taken for another version"),
    "versions further up": ("a/2/b", 1, published("a", 1), "taken for another version"),
    "a model in the place of a version": ("a", 1, published("a/2", 1), "taken for a version"),
    "a deeper model in the place of a version": ("a", 1, published("a/2/b/c", 1), "taken for a version"),
}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "out"


@pytest.fixture(params=[True, False], ids=["exchange", "two renames"])
def exchange(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(local, "exchange", lambda *_: False)


def tree(root):
    """Everything below a folder and beside it: path -> content, target of a link, or kind."""
    found = {}
    for parent, folders, names in os.walk(root.parent):
        for name in (*folders, *names):
            path = Path(parent, name)
            key = path.relative_to(root.parent).as_posix()
            if path.is_symlink():
                found[key] = os.readlink(path)
            elif path.is_file():
                found[key] = path.read_bytes()
            else:
                found[key] = "fifo" if path.is_fifo() else "folder"
    return found


def content(root, model, version):
    return (root / model / str(version) / "variables/variables.data-00000-of-00001").read_bytes()


def below(found, place):
    return {path: value for path, value in found.items() if f"{path}/".startswith(f"{place}/")}


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("case", ADMITTED)
def test_admitted(root, case):
    model, version, act = ADMITTED[case]
    root.mkdir(parents=True)
    act(root)
    before = tree(root)
    check_destination(root, model, version)
    put(root, model, version)
    assert content(root, model, version) == NEW
    after, place = tree(root), f"{Path(os.path.realpath(root)).name}/{model}/{version}"
    assert after.keys() - before.keys() - below(after, place).keys() <= {*place.split("/"), *parents(place)}
    kept = {path: value for path, value in before.items() if path not in below(before, place)}
    assert {path: after.get(path) for path in kept} == kept


def parents(place):
    return {"/".join(place.split("/")[: count + 1]) for count in range(place.count("/"))}


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("case", REFUSED)
def test_refused(root, case):
    model, version, act, says = REFUSED[case]
    root.mkdir(parents=True)
    act(root)
    before = tree(root)
    for attempt in (check_destination, put):
        with pytest.raises(MigrationError, match=says) as refusal:
            attempt(root, model, version)
        assert refusal.value.reason is Reason.OUTPUT_OCCUPIED
        assert tree(root) == before


#: Cases in which the very folder that is staged beside comes to lie elsewhere.
_BEFORE_STAGING = ("a link on the way", "a file in the place of the model", "a model of somebody else around it")


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("case", [case for case in REFUSED if case not in _BEFORE_STAGING])
def test_a_place_that_fills_up_after_the_look(root, case, monkeypatch):
    """Somebody is quicker than the rename: whatever came to lie there lies there after."""
    model, version, act, _ = REFUSED[case]
    root.mkdir(parents=True)
    before = {}

    def look_then_lose(*_):
        monkeypatch.setattr(local, "check_destination", check_destination)
        with contextlib.suppress(MigrationError):  # Another run, which finds this one there.
            act(root)
        before.update(tree(root))

    with contextlib.suppress(MigrationError, OSError), staging_area(root, root / model / str(version)) as area:
        write_artefact(area.folder, NEW)
        receipt = Receipt(model, version, KEY, list_files(area.folder))
        monkeypatch.setattr(local, "check_destination", look_then_lose)
        publish(area, receipt)
    after = tree(root)
    kept = {path: value for path, value in before.items() if STAGING not in path}
    assert kept and {path: after.get(path) for path in kept} == kept
    assert not [path for path in after if STAGING in path or RETIRED in path]


PARTS = st.sampled_from(["a", "b", "1", "2"])
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
PLACES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
ACTS = st.one_of(
    st.tuples(st.just("publish"), NAMES, st.integers(1, 2)),
    st.tuples(st.just("file"), PLACES.map(lambda place: f"{place}/mine"), st.just(0)),
    st.tuples(st.just("graph"), PLACES.map(lambda place: f"{place}/saved_model.pb"), st.just(0)),
)


@settings(deadline=None, max_examples=60)
@given(acts=st.lists(ACTS, min_size=2, max_size=8))
def test_whatever_the_order_nobody_loses_anything(tmp_path_factory, acts):
    """Runs over many manifests and a person who puts files there, in any order: each finds later what was theirs."""
    root = tmp_path_factory.mktemp("registry") / "out"
    root.mkdir()
    mine, versions = {}, {}
    for number, (act, name, version) in enumerate(acts):
        text = f"{act} {number}"
        if act == "publish":
            try:
                put(root, name, version, text.encode())
            except MigrationError:
                continue
            versions[name, version] = text.encode()
        elif not (root / name).exists():
            try:
                file(name, text)(root)
            except OSError:
                continue
            mine[name] = text
        sweep_leftovers(root, [name for name, _ in versions])
    assert {name: (root / name).read_text() for name in mine} == mine
    for (name, version), data in versions.items():
        assert content(root, name, version) == data
        assert read_receipt(root / name / str(version)).model == name
    assert not [path for path in tree(root) if STAGING in path or RETIRED in path]


PLANTED = {
    "a link to a folder of somebody else": lambda place, victim: place.symlink_to(victim),
    "a folder of somebody else": lambda place, victim: shutil.copytree(victim, place),
    "a model of somebody else": lambda place, victim: savedmodel(place.name)(place.parent),
    "a publication with a file of somebody else": lambda place, victim: (
        shutil.copytree(place.with_name("1"), place),
        (place / "mine").write_text("mine"),
    ),
    "another model's publication": lambda place, victim: copied(("b", 1), f"a/{place.name}")(place.parents[1]),
}


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize("free", [True, False])
def test_a_planted_retired_version_does_not_come_back(root, what, free):
    victim = root.parent / "victim"
    victim.mkdir()
    (victim / "secret").write_text("secret")
    put(root, "a", 1)
    PLANTED[what](root / f"a/{RETIRED}{2 if free else 1}-abcd", victim)
    before = tree(root)
    sweep_leftovers(root, ["a"])
    assert tree(root) == before


@pytest.mark.parametrize("name", ["a", "a/b"])
def test_a_sweep_follows_no_link(root, name):
    victim = root.parent / "victim"
    victim.mkdir()
    put(victim, "b", 1)
    (victim / f"{STAGING}1-abcd/staged").mkdir(parents=True)
    (victim / f"b/{STAGING}1-abcd/staged").mkdir(parents=True)
    root.mkdir()
    (root / "a").symlink_to(victim)
    before = tree(root)
    sweep_leftovers(root, [name])
    assert tree(root) == before
