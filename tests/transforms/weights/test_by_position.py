"""The arrays of a group by their position, as the loaders of the legacy runtimes go."""

from typing import Any

import pytest

from tests.transforms.weights.stored_models import dense, layer_of, listed, names, norm, sequential, stored, wrapped
from transforms.errors import MigrationError, Reason
from transforms.weights.by_position import readings_by_position
from transforms.weights.roles import roles_of
from transforms.weights.slots import role_in

A = sequential("A", dense("a"), norm("an"))
B = sequential("B", dense("b"), norm("bn"))
#: The listing of each layer's arrays by kind.
T = {"a": "a/kernel a/bias", "an": "an/gamma an/beta", "b": "b/kernel b/bias", "bn": "bn/gamma bn/beta"}
N = {"an": "an/moving_mean an/moving_variance", "bn": "bn/moving_mean bn/moving_variance"}


@pytest.mark.parametrize(
    ("layer", "listing"),
    [
        (sequential("m", A, B), [T["a"], T["an"], T["b"], T["bn"], N["an"], N["bn"]]),
        # A frozen as a model: its trainable arrays, then its others, all behind what is trained.
        (sequential("m", A, B), [T["b"], T["bn"], T["a"], T["an"], N["an"], N["bn"]]),
        # The layers of A frozen one by one.
        (sequential("m", A, B), [T["b"], T["bn"], T["a"], T["an"] + " " + N["an"], N["bn"]]),
        # The same, as the config says it.
        (
            sequential("m", sequential("A", dense("a", trainable=False), norm("an", trainable=False)), B),
            [T["b"], T["bn"], T["a"], T["an"] + " " + N["an"], N["bn"]],
        ),
        # The config says that A is frozen, and it was not when the weights were saved.
        (
            sequential("m", sequential("A", dense("a", trainable=False), norm("an", trainable=False)), B),
            [T["a"], T["an"], T["b"], T["bn"], N["an"], N["bn"]],
        ),
        # One layer in the middle.
        (sequential("m", A, B), [T["a"], T["b"], T["bn"], T["an"] + " " + N["an"], N["bn"]]),
        # Everything.
        (sequential("m", A, B), [T["a"], T["an"], N["an"], T["b"], T["bn"], N["bn"]]),
        # Three levels, and over time.
        (wrapped("TimeDistributed", "t", sequential("m", sequential("deep", A), B)),
         [T["b"], T["bn"], T["a"], T["an"], N["an"], N["bn"]]),
        # Scopes that TensorFlow numbered.
        (sequential("m", A, B), [t.replace("/", "_3/") for t in (T["b"], T["bn"], T["a"], T["an"], N["an"], N["bn"])]),
    ],
)  # fmt: skip
def test_a_listing_is_read_under_the_freezing_that_it_betrays(layer: Any, listing: list[str]) -> None:
    arrays = listed(" ".join(listing))
    found = [names(reading) for reading in readings_by_position(layer_of(layer), arrays, roles_of)]
    wanted = {array.name: array.name.split("/")[0].removesuffix("_3") for array in arrays}
    assert any(all(place.split(":")[0].endswith(wanted[name]) for place, name in each.items()) for each in found)


def test_the_stored_flags_come_first() -> None:
    """Where nothing but position is known, the config is believed."""
    layer = sequential("m", dense("p", trainable=False), dense("q"))
    arrays = [stored(f"param_{index}", *((4, 4) if index % 2 == 0 else (4,))) for index in range(4)]
    first = readings_by_position(layer_of(layer), arrays, roles_of)[0]
    assert names(first)["m/q:kernel"] == "param_0"


def test_bidirectional_without_a_backward_layer_has_two_halves() -> None:
    layer = wrapped("Bidirectional", "b", {"class_name": "LSTM", "config": {"name": "lstm", "units": 2}})
    shapes = {"kernel": (3, 8), "recurrent_kernel": (2, 8), "bias": (8,)}
    arrays = [stored(f"b/{half}_lstm/{role}:0", *shapes[role]) for half in ("forward", "backward") for role in shapes]
    (reading,) = readings_by_position(layer_of(layer), arrays, roles_of)
    assert names(reading)["b/backward:kernel"] == "b/backward_lstm/kernel:0"


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ([stored("d/kernel:0", 3, 4)], "implies 2 arrays"),
        ([stored("d/bias:0", 4), stored("d/kernel:0", 3, 4)], "kernel of shape"),
        ([stored("d/kernel:0", 4, 3), stored("d/bias:0", 4)], "kernel of shape"),
        ([stored("d/kernel:0", 3, 4), stored("d/bias:0", 5)], "bias of shape"),
    ],
    ids=["one missing", "swapped", "transposed", "other units"],
)
def test_what_does_not_fit_is_refused(arrays: list[Any], says: str) -> None:
    with pytest.raises(MigrationError, match=says) as refusal:
        readings_by_position(layer_of(dense("d")), arrays, roles_of)
    assert refusal.value.reason is Reason.WEIGHTS_MISMATCH


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("lstm_1/kernel:0", "kernel"),
        ("a/b/recurrent_kernel_2:0", "recurrent_kernel"),
        ("bn/moving_variance", "moving_variance"),
        ("param_3", None),
    ],
)
def test_role_in_a_name(name: str, role: str | None) -> None:
    assert role_in(name) == role
