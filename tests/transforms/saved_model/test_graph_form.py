"""Whatever a graph may state beside its operations: this program's form passes, and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorflow.core.protobuf.config_pb2 import ConfigProto

from tests.transforms.conftest import Migrations
from tests.transforms.saved_model.written_graphs import Edit, WrittenGraph, every_node, function, node, nodes
from transforms.errors import MigrationError, Reason
from transforms.saved_model.operation_check import check_operations

CALL = "StatefulPartitionedCall"


@pytest.fixture(scope="module")
def written(migrated: Migrations) -> WrittenGraph:
    return WrittenGraph(migrated("keras-2.2.4/emb_cudnn_lstm").folder)


def served(graph: Any) -> Any:
    return function(graph, "serving_default")


def exchanged(graph: Any, stem: str) -> Any:
    return function(graph, f"{stem}_lstm")


def stating(attribute: str, **value: Any) -> Edit:
    """A node of the served function states an attribute."""

    def edit(graph: Any) -> None:
        stated = served(graph).node_def[0].attr[attribute]
        for kind, each in value.items():
            setattr(stated, kind, each)

    edit.__name__ = f"the attribute {attribute}"
    return edit


def on_device(device: str) -> Edit:
    def edit(graph: Any) -> None:
        served(graph).node_def[0].device = device

    edit.__name__ = device
    return edit


def configured(change: Callable[[Any], None]) -> Edit:
    def edit(graph: Any) -> None:
        call = node(graph, CALL)
        config = ConfigProto.FromString(call.attr["config_proto"].s)
        change(config)
        call.attr["config_proto"].s = config.SerializeToString()

    edit.__name__ = "a configuration"
    return edit


def a_third_implementation(graph: Any) -> None:
    other = graph.graph_def.library.function.add()
    other.CopyFrom(exchanged(graph, "standard"))
    other.signature.name = "__inference_standard_lstm_99"


def another_name(graph: Any) -> None:
    bears = exchanged(graph, "standard")
    for name in ("api_implements", "api_preferred_device"):
        served(graph).attr[name].CopyFrom(bears.attr[name])


def another_device(graph: Any) -> None:
    exchanged(graph, "gpu").attr["api_preferred_device"].s = b"CPU"


def another_interface(graph: Any) -> None:
    for stem in ("gpu", "standard"):
        exchanged(graph, stem).attr["api_implements"].s = b"anything"


def another_signature(graph: Any) -> None:
    exchanged(graph, "gpu").signature.input_arg[0].type = 7


def another_operation(graph: Any) -> None:
    exchanged(graph, "gpu").node_def.add(name="x", op="StringUpper")


def a_forward_function(graph: Any) -> None:
    exchanged(graph, "gpu").attr["forward_function_name"].s = served(graph).signature.name.encode()


def an_interface_of_a_node(graph: Any) -> None:
    call = node(graph, CALL)
    call.attr["api_implements"].CopyFrom(exchanged(graph, "gpu").attr["api_implements"])


def a_gradient(graph: Any) -> None:
    graph.graph_def.library.gradient.add(function_name="a", gradient_func=served(graph).signature.name)


def a_registered_gradient(graph: Any) -> None:
    graph.graph_def.library.registered_gradients.add(
        gradient_func=served(graph).signature.name, registered_op_type="CustomGradient-9"
    )


def a_function_called_like_an_operation(graph: Any) -> None:
    other = graph.graph_def.library.function.add()
    other.CopyFrom(served(graph))
    other.signature.name = "Tanh"


def two_functions_of_one_name(graph: Any) -> None:
    graph.graph_def.library.function.add().CopyFrom(served(graph))


def two_nodes_of_one_name(graph: Any) -> None:
    served(graph).node_def.add().CopyFrom(served(graph).node_def[0])


def a_parameter(graph: Any) -> None:
    served(graph).signature.attr.add(name="g", type="func")


def another_signature_offered(graph: Any) -> None:
    graph.signature_def["more"].CopyFrom(graph.signature_def["serving_default"])


def a_default(graph: Any) -> None:
    graph.signature_def["serving_default"].defaults["x"].dtype = 1


def a_sparse_input(graph: Any) -> None:
    graph.signature_def["serving_default"].inputs["x"].coo_sparse.values_tensor_name = "x"


def a_collection(graph: Any) -> None:
    graph.collection_def["table_initializer"].node_list.value.append("NoOp")


def a_collection_of_bytes(graph: Any) -> None:
    graph.collection_def["saved_model_main_op"].bytes_list.value.append(b"NoOp")


def an_alias(graph: Any) -> None:
    graph.meta_info_def.function_aliases["a"] = "b"


def anything(graph: Any) -> None:
    graph.meta_info_def.any_info.type_url = "type.googleapis.com/a"


def a_registered_class(graph: Any) -> None:
    graph.object_graph_def.nodes[0].registered_name = "Custom.Layer"


def a_saver_of_its_own(graph: Any) -> None:
    graph.object_graph_def.nodes[0].registered_saver = "Custom.saver"


def an_object_elsewhere(graph: Any) -> None:
    held = next(each for each in graph.object_graph_def.nodes if each.HasField("variable"))
    held.variable.device = "/job:worker/task:0"


def a_resource_constant(graph: Any) -> None:
    value = nodes(served(graph), "Const")[0].attr["value"].tensor
    value.dtype = 20
    value.resource_handle_val.add(name="another model's variable")


def a_variant_constant(graph: Any) -> None:
    value = served(graph).node_def.add(name="x", op="Const").attr["value"].tensor
    value.dtype = 21
    value.variant_val.add(type_name="tensorflow::data::WrappedDatasetVariant")


def a_bound_function(graph: Any) -> None:
    graph.graph_def.node.add(name="x", op=CALL).attr["f"].func.attr["g"].func.name = "a"


EDITS: list[Edit] = [
    a_third_implementation,
    another_name,
    another_device,
    another_interface,
    another_signature,
    another_operation,
    a_forward_function,
    an_interface_of_a_node,
    a_gradient,
    a_registered_gradient,
    a_function_called_like_an_operation,
    two_functions_of_one_name,
    two_nodes_of_one_name,
    a_parameter,
    another_signature_offered,
    a_default,
    a_sparse_input,
    a_collection,
    a_collection_of_bytes,
    an_alias,
    anything,
    a_registered_class,
    a_saver_of_its_own,
    an_object_elsewhere,
    a_resource_constant,
    a_variant_constant,
    a_bound_function,
    stating("f", placeholder="g"),
    stating("_kernel", s=b"eager"),
    stating("_XlaMustCompile", b=True),
    stating("_gradient_op_type", s=b"MatMul"),
    stating("_xla_compile_id", s=b"1"),
    stating("_tpu_replicate", s=b"cluster"),
    stating("executor_type", s=b"OTHER"),
    stating("config", s=b"other"),
    stating("config_proto", s=b"\xff"),
    on_device("/job:worker/replica:0/task:0/device:CPU:0"),
    on_device("/device:TPU:0"),
    on_device("/device:CPU:0;/job:worker"),
    on_device("grpc://10.0.0.1:2222"),
    configured(lambda config: config.graph_options.rewrite_options.custom_optimizers.add(name="x")),
    configured(lambda config: setattr(config.graph_options.rewrite_options, "implementation_selector", 1)),
    configured(lambda config: config.cluster_def.job.add(name="worker")),
    configured(lambda config: setattr(config.experimental, "collective_group_leader", "/job:worker")),
    configured(lambda config: config.session_inter_op_thread_pool.add(num_threads=1)),
    configured(lambda config: setattr(config.rpc_options, "compression_algorithm", "gzip")),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_any_other_form_is_refused(edit: Edit, written: WrittenGraph, tmp_path: Path) -> None:
    folder = written.edited(edit, tmp_path)
    with pytest.raises(MigrationError) as caught:
        check_operations(folder, custom_code=True)
    assert caught.value.reason is Reason.UNSAFE_OP


@pytest.mark.parametrize(
    "edit",
    [
        on_device("/job:localhost/replica:0/task:0/device:GPU:1"),
        on_device("/device:CPU:*"),
        stating("_XlaMustCompile", b=False),
        configured(lambda config: config.device_count.update({"CPU": 8, "GPU": 2})),
    ],
)
def test_what_another_machine_of_ours_would_write_passes(edit: Edit, written: WrittenGraph, tmp_path: Path) -> None:
    check_operations(written.edited(edit, tmp_path))


def test_genuine_graphs_hold_exchanged_functions(written: WrittenGraph) -> None:
    graph = written.parsed
    stated = [each.signature.name for each in graph.graph_def.library.function if "api_implements" in each.attr]
    assert len(stated) == 2
    assert any(each.device for each in every_node(graph))
