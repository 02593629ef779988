"""Outputs that the manifest names in place of the model's own."""

from __future__ import annotations

import pytest

from tests.transforms.reference.models import functional, nested, node, parse, placeholder
from transforms.architecture.chosen_outputs import with_outputs
from transforms.architecture.graph import Graph, TensorRef
from transforms.errors import MigrationError, Reason


def graph() -> Graph:
    inner = functional([placeholder("i"), node("Dense", "a", ["i"]), node("Dense", "b", ["i"])], ["a", "b"], "inner")
    layers = [placeholder("x"), nested(inner, "inner", ["x"]), node("Dense", "shared", ["x"], [("inner", 0, 0)])]
    return parse(functional([*layers, node("Add", "y", ["shared", ("shared", 1, 0)])], ["y", ("shared", 0, 0)]))


@pytest.mark.parametrize(
    ("names", "outputs"),
    [
        ((), (TensorRef("y"), TensorRef("shared"))),
        (("shared", "y"), (TensorRef("shared"), TensorRef("y"))),
        (("inner",), (TensorRef("inner"), TensorRef("inner", 0, 1))),
        (("x",), (TensorRef("x"),)),
    ],
)
def test_named_layers(names: tuple[str, ...], outputs: tuple[TensorRef, ...]) -> None:
    assert with_outputs(graph(), names).outputs == outputs


@pytest.mark.parametrize("names", [("z",), ("y", "y"), ("inner/a",)])
def test_layers_that_cannot_be_outputs(names: tuple[str, ...]) -> None:
    with pytest.raises(MigrationError, match="outputs") as refusal:
        with_outputs(graph(), names)
    assert refusal.value.reason is Reason.INVALID_ROW
    assert "own outputs are y, shared" in refusal.value.advice


def test_the_last_call_of_a_layer_that_is_no_output() -> None:
    calls = node("Dense", "shared", ["x"], ["x"])
    several = parse(functional([placeholder("x"), calls, node("Dense", "y", ["shared"])], ["y"]))
    assert with_outputs(several, ["shared"]).outputs == (TensorRef("shared", 1),)
