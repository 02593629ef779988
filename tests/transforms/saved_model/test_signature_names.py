"""Argument names that TensorFlow takes, and the layers' own where it does not."""

from pathlib import Path

import numpy as np
import pytest
import tf_keras

from transforms.architecture.signature_names import argument_name, unique_names
from transforms.rebuild import RebuiltModel
from transforms.saved_model.loaded import LoadedArtefact
from transforms.saved_model.signature_names import traceable_names
from transforms.saved_model.writer import write_saved_model


@pytest.mark.parametrize(
    ("layer", "argument"),
    [
        ("ids", "ids"),
        ("block_9/input", "block_9_input"),
        ("a-b c", "a_b_c"),
        ("été", "input__t_"),
        ("1st", "input_1st"),
        ("lambda", "input_lambda"),
        ("None", "input_None"),
        ("self", "input_self"),
    ],
)
def test_argument_name(layer: str, argument: str) -> None:
    assert argument_name(layer) == argument


def test_names_are_made_unique() -> None:
    assert unique_names(["lstm", "lstm", "lstm", "dense"]) == ("lstm", "lstm_1", "lstm_2", "dense")
    assert traceable_names(["input_1", "Input_1", "x"]) == ("input_1", "Input_1_1", "x")
    assert traceable_names(["a", "A", "A_1"]) == ("a", "A_2", "A_1")


def test_names_that_differ_in_case_only_reach_the_signature(tmp_path: Path) -> None:
    first, second = tf_keras.Input((2,)), tf_keras.Input((3,))
    doubled = tf_keras.layers.Rescaling(2.0)
    model = tf_keras.Model([first, second], [doubled(first), tf_keras.layers.Rescaling(3.0)(second)])
    write_saved_model(RebuiltModel(model, ("x", "X"), ("double", "triple"), {}, {}), tmp_path)
    artefact = LoadedArtefact(tmp_path)
    assert {spec.name: spec.shape for spec in artefact.inputs} == {"x": (None, 2), "X": (None, 3)}
    outputs = artefact.run({"x": np.ones((1, 2)), "X": np.ones((1, 3))})
    np.testing.assert_array_equal(outputs["double"], [[2, 2]])
    np.testing.assert_array_equal(outputs["triple"], [[3, 3, 3]])
