"""Several obstacles of one model as one refusal."""

from transforms.errors import MigrationError, Reason, together


def obstacle(index: int) -> MigrationError:
    return MigrationError(Reason.UNSUPPORTED_LAYER, f"Class {index} is not supported", layer=("m", f"layer_{index}"))


def test_one_obstacle_is_told_as_it_is() -> None:
    only = obstacle(0)
    assert together([only]) is only


def test_further_obstacles_are_named_with_their_layers() -> None:
    unsafe = MigrationError(Reason.UNSAFE_OP, "It runs code", layer=("f",), advice="Leave it out.")
    found = together([unsafe, obstacle(1)])
    assert found.reason is Reason.UNSAFE_OP
    assert str(found) == (
        "It runs code (layer f). Leave it out. The model has further obstacles: "
        "unsupported_layer: Class 1 is not supported (layer m/layer_1)."
    )


def test_obstacles_of_one_message_are_told_once_and_many_are_counted() -> None:
    assert together([obstacle(1), obstacle(1)]).advice == ""
    assert str(together([obstacle(index) for index in range(9)])).endswith("(layer m/layer_5); and 3 more.")
