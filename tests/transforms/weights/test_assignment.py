"""What follows where order and names agree, where only one of them fits, and where they contradict each other."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_files import fixture_file, fixture_files
from tests.transforms.weights.stored_models import dense, graph_of, listed, names, norm, sequential, stored, wrapped
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import open_legacy_model
from transforms.source.stored_array import StoredArray
from transforms.weights import group_assignment
from transforms.weights.assignment import Assignment, assign_groups
from transforms.weights.roles import roles_of


def assigned(layers: Sequence[Any], groups: dict[str, str | list[StoredArray]]) -> Assignment:
    held = {name: listed(given) if isinstance(given, str) else given for name, given in groups.items()}
    return assign_groups(graph_of(*layers), held, roles_of, keras_1=False)


def both(name: str) -> str:
    return f"{name}/kernel:0 {name}/bias:0"


def places(found: Assignment) -> dict[str, str]:
    assert names(found.by_position) == names(found.by_name)
    return names(found.by_position)


PAIR = (dense("dense_1"), dense("dense_2"))


def test_order_and_names_agree() -> None:
    found = assigned(PAIR, {"dense_1": both("dense_1"), "dense_2": both("dense_2")})
    assert places(found)["dense_2:kernel"] == "dense_2/kernel:0"
    assert (found.warnings, found.question) == ((), "")


def test_inside_one_layer_its_variables_may_bear_an_older_name() -> None:
    """Layers renamed after they were built: groups say the new names, variables the old."""
    found = assigned((dense("b"), dense("a")), {"b": both("a"), "a": both("b")})
    assert places(found)["b:kernel"] == "a/kernel:0"
    assert (found.warnings, found.question) == ((), "")


@pytest.mark.parametrize("given", ["dense_5 dense_6", "dense_2 dense_3", "dense dense_1"])
def test_other_automatic_names_go_by_position_with_a_warning(given: str) -> None:
    found = assigned(PAIR, {name: both(name) for name in given.split()})
    assert places(found)["dense_1:kernel"] == f"{given.split()[0]}/kernel:0"
    assert "paired by position and by rank" in found.warnings[0]
    assert not found.question


def test_names_that_pair_groups_otherwise_leave_it_open() -> None:
    found = assigned(PAIR, {"dense_2": both("dense_2"), "dense_1": both("dense_1")})
    assert places(found)["dense_1:kernel"] == "dense_2/kernel:0"  # as Keras loads it
    assert found.other is not None
    assert places(found.other)["dense_1:kernel"] == "dense_1/kernel:0"
    assert "not as they are named" in found.question


def test_names_decide_where_the_order_does_not_fit() -> None:
    wide = dense("dense_2", units=7)
    shapes = [stored("dense_2/kernel:0", 4, 7), stored("dense_2/bias:0", 7)]
    found = assigned((dense("dense_1"), wide), {"dense_2": shapes, "dense_1": both("dense_1")})
    assert places(found)["dense_2:kernel"] == "dense_2/kernel:0"
    assert "by the names of their groups alone" in found.warnings[0]


def test_position_alone_is_sure_where_no_other_order_fits() -> None:
    wide = [stored("y/kernel:0", 4, 7), stored("y/bias:0", 7)]
    found = assigned((dense("a"), dense("b", units=7)), {"x": both("x"), "y": wide})
    assert "no other order fits" in found.warnings[0]
    open_one = assigned((dense("a"), dense("b")), {"x": both("x"), "y": both("y")})
    assert "by position alone" in open_one.question
    assert open_one.other is not None
    assert places(open_one.other)["a:kernel"] == "y/kernel:0"
    assert open_one.answers == ("by position", "by another order that fits")


INNER = sequential("m", dense("a"), norm("n"), dense("b"))
BEHIND = "a/kernel:0 a/bias:0"
REST = "n/gamma:0 n/beta:0 b/kernel:0 b/bias:0"
MOVING = "n/moving_mean:0 n/moving_variance:0"


@pytest.mark.parametrize("layer", [INNER, wrapped("TimeDistributed", "m", INNER)])
@pytest.mark.parametrize("listing", [f"{BEHIND} {REST} {MOVING}", f"{REST} {BEHIND} {MOVING}"])
def test_in_a_nested_model_names_win(layer: Any, listing: str) -> None:
    found = assigned((layer, dense("c")), {"m": listing, "c": both("c")})
    assert all(place.split(":")[0].split("/")[-1] == name.split("/")[0] for place, name in places(found).items())
    assert (found.warnings, found.question) == ((), "")


def test_an_order_that_no_freezing_explains_is_left_open() -> None:
    listing = "b/kernel:0 b/bias:0 n/gamma:0 n/beta:0 a/kernel:0 a/bias:0 n/moving_variance:0 n/moving_mean:0"
    with pytest.raises(MigrationError, match="names and order contradict each other"):
        assigned((INNER,), {"m": listing})
    crossed = sequential("m", dense("a"), dense("b"), dense("c"))
    found = assigned((crossed,), {"m": "c/kernel:0 b/kernel:0 a/kernel:0 c/bias:0 b/bias:0 a/bias:0"})
    assert "names alone" in found.warnings[0]  # by position a bias would stand where a kernel belongs
    found = assigned((crossed,), {"m": f"{both('c')} {both('b')} {both('a')}"})
    assert "listed in another" in found.question
    assert found.other is not None
    assert places(found)["m/a:kernel"] == "a/kernel:0"
    assert places(found.other)["m/a:kernel"] == "c/kernel:0"


def test_an_array_under_the_name_of_another_role_is_refused() -> None:
    with pytest.raises(MigrationError, match="lists the arrays of n as beta, gamma"):
        assigned((norm("n"),), {"n": f"n/beta:0 n/gamma:0 {MOVING}"})


def test_what_plays_no_part_is_passed_over() -> None:
    renorm = "n/renorm_mean:0 n/renorm_mean_weight:0 n/renorm_stddev:0 n/renorm_stddev_weight:0"
    found = assigned((norm("n", renorm=True),), {"n": f"n/gamma:0 n/beta:0 {MOVING} {renorm}"})
    assert sorted(role for held in found.by_name.values() for role in held) == [
        "beta", "gamma", "moving_mean", "moving_variance",
    ]  # fmt: skip


def test_every_layer_that_does_not_fit_is_named() -> None:
    groups = {name: [stored(f"{name}/kernel:0", 4, 5), stored(f"{name}/bias:0", 5)] for name in ("dense_1", "dense_2")}
    with pytest.raises(MigrationError, match=r"dense_1/kernel.*nor do the arrays of dense_2 fit") as refusal:
        assigned(PAIR, groups)
    assert refusal.value.reason is Reason.WEIGHTS_MISMATCH
    with pytest.raises(MigrationError, match="without a group: dense_2; without a layer: none"):
        assigned((*PAIR, dense("d")), {"dense_1": both("dense_1"), "d": both("d")})


@pytest.mark.parametrize(
    "fixture",
    [each for each in fixture_files() if not {"lambda", "refused"} & set(each.features.split())],
    ids=lambda fixture: fixture.name,
)
def test_both_assignments_agree_on_genuine_files(fixture: Any) -> None:
    with open_legacy_model(fixture.source) as model:
        assert names(model.arrays) == names(model.named_arrays)
        assert not any("assigned" in warning or "paired" in warning for warning in model.warnings)


def swapped(arrays: Any) -> Any:
    """Two arrays of one shape in each other's place, if there are two."""
    flat = [(path, role) for path, held in arrays.items() for role in held]
    pairs = (
        (one, other)
        for index, one in enumerate(flat)
        for other in flat[index + 1 :]
        if arrays[one[0]][one[1]].shape == arrays[other[0]][other[1]].shape
    )
    first, second = next(pairs)
    changed = {path: dict(held) for path, held in arrays.items()}
    changed[first[0]][first[1]], changed[second[0]][second[1]] = (
        arrays[second[0]][second[1]],
        arrays[first[0]][first[1]],
    )
    return changed


@pytest.mark.parametrize("side", ["readings_by_position", "arrays_by_name"])
def test_a_planted_swap_in_either_is_noticed(side: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two arrays of one shape, in a nested model whose first layers are frozen."""
    source = fixture_file("keras-2.2.4/frozen_nested_norm").source
    right = getattr(group_assignment, side)

    def wrong(layer: Any, *given: Any) -> Any:
        found = right(layer, *given)
        if layer.graph is None or not found:
            return found
        if side == "arrays_by_name":
            return dataclasses.replace(found, arrays=swapped(found.arrays))
        return [swapped(reading) for reading in found]

    monkeypatch.setattr(group_assignment, side, wrong)
    try:
        with open_legacy_model(source) as model:
            assert [each.assumption.question for each in model.open_questions] == ["weights"]
    except MigrationError as error:
        assert "contradict" in error.message
