"""Checks the form of a graph beyond its operations: all features by which TensorFlow finds, exchanges or places
functions.

A list of allowed operations is not enough: Grappler exchanges a function for another with the same `api_implements`, an
attribute may compile a function or choose a kernel, a device may be another machine's, and a loader runs whatever a
collection or a signature names as initializer. So everything that this program's writer does not write is refused,
whether or not it is known to be harmful.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from transforms.saved_model.gradient_form import check_gradients
from transforms.saved_model.operation_lists import INFERENCE
from transforms.saved_model.unsafe_graph import place, shown, unsafe

SIGNATURE = "serving_default"
_INITIALIZER = "__saved_model_init_op"
_INITIALIZER_COLLECTIONS = frozenset({"saved_model_main_op", "legacy_init_op"})

#: Python classes that `tf.saved_model.load` instantiates by an object's registered name.
_REGISTERED = frozenset({"", "tf.TrackableConstant", "tf.StaticHashTable"})

#: This machine's processors.
_DEVICE = re.compile(r"(/job:localhost)?(/replica:0)?(/task:0)?(/device:[CG]PU:([0-9]+|\*))?")

#: Exchange of functions as stated by tf-keras for LSTM and GRU: one implementation for CPUs, one for GPUs.
_EXCHANGE = frozenset({"api_implements", "api_preferred_device", "forward_function_name", "backward_function_name"})
_EXCHANGED = re.compile(r"__inference_(standard|gpu)_(lstm|gru)(?:_with_fallback)?_[0-9]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PREFERS = {"standard": b"CPU", "gpu": b"GPU"}

#: Attributes that assign a node or function to a special compiler, kernel or accelerator.
_FOREIGN_ATTRIBUTE = re.compile(r"_kernel$|_(xla|tpu|replicat|encapsulat|host_comp|outside_comp)", re.IGNORECASE)

#: The one function that tf-keras compiles: a convolution in groups, on a processor.
_COMPILED = "_XlaMustCompile"
_COMPILABLE = re.compile(r"__inference__jit_compiled_convolution_op_[0-9]+")
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})

_RESOURCE, _VARIANT = 20, 21


def check_form(graph: Any, savers: frozenset[str]) -> None:
    """Checks that a MetaGraphDef has the form of this program's writer.

    Args:
        graph: the MetaGraphDef.
        savers: names of the functions that write and read its variables.

    Raises:
        MigrationError: `unsafe_op`.
    """
    _check_unique(graph)
    _check_entry_points(graph)
    _check_objects(graph)
    check_gradients(graph.graph_def, savers)
    for function, node in all_nodes(graph):
        _check_node(node, function)
    for function in graph.graph_def.library.function:
        _check_attributes(function.attr, f"function {shown(function.signature.name)}", function.signature.name)
    _check_exchanges(graph.graph_def.library.function)


def all_nodes(graph: Any) -> Iterator[tuple[str, Any]]:
    """Every node with the name of its function, "" in the graph itself."""
    for node in graph.graph_def.node:
        yield "", node
    for function in graph.graph_def.library.function:
        for node in function.node_def:
            yield function.signature.name, node


def _check_unique(graph: Any) -> None:
    """Refuses duplicate names, which this program and TensorFlow might resolve differently."""
    from tensorflow.python.framework import op_def_registry

    library = graph.graph_def.library
    names = [function.signature.name for function in library.function]
    if len(set(names)) != len(names):
        raise unsafe("The artefact holds two functions of one name")
    operations = [name for name in names if op_def_registry.get(name) is not None]
    if operations:
        raise unsafe(f"The artefact's function {operations[0]!r} has the name of an operation")
    generic = [function.signature.name for function in library.function if function.signature.attr]
    if generic:
        raise unsafe(f"The artefact's function {shown(generic[0])!r} has parameters")
    for nodes in (graph.graph_def.node, *(function.node_def for function in library.function)):
        if len({node.name for node in nodes}) != len(nodes):
            raise unsafe("The artefact holds two nodes of one name")


def _check_entry_points(graph: Any) -> None:
    """Checks entry points: a loader may run only a node that waits for others, and offer only one signature."""
    nodes = {node.name: node for node in graph.graph_def.node}
    signatures = graph.signature_def
    if set(signatures) - {_INITIALIZER} != {SIGNATURE}:
        raise unsafe(f"The artefact offers the signatures {', '.join(map(shown, sorted(signatures)))}")
    if graph.meta_info_def.HasField("any_info") or graph.meta_info_def.function_aliases:
        raise unsafe("The artefact's graph names functions in other words")
    strangers = set(graph.collection_def) - _INITIALIZER_COLLECTIONS
    if strangers:
        raise unsafe(f"The artefact's graph holds the collection {shown(min(strangers))!r}")
    if any(each.WhichOneof("kind") != "node_list" for each in graph.collection_def.values()):
        raise unsafe("The artefact's graph states what it starts otherwise than by its name")
    started = [name for each in graph.collection_def.values() for name in each.node_list.value]
    for signature in signatures.values():
        tensors = [*signature.inputs.values(), *signature.outputs.values()]
        if signature.defaults or any(tensor.WhichOneof("encoding") != "name" for tensor in tensors):
            raise unsafe("The artefact's signature is not made of named tensors")
    if _INITIALIZER in signatures:
        started += [tensor.name for tensor in signatures[_INITIALIZER].outputs.values()]
    for name in started:
        if name not in nodes or nodes[name].op != "NoOp":
            raise unsafe(f"The artefact starts {shown(name)!r} when it is loaded")


def _check_objects(graph: Any) -> None:
    for node in graph.object_graph_def.nodes:
        if node.registered_name not in _REGISTERED:
            raise unsafe(f"The artefact holds a registered object {shown(node.registered_name)!r}")
        if node.registered_saver or node.HasField("serialized_user_proto"):
            raise unsafe("The artefact holds an object with a saver of its own")
        for device in (node.variable.device, node.resource.device):
            if not _DEVICE.fullmatch(device):
                raise unsafe(f"The artefact puts an object on the device {shown(device)!r}")


def _check_node(node: Any, function: str) -> None:
    if not _DEVICE.fullmatch(node.device):
        raise unsafe(f"The {place(node, function)} is on the device {shown(node.device)!r}")
    _check_attributes(node.attr, place(node, function), node.attr["f"].func.name if node.op in _CALLS else "")
    if stated := _EXCHANGE & set(node.attr):
        raise unsafe(f"The {place(node, function)} states {min(stated)}")


def _check_attributes(attributes: Any, where: str, function: str) -> None:
    """Attributes of a function, or of a node that calls it; "" for a node that calls none."""
    for name, value in attributes.items():
        if name != _COMPILED or value.WhichOneof("value") != "b" or not _COMPILABLE.fullmatch(function):
            _check_attribute(name, value, where)


def _check_attribute(name: str, value: Any, where: str) -> None:
    kind = value.WhichOneof("value")
    functions = (value.func,) if kind == "func" else value.list.func if kind == "list" else ()
    tensors = (value.tensor,) if kind == "tensor" else value.list.tensor if kind == "list" else ()
    if kind == "placeholder" or any(each.attr for each in functions):
        raise unsafe(f"The {where} hands on functions as parameters")
    if any(tensor.dtype in (_RESOURCE, _VARIANT) for tensor in tensors):
        raise unsafe(f"The {where} holds a constant that is no plain value")
    if _FOREIGN_ATTRIBUTE.match(name) and (kind not in ("s", "b", "i") or value.s or value.b or value.i):
        raise unsafe(f"The {where} states {shown(name)}")
    if name == "_collective_manager_ids" and value.list.i:
        raise unsafe(f"The {where} takes part in a collective")
    if name in ("config", "executor_type") and value.s:
        raise unsafe(f"The {where} states {name}")
    if name == "config_proto":
        _check_config(value.s, where)


def _check_config(serialized: bytes, where: str) -> None:
    """Checks the configuration of a call, which may contain only the devices of the writing machine."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.config_pb2 import ConfigProto

    try:
        config = ConfigProto.FromString(serialized)
    except DecodeError:
        raise unsafe(f"The {where} states a configuration that cannot be read") from None
    for field in ("device_count", "gpu_options", "pluggable_device_options", "allow_soft_placement"):
        config.ClearField(field)
    if any(field.name != "experimental" or value.ListFields() for field, value in config.ListFields()):
        raise unsafe(f"The {where} states a configuration of its own")


