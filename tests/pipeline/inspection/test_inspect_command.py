"""What `h5ferry inspect` says of a file that it accepts, refuses, or accepts with the operator's code."""

import pytest

from pipeline.inspection.describe import describe_model
from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from tests.fixture_files import FOLDER

CUSTOM = FOLDER / "custom" / "custom_attention.h5"


@pytest.fixture(scope="module")
def child():
    child = ConfinedProcess(Isolation(timeout=120))
    yield child
    child.close()


def test_a_refused_file_still_tells_its_dialect(child):
    found = describe_model(child, CUSTOM, None, "")
    assert found["reason"] == "custom_objects_needed"
    assert (found["keras_version"], found["dialect"]) == ("2.3.1", "Keras 2.2.3 to 2.3.1")


def test_custom_code_is_taken(child):
    found = describe_model(child, CUSTOM, None, "", custom_objects=FOLDER / "custom" / "attention.py")
    assert found["accepted"]
    (layer,) = (each for each in found["layers"] if each["path"] == "attn")
    assert (layer["class_name"], layer["parameters"]) == ("custom:Attention", 40)


def test_what_is_no_model_says_nothing_of_a_dialect(child, tmp_path):
    (tmp_path / "m.h5").write_text("no")
    assert "dialect" not in describe_model(child, tmp_path / "m.h5", None, "")
