"""What only younger releases know and no output depends on is not written."""

from __future__ import annotations

from typing import Any

import pytest
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from transforms.saved_model.oldest_form import with_oldest_form


def saving() -> tuple[SavedModel, Any]:
    """A function in which a variable is read, behind two nodes that disable copies of it."""
    model = SavedModel()
    graph = model.meta_graphs.add().graph_def
    function = graph.library.function.add()
    function.signature.name = "__inference__traced_save_1"
    body = function.node_def
    body.add(name="first", op="NoOp")
    body.add(name="Read/DisableCopyOnRead", op="DisableCopyOnRead", input=["v", "^first"])
    body.add(name="Read_1/DisableCopyOnRead", op="DisableCopyOnRead", input=["v", "^Read/DisableCopyOnRead"])
    body.add(name="Read", op="ReadVariableOp", input=["v", "^Read_1/DisableCopyOnRead", "^first"])
    body.add(name="Twice", op="Mul", input=["Read:value:0", "Read:value:0", "^Read/DisableCopyOnRead"])
    for name in ("Read", "Read/DisableCopyOnRead"):
        function.control_ret[name] = name
        function.signature.control_output.append(name)
    function.ret["identity"] = "Twice:z:0"
    variable = graph.node.add(name="v", op="VarHandleOp")
    variable.attr["shared_name"].s = variable.attr["debug_name"].s = b"v"
    variable = body.add(name="inner", op="VarHandleOp")
    variable.attr["debug_name"].s = b"inner"
    for name in ("DisableCopyOnRead", "ReadVariableOp"):
        model.meta_graphs[0].meta_info_def.stripped_op_list.op.add(name=name)
    return model, function


def test_what_waited_for_a_removed_node_waits_for_what_that_waited_for() -> None:
    model, function = saving()
    assert with_oldest_form(model) is model
    assert {node.name: list(node.input) for node in function.node_def} == {
        "first": [],
        "Read": ["v", "^first"],
        "Twice": ["Read:value:0", "Read:value:0", "^first"],
        "inner": [],
    }
    assert dict(function.control_ret) == {"Read": "Read"}
    assert list(function.signature.control_output) == ["Read"]


def test_attributes_and_the_list_of_operations_follow() -> None:
    model, function = saving()
    with_oldest_form(model)
    (graph,) = model.meta_graphs
    assert set(graph.graph_def.node[0].attr) == {"shared_name"}
    assert set(function.node_def[-1].attr) == set()
    assert [each.name for each in graph.meta_info_def.stripped_op_list.op] == ["ReadVariableOp"]


def test_a_second_time_changes_nothing() -> None:
    once = with_oldest_form(saving()[0]).SerializeToString(deterministic=True)
    assert with_oldest_form(SavedModel.FromString(once)).SerializeToString(deterministic=True) == once


def test_a_value_that_should_not_be_there_is_not_removed_in_silence() -> None:
    model, function = saving()
    function.ret["identity"] = "Read/DisableCopyOnRead:x:0"
    with pytest.raises(ValueError, match="is used"):
        with_oldest_form(model)
