"""A batch that a model states and does not need is free; functions may name it."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.architecture.graph import Graph, Layer, TensorRef
from transforms.canonical.free_batch import with_free_batch
from transforms.canonical.subgraph import TENSOR_OP


def layer(class_name: str, name: str, **config: Any) -> Layer:
    return Layer(class_name, name, (name,), config)


def graph(*layers: Layer) -> Graph:
    outputs = (TensorRef(layers[-1].name),)
    return Graph("Model", "model", (), {}, layers, (TensorRef(layers[0].name),), outputs)


def batch_of(found: Graph) -> Any:
    return [each.config["batch_input_shape"][0] for each in found.walk() if each.class_name == "InputLayer"]


INPUT = layer("InputLayer", "x", batch_input_shape=[3, None, 4])
STATEFUL = layer("LSTM", "lstm", stateful=True)


@pytest.mark.parametrize(
    "layers, batch",
    [
        ([INPUT, STATEFUL], None),
        ([INPUT, layer("LSTM", "lstm", stateful=False)], None),
        ([INPUT, layer("Dense", "dense")], None),
        ([INPUT, layer("TimeDistributed", "td")], 3),
        ([INPUT, STATEFUL, layer("TimeDistributed", "td")], None),
        ([INPUT, layer(TENSOR_OP, "f", op="function")], 3),
        ([INPUT, layer("Bidirectional", "bi"), STATEFUL, layer(TENSOR_OP, "last", op="last_step")], None),
        ([INPUT, STATEFUL, layer(TENSOR_OP, "f", op="function")], 3),
        ([INPUT, STATEFUL, layer(TENSOR_OP, "f", op="expression")], 3),
    ],
)
def test_the_batch(layers: list[Layer], batch: int | None) -> None:
    assert batch_of(with_free_batch(graph(*layers), graph(*layers))) == [batch]


def test_inputs_of_nested_models_too() -> None:
    inner = Layer("Model", "inner", ("inner",), {}, graph=graph(INPUT, STATEFUL))
    outer = graph(INPUT, inner)
    assert batch_of(with_free_batch(outer, outer)) == [None, None]


def test_what_may_name_the_batch_is_left_alone() -> None:
    fixed = graph(INPUT, layer(TENSOR_OP, "f", op="function"))
    assert with_free_batch(fixed, fixed) is fixed
