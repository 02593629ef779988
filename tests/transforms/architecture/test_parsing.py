"""Stored configs to layer graphs."""

from typing import Any

import pytest

from transforms.architecture.graph import TensorRef, evaluation_order
from transforms.architecture.parsing import parse_architecture
from transforms.errors import MigrationError, Reason


def layer(class_name: str, name: str, *inbound: Any, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": list(inbound)}


def functional(layers: list[Any], inputs: list[Any], outputs: list[Any], name: str = "model") -> dict[str, Any]:
    config = {"name": name, "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Model", "config": config}


DENSE = {"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 3], "dtype": "float32"}}


@pytest.mark.parametrize("config", [[DENSE], {"name": "s", "layers": [DENSE]}], ids=["list", "dict"])
def test_sequential_gets_the_input_layer_that_keras_implies(config: Any) -> None:
    graph = parse_architecture({"class_name": "Sequential", "config": config})
    assert [each.name for each in graph.layers] == ["d_input", "d"]
    assert graph.layers[0].config["batch_input_shape"] == [None, 3]
    assert graph.layer("d").calls[0].inputs == (TensorRef("d_input"),)


def test_calls_of_a_nested_model_count_from_one_and_of_a_shared_layer_from_zero() -> None:
    inner = functional([layer("InputLayer", "i", batch_input_shape=[None, 2])], [["i", 0, 0]], [["i", 0, 0]], "inner")
    nested = {**inner, "name": "inner", "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]}
    shared = layer("Dense", "shared", [["inner", 1, 0, {}]], [["inner", 2, 0, {}]])
    add = layer("Add", "add", [["shared", 0, 0, {}], ["shared", 1, 0, {}]])
    inputs = [layer("InputLayer", name, batch_input_shape=[None, 2]) for name in "ab"]
    graph = parse_architecture(functional([*inputs, nested, shared, add], [["a", 0, 0], ["b", 0, 0]], [["add", 0, 0]]))
    assert graph.layer("shared").calls[0].inputs == (TensorRef("inner", 0, 0),)
    assert graph.layer("shared").calls[1].inputs == (TensorRef("inner", 1, 0),)
    order = [(each.name, index) for each, index in evaluation_order(graph)]
    assert order.index(("inner", 1)) < order.index(("shared", 1)) < order.index(("add", 0))
    assert graph.layer("inner").graph is not None
    assert graph.layer("inner").graph.layers[0].path == ("inner", "i")


def test_initial_states_stored_as_call_arguments_become_inputs() -> None:
    states = {"initial_state": [["h", 0, 0], ["c", 0, 0]], "constants": None}
    names = ["x", "h", "c"]
    inputs = [layer("InputLayer", name, batch_input_shape=[None, 2]) for name in names]
    lstm = layer("LSTM", "lstm", [["x", 0, 0, states]])
    graph = parse_architecture(functional([*inputs, lstm], [[n, 0, 0] for n in names], [["lstm", 0, 0]]))
    call = graph.layer("lstm").calls[0]
    assert [ref.layer for ref in call.inputs] == names
    assert call.kwargs == {}


def deep(depth: int) -> dict[str, Any]:
    config: dict[str, Any] = DENSE
    for _ in range(depth):
        config = {"class_name": "Sequential", "config": [config]}
    return config


INPUT = layer("InputLayer", "x", batch_input_shape=[None, 2])
REFUSALS = {
    "null": (None, Reason.INVALID_CONFIG),
    "unknown root": ({"class_name": "system", "config": {}}, Reason.CUSTOM_OBJECTS_NEEDED),
    "no layers": ({"class_name": "Sequential", "config": []}, Reason.INVALID_CONFIG),
    "twice one name": ({"class_name": "Sequential", "config": [DENSE, DENSE]}, Reason.INVALID_CONFIG),
    "number for a name": (functional([{**INPUT, "name": 7}], [], []), Reason.INVALID_CONFIG),
    "stranger": (functional([INPUT], [["x", 0, 0]], [["y", 0, 0]]), Reason.INVALID_CONFIG),
    "call too many": (
        functional([INPUT, layer("Dense", "d", [["x", 0, 0, {}]])], [["x", 0, 0]], [["d", 3, 0]]),
        Reason.INVALID_CONFIG,
    ),
    "not a reference": (functional([INPUT, layer("Dense", "d", [["x", 0]])], [], []), Reason.INVALID_CONFIG),
    "wrapper of nothing": (functional([layer("Bidirectional", "b")], [], []), Reason.INVALID_CONFIG),
    "too deep": (deep(40), Reason.OVER_BUDGET),
}


@pytest.mark.parametrize(("config", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(config: Any, reason: Reason) -> None:
    with pytest.raises(MigrationError) as refusal:
        parse_architecture(config)
    assert refusal.value.reason is reason


def test_a_circle_is_named() -> None:
    a, b = layer("Dense", "a", [["b", 0, 0, {}]]), layer("Dense", "b", [["a", 0, 0, {}]])
    graph = parse_architecture(functional([a, b], [], [["b", 0, 0]]))
    with pytest.raises(ValueError, match="a, b"):
        evaluation_order(graph)


def named(name: str, class_name: str = "Dense", **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, "batch_input_shape": [None, 3], **config}}


LONG = "n" * (4 << 20)


@pytest.mark.parametrize(
    "config",
    [
        {"name": "s", "layers": [named(LONG)]},
        {"name": "s", "layers": [named("d", LONG)]},
        {"name": LONG, "layers": [named("d")]},
        {"name": "s", "layers": [named("t", "TimeDistributed", layer=named(LONG))]},
    ],
    ids=["of a layer", "of a class", "of the model", "of a wrapped layer"],
)
def test_names_of_megabytes_are_refused_in_a_line(config: Any) -> None:
    with pytest.raises(MigrationError) as caught:
        parse_architecture({"class_name": "Sequential", "config": config})
    assert caught.value.reason is Reason.INVALID_CONFIG
    assert len(str(caught.value)) < 1_000


def test_no_message_is_longer_than_a_report_takes() -> None:
    error = MigrationError(Reason.INVALID_CONFIG, LONG, layer=(LONG, "d1", LONG), advice=LONG)
    assert len(str(error)) < 6_000
    assert error.layer[1] == "d1"
