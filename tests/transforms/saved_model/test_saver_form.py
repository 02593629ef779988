"""Functions that save and restore: TensorFlow's own pass, and nothing else does that reaches files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.transforms.conftest import Migrations
from tests.transforms.saved_model.written_graphs import Edit, WrittenGraph, function, node, nodes
from transforms.errors import MigrationError, Reason
from transforms.saved_model.operation_check import check_operations

CALL = "StatefulPartitionedCall"


@pytest.fixture(scope="module")
def written(migrated: Migrations) -> WrittenGraph:
    return WrittenGraph(migrated("keras-2.2.4/emb_cudnn_lstm").folder)


def saving(graph: Any) -> Any:
    return function(graph, "traced_save")


def restoring(graph: Any) -> Any:
    return function(graph, "traced_restore")


def save_call(graph: Any) -> Any:
    return node(graph, graph.saver_def.save_tensor_name.partition(":")[0])


def only(holder: Any, operation: str) -> Any:
    (found,) = nodes(holder, operation)
    return found


def constant(holder: Any, name: str, text: bytes) -> None:
    """A node that holds a text."""
    planted = holder.add(name=name, op="Const")
    planted.attr["dtype"].type = 7
    planted.attr["value"].tensor.dtype = 7
    planted.attr["value"].tensor.tensor_shape.SetInParent()
    planted.attr["value"].tensor.string_val.append(text)


def another_prefix(graph: Any) -> None:
    constant(saving(graph).node_def, "elsewhere", b"/tmp/x")
    only(saving(graph), "SaveV2").input[0] = "elsewhere:output:0"


def another_prefix_behind_the_shard(graph: Any) -> None:
    constant(saving(graph).node_def, "elsewhere", b"/tmp/x")
    only(saving(graph), "ShardedFilename").input[0] = "elsewhere:output:0"


def another_prefix_behind_the_join(graph: Any) -> None:
    constant(saving(graph).node_def, "elsewhere", b"/tmp/x")
    only(saving(graph), "StringJoin").input[0] = "elsewhere:output:0"


def another_suffix(graph: Any) -> None:
    for each in nodes(saving(graph), "Const"):
        if each.attr["value"].tensor.string_val[:] == [b"_temp/part"]:
            each.attr["value"].tensor.string_val[0] = b"/../../x"


def another_destination(graph: Any) -> None:
    constant(saving(graph).node_def, "elsewhere", b"/tmp/x")
    only(saving(graph), "MergeV2Checkpoints").input[1] = "elsewhere:output:0"


def other_shards_to_merge(graph: Any) -> None:
    constant(saving(graph).node_def, "elsewhere", b"/etc/passwd")
    only(saving(graph), "Pack").input[0] = "elsewhere:output:0"


def a_read_variable_as_path(graph: Any) -> None:
    only(saving(graph), "SaveV2").input[0] = nodes(saving(graph), "ReadVariableOp")[0].name + ":value:0"


def a_second_save(graph: Any) -> None:
    saving(graph).node_def.add().CopyFrom(only(saving(graph), "SaveV2"))
    saving(graph).node_def[-1].name = "second"


def a_slice(graph: Any) -> None:
    name = only(saving(graph), "SaveV2").input[2].partition(":")[0]
    (slices,) = (each for each in saving(graph).node_def if each.name == name)
    slices.attr["value"].tensor.string_val[0] = b"4 4 0,2:-"


def another_pattern(graph: Any) -> None:
    only(saving(graph), "StaticRegexFullMatch").attr["pattern"].s = b".*"


def a_call(graph: Any) -> None:
    saving(graph).node_def.add(name="x", op=CALL).attr["f"].func.name = function(
        graph, "serving_default"
    ).signature.name


def an_exchange(graph: Any) -> None:
    bears = next(each for each in graph.graph_def.library.function if "api_implements" in each.attr)
    for name in ("api_implements", "api_preferred_device"):
        saving(graph).attr[name].CopyFrom(bears.attr[name])


def a_path_of_its_own(graph: Any) -> None:
    saving(graph).signature.input_arg[0].type = 20


def reads_elsewhere(graph: Any) -> None:
    constant(restoring(graph).node_def, "elsewhere", b"/etc/passwd")
    only(restoring(graph), "RestoreV2").input[0] = "elsewhere:output:0"


def returns_what_it_read(graph: Any) -> None:
    key = next(iter(restoring(graph).ret))
    restoring(graph).ret[key] = "RestoreV2:tensors:0"


def assigns_a_constant(graph: Any) -> None:
    constant(restoring(graph).node_def, "other", b"1")
    nodes(restoring(graph), "AssignVariableOp")[0].input[1] = "other:output:0"


def assigns_to_no_argument(graph: Any) -> None:
    nodes(restoring(graph), "AssignVariableOp")[0].input[0] = "RestoreV2:tensors:0"


def renamed(graph: Any, new: str) -> None:
    save_call(graph).attr["f"].func.name = saving(graph).signature.name = new


def called_again(graph: Any) -> None:
    graph.graph_def.node.add(name="x", op=CALL).attr["f"].func.name = saving(graph).signature.name


def called_in_a_loop(graph: Any) -> None:
    body = function(graph, "while_body")
    body.node_def.add(name="x", op=CALL).attr["f"].func.name = restoring(graph).signature.name


def called_as_an_operation(graph: Any) -> None:
    graph.graph_def.node.add(name="x", op=saving(graph).signature.name)


def called_as_a_branch(graph: Any) -> None:
    branches = graph.graph_def.node.add(name="x", op="Case").attr["branches"].list.func
    branches.add(name=function(graph, "while_body").signature.name)
    branches.add(name=saving(graph).signature.name)


def called_as_a_parameter(graph: Any) -> None:
    called = graph.graph_def.node.add(name="x", op=CALL).attr["f"].func
    called.name = function(graph, "serving_default").signature.name
    called.attr["g"].func.name = saving(graph).signature.name


def named_as_the_gradient(graph: Any) -> None:
    function(graph, "serving_default").attr["backward_function_name"].s = saving(graph).signature.name.encode()


def offered_to_callers(graph: Any) -> None:
    graph.object_graph_def.concrete_functions[saving(graph).signature.name].bound_inputs.append(1)


def offered_as_an_attribute(graph: Any) -> None:
    offered = graph.object_graph_def.nodes.add().function.concrete_functions
    offered.append(saving(graph).signature.name)


def offered_bare(graph: Any) -> None:
    bare = graph.object_graph_def.nodes.add().bare_concrete_function
    bare.concrete_function_name = restoring(graph).signature.name


def served(graph: Any) -> None:
    output = next(iter(graph.signature_def["serving_default"].outputs.values()))
    output.name = graph.saver_def.save_tensor_name


def served_as_sparse(graph: Any) -> None:
    output = graph.signature_def["serving_default"].outputs["more"]
    output.coo_sparse.values_tensor_name = graph.saver_def.save_tensor_name


def asked_for(graph: Any) -> None:
    graph.signature_def["serving_default"].inputs["path"].name = graph.saver_def.filename_tensor_name


def a_path_by_default(graph: Any) -> None:
    constant(graph.graph_def.node, "default", b"/tmp/x")
    path = node(graph, "saver_filename")
    path.op = "PlaceholderWithDefault"
    path.input.append("default")


def a_constant_path(graph: Any) -> None:
    constant(graph.graph_def.node, "elsewhere", b"/tmp/x")
    save_call(graph).input[0] = "elsewhere"


def a_constant_in_place_of_the_path(graph: Any) -> None:
    constant(graph.graph_def.node, "elsewhere", b"/tmp/x")
    save_call(graph).input[0] = "elsewhere"
    graph.saver_def.filename_tensor_name = "elsewhere:0"


def an_output_of_the_saver(graph: Any) -> None:
    graph.graph_def.node.add(name="x", op="Identity", input=[save_call(graph).name])


def a_dependency_on_the_saver(graph: Any) -> None:
    graph.graph_def.node.add(name="x", op="NoOp", input=[f"^{graph.saver_def.restore_op_name}"])


def started_when_loaded(graph: Any) -> None:
    node(graph, "NoOp").input.append(f"^{save_call(graph).name}")


def started_by_the_collection(graph: Any) -> None:
    graph.collection_def["saved_model_main_op"].node_list.value[0] = save_call(graph).name


def started_by_an_old_collection(graph: Any) -> None:
    graph.collection_def["legacy_init_op"].node_list.value.append(save_call(graph).name)


def started_by_the_signature(graph: Any) -> None:
    started = graph.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"]
    started.name = save_call(graph).name


def the_served_call_as_saver(graph: Any) -> None:
    graph.saver_def.save_tensor_name = f"{CALL}:0"


def a_variable_as_saver(graph: Any) -> None:
    graph.saver_def.save_tensor_name = nodes(graph, "VarHandleOp")[0].name


def no_saver(graph: Any) -> None:
    graph.saver_def.Clear()


def two_of_one_name(graph: Any) -> None:
    other = graph.graph_def.library.function.add()
    other.CopyFrom(saving(graph))
    only(other, "SaveV2").input[0] = "elsewhere:output:0"
    constant(other.node_def, "elsewhere", b"/tmp/x")


EDITS: list[Edit] = [
    another_prefix,
    another_prefix_behind_the_shard,
    another_prefix_behind_the_join,
    another_suffix,
    another_destination,
    other_shards_to_merge,
    a_read_variable_as_path,
    a_second_save,
    a_slice,
    another_pattern,
    a_call,
    an_exchange,
    a_path_of_its_own,
    reads_elsewhere,
    returns_what_it_read,
    assigns_a_constant,
    assigns_to_no_argument,
    lambda graph: renamed(graph, "Identity"),
    lambda graph: renamed(graph, "serve"),
    called_again,
    called_in_a_loop,
    called_as_an_operation,
    called_as_a_branch,
    called_as_a_parameter,
    named_as_the_gradient,
    offered_to_callers,
    offered_as_an_attribute,
    offered_bare,
    served,
    served_as_sparse,
    asked_for,
    a_path_by_default,
    a_constant_path,
    a_constant_in_place_of_the_path,
    an_output_of_the_saver,
    a_dependency_on_the_saver,
    started_when_loaded,
    started_by_the_collection,
    started_by_an_old_collection,
    started_by_the_signature,
    the_served_call_as_saver,
    a_variable_as_saver,
    no_saver,
    two_of_one_name,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("custom_code", [False, True])
def test_any_other_saver_is_refused(edit: Edit, custom_code: bool, written: WrittenGraph, tmp_path: Path) -> None:
    folder = written.edited(edit, tmp_path)
    with pytest.raises(MigrationError) as caught:
        check_operations(folder, custom_code=custom_code)
    assert caught.value.reason is Reason.UNSAFE_OP


def test_the_savers_of_every_kind_of_artefact_pass(migrated: Migrations) -> None:
    for name in ("keras-2.2.4/emb_cudnn_lstm", "keras-2.2.4/cudnn_gru", "keras-2.2.4/conv1d", "keras-2.2.4/stateful"):
        check_operations(migrated(name).folder)
