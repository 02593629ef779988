"""Names of registered models as names of a manifest: any name, reversibly, and no two alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.row import parse_row
from pipeline.registries.mlflow.names import manifest_name, registered_name

NAMES = [
    ("tagger", "tagger"),
    ("team/tagger", "team/tagger"),
    ("credit risk", "credit_x20risk"),
    ("Größe", "Gr_xC3_xB6_xC3_x9Fe"),
    ("resnet_x50", "resnet_x50"),  # decodes to "resnetP", which is written otherwise
    ("a_x20b", "a_x5Fx20b"),  # is not "a b"
    ("_x5F", "_x5F"),  # "_" is written "_"
    ("a _x41", "a_x20_x5Fx41"),
    ("_h5ferry", "_x5Fh5ferry"),
    ("_H5Ferry/x", "_x5FH5Ferry/x"),
    (".hidden", "_x2Ehidden"),
    ("a/../b", "a/_x2E./b"),
    ("a//b", "a_x2F/b"),
    ("/", "_x2F"),
    ("a/", "a_x2F"),
    ("a/2", "a_x2F2"),
    ("a/2/b", "a_x2F2/b"),
    ("2", "2"),
    ("a:b%", "a_x3Ab_x25"),
]


@pytest.mark.parametrize("registered, model", NAMES)
def test_a_name_is_mapped_and_mapped_back(registered, model):
    assert manifest_name(registered) == model
    assert registered_name(model) == registered


#: Characters that the mapping treats, often.
TEXTS = st.text(st.one_of(st.sampled_from("_x5F2E0/.- aB"), st.characters(exclude_categories=["Cs"])), min_size=1)


@given(TEXTS.filter(lambda name: len(manifest_name(name)) < 256))
def test_every_name_comes_back_and_is_one_that_a_manifest_takes(name):
    model = manifest_name(name)
    assert registered_name(model) == name
    assert parse_row(1, {"model": model, "source": "x.h5"}, "/").reason == ""


@given(st.from_regex(r"[A-Za-z0-9_x][A-Z0-9_x]{0,12}", fullmatch=True))
def test_every_name_of_a_manifest_is_registered_under_a_name_of_its_own(model):
    assert manifest_name(registered_name(model)) == model or registered_name(model) == model
