"""Checks a written SavedModel against `saved_model.operation_lists`, on the bytes that a server would read.

Every node of the graph and of every function in its library is looked at, whether something calls it or not. What
reads and writes files may stand in the functions of the saver alone, and these may be called by nothing but the two
nodes that `saver_def` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from transforms.errors import MigrationError, Reason
from transforms.saved_model.operation_lists import HARMLESS_STATEFUL, INFERENCE, SAVER, is_fatal

GRAPH_FILE = "saved_model.pb"
_NAME_LENGTH = 120


def check_operations(saved_model: Path, *, custom_code: bool = False) -> Any:
    """Refuses an artefact that could do more than compute its outputs.

    Args:
        saved_model: the folder.
        custom_code: whether the operator's code helped to build it; its graph may then hold any operation that is
            registered, free of side effects and not fatal, beside those of standard layers.

    Returns:
        The one MetaGraphDef that was looked at.

    Raises:
        MigrationError: `unsafe_op`, naming the operation with its node and function; also for assets, a second graph
            file or graph, and saver functions that something else can call.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    refuse_other_files(saved_model)
    graphs = SavedModel.FromString((saved_model / GRAPH_FILE).read_bytes()).meta_graphs
    if len(graphs) != 1:
        raise _unsafe(f"The artefact holds {len(graphs)} graphs instead of one")
    (graph,) = graphs
    if (
        graph.asset_file_def
        or "saved_model_assets" in graph.collection_def
        or any(node.HasField("asset") for node in graph.object_graph_def.nodes)
    ):
        raise _unsafe("The artefact's graph names assets")
    saver_functions = _saver_functions(graph)
    allowed = _allowed_with_custom_code if custom_code else INFERENCE.__contains__
    for node in graph.graph_def.node:
        _check(node, "", allowed)
    for function in graph.graph_def.library.function:
        name = function.signature.name
        for node in function.node_def:
            if name in saver_functions:
                _check_saver(node, name)
            else:
                _check(node, name, allowed)
    return graph


def refuse_other_files(folder: Path) -> None:
    """Raises MigrationError `unsafe_op` for assets and for a second graph file.

    TensorFlow also reads `saved_model.cpb` and `saved_model.pbtxt`; neither is ever written here.
    """
    others = sorted(path.name for path in folder.glob("saved_model.*") if path.name != GRAPH_FILE)
    assets = folder / "assets"
    held = sorted(path.name for path in assets.iterdir()) if assets.is_dir() and not assets.is_symlink() else []
    if others or held or assets.is_symlink():
        found = [*others, *(f"assets/{name}" for name in held)] or ["assets as a link"]
        raise _unsafe(f"The artefact holds files that are not of this program's making: {', '.join(found)[:300]}")


def _saver_functions(graph: Any) -> frozenset[str]:
    """The functions behind the two nodes that `saver_def` names, which nothing else may call."""
    save = graph.saver_def.save_tensor_name.split(":")[0]
    savers = {save, graph.saver_def.restore_op_name} - {""}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    found: set[str] = set()
    pending = [name for node in graph.graph_def.node if node.name in savers for name in _called(node)]
    while pending:
        name = pending.pop()
        if name in functions and name not in found:
            found.add(name)
            pending.extend(called for node in functions[name].node_def for called in _called(node))
    for caller, node in _all_nodes(graph):
        called = sorted(found & {*_called(node), node.op})
        if called and caller not in found and (caller or node.name not in savers):
            raise _unsafe(f"The saver's function {called[0]!r} is called by the {_place(node, caller)}")
        if not caller and savers & {source.split(":")[0].lstrip("^") for source in node.input}:
            raise _unsafe(f"The saver feeds the {_place(node, caller)}")
    outputs = {tensor.name.split(":")[0] for each in graph.signature_def.values() for tensor in each.outputs.values()}
    offered = sorted((outputs & savers) | (found & set(graph.object_graph_def.concrete_functions)))
    if offered:
        raise _unsafe(f"The saver's {offered[0]!r} is offered to callers")
    return frozenset(found)


def _all_nodes(graph: Any) -> Iterator[tuple[str, Any]]:
    """Every node with the name of its function, "" in the graph itself."""
    for node in graph.graph_def.node:
        yield "", node
    for function in graph.graph_def.library.function:
        for node in function.node_def:
            yield function.signature.name, node


def _called(node: Any) -> Iterator[str]:
    """The functions that a node names among its attributes."""
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            yield attribute.func.name
        yield from (function.name for function in attribute.list.func)


def _allowed_with_custom_code(operation: str) -> bool:
    if operation in INFERENCE or operation in HARMLESS_STATEFUL:
        return True
    from tensorflow.python.framework import op_def_registry

    registered = op_def_registry.get(operation)
    return registered is not None and not registered.is_stateful


def _check(node: Any, function: str, allowed: Callable[[str], bool]) -> None:
    if is_fatal(node.op):
        raise _unsafe(
            f"The artefact holds the operation {node.op[:_NAME_LENGTH]} ({_place(node, function)}), which reaches "
            "files, other processes or Python"
        )
    if not allowed(node.op):
        raise _unsafe(
            f"The artefact holds the operation {node.op[:_NAME_LENGTH]} ({_place(node, function)}), which is not on "
            "the list of harmless ones"
        )


def _check_saver(node: Any, function: str) -> None:
    if node.op not in SAVER:
        raise _unsafe(
            f"The saver holds the operation {node.op[:_NAME_LENGTH]} ({_place(node, function)}), which no saver needs"
        )


def _place(node: Any, function: str) -> str:
    where = f" of the function {function[:_NAME_LENGTH]}" if function else ""
    return f"node {node.name[:_NAME_LENGTH]}{where}"


def _unsafe(message: str) -> MigrationError:
    return MigrationError(
        Reason.UNSAFE_OP,
        message,
        advice="Write custom code with plain TensorFlow operations; if the model has none, please report it.",
    )
