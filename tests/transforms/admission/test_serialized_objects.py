"""Names of initializers: Keras's own, foreign ones, and those of functions without a name."""

import pytest

from transforms.admission.serialized_objects import check_stored_objects
from transforms.architecture.parsing import parse_architecture
from transforms.errors import MigrationError, Reason


def check(init: object) -> None:
    dense = {"class_name": "Dense", "config": {"name": "d", "output_dim": 2, "init": init}}
    graph = parse_architecture({"class_name": "Sequential", "config": [dense]})
    check_stored_objects(graph, custom_code=False)


@pytest.mark.parametrize("init", ["glorot_uniform", "my_init", "<lambda>", ""])
def test_a_name_without_a_part_in_inference(init: str) -> None:
    check(init)


@pytest.mark.parametrize("init", ["a.b:c", {"class_name": "Mine", "config": {}}])
def test_a_foreign_name(init: object) -> None:
    with pytest.raises(MigrationError) as refusal:
        check(init)
    assert refusal.value.reason is Reason.CUSTOM_OBJECTS_NEEDED
