"""What is foreseen without TensorFlow is what the written graph turns out to be."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.architecture.graph import Graph, Layer, TensorRef
from transforms.canonical.subgraph import TENSOR_OP
from transforms.inspection.foreseen_artefact import foreseen_release, foreseen_signature


def graph(class_name: str, **config: Any) -> Graph:
    x = Layer("InputLayer", "te xt", ("te xt",), {"batch_input_shape": [None, 3], "dtype": "string"})
    layer = Layer(class_name, "out/put", ("out/put",), config)
    return Graph("Model", "m", (), {}, (x, layer), (TensorRef("te xt"),), (TensorRef("out/put"),))


def function(name: str, **arguments: Any) -> Graph:
    return graph(TENSOR_OP, op="function", options={"name": name, "arguments": arguments})


def expression(name: str) -> Graph:
    steps = [{"function": "add", "arguments": {"x": 1}}, {"function": name, "arguments": {"x": {"result": 0}}}]
    return graph(TENSOR_OP, op="expression", options={"expression": {"steps": steps}})


@pytest.mark.parametrize(
    "layers, release",
    [
        (graph("Dense"), (1, 15)),
        (graph("CategoryEncoding", output_mode="count"), (2, 4)),
        (graph("IntegerLookup", output_mode="int"), (1, 15)),
        (graph("StringLookup", output_mode="one_hot"), (2, 4)),
        (function("linalg.diag_part", k=1), (2, 4)),
        (function("linalg.diag_part"), (2, 4)),
        (function("linalg.trace"), (2, 4)),
        (expression("diagonal"), (2, 4)),
        (expression("multiply"), (1, 15)),
    ],
)
def test_release(layers: Graph, release: Any) -> None:
    assert foreseen_release(layers) == release


def test_counts_are_written_in_plain_operations_where_asked() -> None:
    assert foreseen_release(graph("CategoryEncoding", output_mode="count"), prefer_old=True) == (1, 15)
    assert foreseen_release(function("bincount"), prefer_old=True) == (2, 4)


def test_signature() -> None:
    found = foreseen_signature(graph("Dense"), "float32", {("out/put",): (None, 2)})
    assert [str(each) for each in (*found.inputs, *found.outputs)] == [
        "te_xt: string (?, 3), x0, layer te xt",
        "out/put: (?, 2), y0",
    ]
