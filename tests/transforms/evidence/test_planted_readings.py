"""A mistake in what both sides share is caught by golden outputs of genuine runtimes: each is planted, and seen."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fixture_files import fixture_file
from transforms.architecture import node_defs
from transforms.architecture.graph import Graph, Layer
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.reference import forward

Planting = Callable[[pytest.MonkeyPatch], None]
Misreading = Callable[[LegacyModel], LegacyModel]


def as_read(model: LegacyModel) -> LegacyModel:
    return model


def with_layers(model: LegacyModel, change: Callable[[Layer], Layer]) -> LegacyModel:
    def changed(graph: Graph) -> Graph:
        return replace(graph, layers=tuple(map(change, graph.layers)))

    return replace(model, graph=changed(model.graph))


def option_under_another_name(model: LegacyModel) -> LegacyModel:
    """`epsilon` not found, so that the default stands in its place."""

    def without(layer: Layer) -> Layer:
        return replace(layer, config={key: value for key, value in layer.config.items() if key != "epsilon"})

    return with_layers(model, without)


def another_class(model: LegacyModel) -> LegacyModel:
    """SReLU taken for an activation of Keras's without arrays."""

    def taken(layer: Layer) -> Layer:
        config = {"name": layer.name, "activation": "relu"}
        return replace(layer, class_name="Activation", config=config) if layer.class_name == "SReLU" else layer

    return with_layers(model, taken)


def another_release(model: LegacyModel) -> LegacyModel:
    """TensorFlow 1.15 in the place of 1.13: masked steps differ."""
    return replace(model, runtime=replace(model.runtime, release=(1, 15)))


def a_wire_crossed(model: LegacyModel) -> LegacyModel:
    """The first layer with two inputs is called on them in the other order."""

    def crossed(layer: Layer) -> Layer:
        calls = tuple(replace(call, inputs=tuple(reversed(call.inputs))) for call in layer.calls)
        return replace(layer, calls=calls) if layer.name == crossing else layer

    crossing = next(each.name for each in model.graph.layers if each.calls and len(each.calls[0].inputs) == 2)
    return with_layers(model, crossed)


def swap_operands(patch: pytest.MonkeyPatch) -> None:
    """The table of stored operations takes the inputs of `Sub` in the other order."""
    table = dict(node_defs.OPERATIONS_BY_TYPE)
    table["Sub"] = replace(table["Sub"], inputs=("y", "x"))
    patch.setattr(node_defs, "OPERATIONS_BY_TYPE", table)


def leave(patch: pytest.MonkeyPatch) -> None:
    del patch


MISTAKES: dict[str, tuple[str, Misreading, Planting]] = {
    "an operand swapped in the table of operations": ("tfkeras-2.3.4/functions_arithmetic", as_read, swap_operands),
    "an option read under another name": ("tfkeras-2.15.1/amplified_rounding", option_under_another_name, leave),
    "another class": ("keras-1.2.2/curves", another_class, leave),
    "the wrong release": ("tfkeras-1.13.1/masked_bi_last", another_release, leave),
    "a connection crossed": ("keras-2.1.6/legacy_branches", a_wire_crossed, leave),
}


def agrees_with_golden(name: str, misreading: Misreading) -> bool:
    fixture = fixture_file(name)
    inputs, golden = fixture.batch()
    with open_legacy_model(fixture.source) as read:
        model = misreading(read)
        outputs: list[Any] = forward(model.graph, model.weights_of, inputs, model.runtime)
    return all(np.allclose(a, b, rtol=1e-4, atol=5e-3) for a, b in zip(outputs, golden, strict=True))


@pytest.mark.parametrize(("name", "misreading", "plant"), MISTAKES.values(), ids=MISTAKES.keys())
def test_golden_outputs_catch_what_both_sides_misread(
    name: str, misreading: Misreading, plant: Planting, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agrees_with_golden(name, as_read)
    plant(monkeypatch)
    assert not agrees_with_golden(name, misreading)
