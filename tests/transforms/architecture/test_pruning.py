"""What no output depends on is left out: layers, calls, outputs of nested models."""

from __future__ import annotations

from typing import Any

from transforms.architecture.graph import Graph, TensorRef, evaluation_order
from transforms.architecture.parsing import parse_architecture
from transforms.architecture.pruning import left_out_note, without_unused


def layer(class_name: str, name: str, *inbound: Any, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": list(inbound)}


def model(outputs: list[Any], *layers: Any, name: str = "m") -> dict[str, Any]:
    config = {"name": name, "layers": list(layers), "input_layers": [["x", 0, 0]], "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def pruned(config: dict[str, Any]) -> tuple[Graph, list[str]]:
    graph, left_out = without_unused(parse_architecture(config))
    evaluation_order(graph)
    return graph, ["/".join(each.path) for each in left_out]


def test_a_loss_and_all_that_feeds_only_the_loss() -> None:
    graph, left_out = pruned(
        model(
            [["y", 0, 0]],
            layer("InputLayer", "x"),
            layer("Dense", "aside", [["x", 0, 0, {}]]),
            layer("Dense", "y", [["x", 0, 0, {}]]),
            layer("TFOpLambda", "sum", ["aside", 0, 0, {"y": ["y", 0, 0]}], function="math.add"),
            layer("AddLoss", "loss", [["sum", 0, 0, {}]]),
        )
    )
    assert [each.name for each in graph.layers] == ["x", "y"]
    assert left_out == ["aside", "sum", "loss"]
    assert [each.name for each in graph.stored_layers] == ["x", "aside", "y", "sum", "loss"]


def test_what_a_keyword_argument_names_is_needed() -> None:
    graph, left_out = pruned(
        model(
            [["y", 0, 0]],
            layer("InputLayer", "x"),
            layer("Dense", "q", [["x", 0, 0, {}]]),
            layer("MultiHeadAttention", "y", [["x", 0, 0, {"value": ["q", 0, 0]}]]),
        )
    )
    assert (len(graph.layers), left_out) == (3, [])


def test_calls_are_numbered_anew() -> None:
    graph, left_out = pruned(
        model(
            [["shared", 1, 0]],
            layer("InputLayer", "x"),
            layer("Dense", "aside", [["x", 0, 0, {}]]),
            layer("Dense", "shared", [["aside", 0, 0, {}]], [["x", 0, 0, {}]]),
        )
    )
    assert left_out == ["aside"]
    assert [call.inputs for call in graph.layer("shared").calls] == [(TensorRef("x"),)]
    assert graph.outputs == (TensorRef("shared"),)


def test_outputs_of_a_nested_model_that_nobody_uses() -> None:
    inner = model(
        [["aside", 0, 0], ["y", 0, 0]],
        layer("InputLayer", "x"),
        layer("Dense", "aside", [["x", 0, 0, {}]]),
        layer("Dense", "y", [["x", 0, 0, {}]]),
        name="inner",
    )
    graph, left_out = pruned(
        model(
            [["out", 0, 0]],
            layer("InputLayer", "x"),
            {**inner, "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]]]},
            layer("Dense", "out", [["inner", 1, 1, {}]]),
        )
    )
    assert left_out == ["inner/aside"]
    nested = graph.layer("inner").graph
    assert nested is not None
    assert nested.outputs == (TensorRef("y"),)
    assert graph.layer("out").calls[0].inputs == (TensorRef("inner"),)


def test_a_model_inside_a_wrapper() -> None:
    inner = model(
        [["y", 0, 0]],
        layer("InputLayer", "x"),
        layer("Dense", "y", [["x", 0, 0, {}]]),
        layer("AddLoss", "loss", [["y", 0, 0, {}]]),
        name="inner",
    )
    wrapped = layer("TimeDistributed", "td", [["x", 0, 0, {}]], layer=inner)
    assert pruned(model([["td", 0, 0]], layer("InputLayer", "x"), wrapped))[1] == ["td/layer/loss"]


def test_an_input_that_feeds_nothing_stays() -> None:
    layers = [layer("InputLayer", "x"), layer("InputLayer", "z"), layer("Dense", "y", [["z", 0, 0]])]
    config = model([["y", 0, 0]], *layers)
    config["config"]["input_layers"] = [["x", 0, 0], ["z", 0, 0]]
    graph, left_out = pruned(config)
    assert (graph.inputs, left_out) == ((TensorRef("x"), TensorRef("z")), [])


def test_the_note_names_five() -> None:
    graph, _ = without_unused(parse_architecture(model([["x", 0, 0]], layer("InputLayer", "x"))))
    assert left_out_note(()) == ()
    assert left_out_note(graph.layers * 7) == ("No output depends on x, x, x, x, x and 2 more: left out.",)
