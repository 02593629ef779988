"""The oldest release that loads a graph follows from what the graph holds."""

from __future__ import annotations

from typing import Any

import pytest
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from transforms.errors import MigrationError, Reason
from transforms.saved_model.oldest_release import oldest_release, require_release

LAYERS = [("encoder",), ("encoder", "counts"), ("counts",)]


def graph(operation: str, *attributes: str, name: str = "x", function: str = "") -> Any:
    meta_graph = MetaGraphDef()
    nodes = meta_graph.graph_def.node
    if function:
        held = meta_graph.graph_def.library.function.add()
        held.signature.name = function
        nodes = held.node_def
    node = nodes.add(name=name, op=operation)
    for each in attributes:
        node.attr[each].b = True
    return meta_graph


@pytest.mark.parametrize(
    "operation, attributes, release",
    [
        ("MatMul", (), (1, 15)),
        ("FusedBatchNormV3", (), (1, 15)),
        ("DenseBincount", (), (2, 4)),
        ("BatchMatMulV3", (), (2, 8)),
        ("DisableCopyOnRead", (), (2, 10)),
        ("VarHandleOp", ("shared_name",), (1, 15)),
        ("VarHandleOp", ("allowed_devices",), (2, 4)),
        ("VarHandleOp", ("debug_name",), (2, 15)),
        ("MatMul", ("_any",), (1, 15)),
        ("MatMul", ("grad_a",), (2, 21)),
    ],
)
@pytest.mark.parametrize("function", ["", "body"])
def test_oldest_release(operation: str, attributes: tuple[str, ...], release: Any, function: str) -> None:
    assert oldest_release(graph(operation, *attributes, function=function)) == release


def test_a_call_by_the_name_of_a_function_is_no_operation() -> None:
    called = graph("DenseBincount", function="DisableCopyOnRead")
    called.graph_def.node.add(name="x", op="DisableCopyOnRead")
    assert oldest_release(called) == (2, 4)


def test_what_loads_is_not_refused() -> None:
    require_release(graph("DenseBincount"), (2, 4), LAYERS)


@pytest.mark.parametrize(
    "name, layer",
    [
        ("model/encoder/counts/bincount/DenseBincount", ("encoder", "counts")),
        ("model/counts/bincount/DenseBincount", ("counts",)),
        ("DenseBincount", ()),
    ],
)
def test_the_refusal_names_operation_and_layer(name: str, layer: Any) -> None:
    with pytest.raises(MigrationError) as caught:
        require_release(graph("DenseBincount", name=name), (1, 15), LAYERS)
    assert caught.value.reason is Reason.NEEDS_NEWER_TENSORFLOW
    assert caught.value.layer == layer
    assert "DenseBincount exists from TensorFlow 2.4 on" in caught.value.message
