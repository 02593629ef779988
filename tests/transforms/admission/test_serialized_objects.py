"""Initializers and the like that are not Keras's own: they act in training alone and are left out, with a word."""

import pytest

from transforms.admission.serialized_objects import check_stored_objects
from transforms.architecture.parsing import parse_architecture
from transforms.errors import MigrationError, Reason


def left_out(option: str, value: object, *, custom_code: bool = False) -> tuple[str, ...]:
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 2, option: value}}
    graph = parse_architecture({"class_name": "Sequential", "config": [dense]})
    return check_stored_objects(graph, custom_code=custom_code)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("init", "glorot_uniform"),
        ("init", ""),
        ("kernel_initializer", {"class_name": "Orthogonal", "config": {"gain": 1.0}}),
        ("kernel_regularizer", {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.1}}),
        ("kernel_constraint", None),
    ],
)
def test_keras_own_objects(option: str, value: object) -> None:
    assert left_out(option, value) == ()


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("init", "my_init", "my_init"),
        ("init", "<lambda>", "<lambda>"),
        ("bias_initializer", {"class_name": "PriorProbability", "config": {"probability": 0.01}}, "PriorProbability"),
        ("kernel_regularizer", {"class_name": "my>Sparse", "config": {}}, "my>Sparse"),
        ("activity_regularizer", {"module": "loss", "class_name": "Entropy", "config": {}}, "loss.Entropy"),
        ("kernel_constraint", {"class_name": "Clip", "config": {"c": 0.01}}, "Clip"),
    ],
)
def test_objects_of_somebody_own_are_left_out(option: str, value: object, name: str) -> None:
    (line,) = left_out(option, value)
    assert line == f"{name} (layer d) is not Keras's own and acts in training alone: it is left out."
    assert left_out(option, value, custom_code=True) == ()


def test_an_object_elsewhere_is_refused() -> None:
    with pytest.raises(MigrationError) as refusal:
        left_out("units_policy", {"class_name": "Mine", "config": {}})
    assert refusal.value.reason is Reason.CUSTOM_OBJECTS_NEEDED