def _check_exchanges(functions: Any) -> None:
    """Checks exchangeable functions: only those of LSTM and GRU, in pairs, with one signature, and as restricted as
    others.
    """
    interfaces: dict[bytes, dict[bytes, Any]] = {}
    for function in functions:
        if not _EXCHANGE & set(function.attr):
            continue
        name = function.signature.name
        form = _EXCHANGED.fullmatch(name)
        interface = function.attr["api_implements"].s if "api_implements" in function.attr else b""
        kind, _, uuid = interface.decode("latin-1").partition("_")
        device = function.attr["api_preferred_device"].s if "api_preferred_device" in function.attr else b""
        others = {"forward_function_name", "backward_function_name"} & set(function.attr)
        if form is None or others or form[2] != kind or not _UUID.fullmatch(uuid) or device != _PREFERS[form[1]]:
            raise unsafe(f"The function {shown(name)} may be exchanged for others")
        if strange := [node for node in function.node_def if node.op not in INFERENCE]:
            raise unsafe(
                f"{shown(strange[0].op)} ({place(strange[0], name)}) stands in a function that may be exchanged"
            )
        if device in interfaces.setdefault(interface, {}):
            raise unsafe(f"The function {shown(name)} stands for what another does")
        interfaces[interface][device] = function
    for pair in interfaces.values():
        interchangeable = {
            tuple(argument.type for argument in (*function.signature.input_arg, *function.signature.output_arg))
            for function in pair.values()
        }
        if len(interchangeable) > 1:
            raise unsafe(f"The function {shown(next(iter(pair.values())).signature.name)} is exchanged for another")
