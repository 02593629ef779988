"""Checks a written SavedModel against `saved_model.operation_lists`, on the bytes that a server would read.

Every node of the graph and of every function in its library is checked, called or not. Operations that read and write
files are allowed only in the saver's functions, which must have TensorFlow's own form (`saver_form`); all other
features that affect a loader or a graph rewriter must have this program's form (`graph_form`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transforms.saved_model.file_names import GRAPH
from transforms.saved_model.graph_form import all_nodes, check_form
from transforms.saved_model.operation_lists import HARMLESS_STATEFUL, INFERENCE, is_fatal
from transforms.saved_model.saver_form import saver_functions
from transforms.saved_model.unsafe_graph import place, shown, unsafe


def check_operations(saved_model: Path, *, custom_code: bool = False) -> Any:
    """Refuses an artefact that could do more than compute its outputs.

    Args:
        saved_model: the folder.
        custom_code: whether the operator's code was used to build it; its graph may then contain any registered
            operation without side effects that is not fatal, besides those of standard layers.

    Returns:
        The MetaGraphDef that was checked.

    Raises:
        MigrationError: `unsafe_op`, naming the operation with its node and function; also for assets, a second graph
            file or graph, and any form that this program does not write.
    """
    refuse_other_files(saved_model)
    stored = (saved_model / GRAPH).read_bytes()
    graph = _only_graph(stored)
    savers = saver_functions(graph, stored)
    allowed = _allowed_with_custom_code if custom_code else INFERENCE.__contains__
    for function, node in all_nodes(graph):
        if function not in savers:
            _check(node, function, allowed)
    check_form(graph, savers)
    return graph


def _only_graph(stored: bytes) -> Any:
    """The only graph of a `saved_model.pb`. Refuses fields unknown to this TensorFlow, which could hide content."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    try:
        model = SavedModel.FromString(stored)
    except DecodeError as error:
        raise unsafe(f"The artefact's graph cannot be read ({error})") from None
    model.DiscardUnknownFields()
    if model.ByteSize() != len(stored):
        raise unsafe("The artefact's graph holds more than this TensorFlow reads")
    if len(model.meta_graphs) != 1:
        raise unsafe(f"The artefact holds {len(model.meta_graphs)} graphs instead of one")
    (graph,) = model.meta_graphs
    if (
        graph.asset_file_def
        or "saved_model_assets" in graph.collection_def
        or any(node.HasField("asset") for node in graph.object_graph_def.nodes)
    ):
        raise unsafe("The artefact's graph names assets")
    if any(node.user_object.metadata for node in graph.object_graph_def.nodes):
        raise unsafe("The artefact holds metadata of Keras in the graph, which loaders take for keras_metadata.pb")
    return graph


def refuse_other_files(folder: Path) -> None:
    """Raises MigrationError `unsafe_op` for assets and for a second graph file.

    TensorFlow also reads `saved_model.cpb` and `saved_model.pbtxt`; this program writes neither.
    """
    others = sorted(path.name for path in folder.glob("saved_model.*") if path.name != GRAPH)
    assets = folder / "assets"
    held = sorted(path.name for path in assets.iterdir()) if assets.is_dir() and not assets.is_symlink() else []
    if others or held or assets.is_symlink():
        found = [*others, *(f"assets/{name}" for name in held)] or ["assets as a link"]
        raise unsafe(f"The artefact holds files that are not of this program's making: {', '.join(found)[:300]}")


def _allowed_with_custom_code(operation: str) -> bool:
    if operation in INFERENCE or operation in HARMLESS_STATEFUL:
        return True
    from tensorflow.python.framework import op_def_registry

    registered = op_def_registry.get(operation)
    return registered is not None and not registered.is_stateful


def _check(node: Any, function: str, allowed: Callable[[str], bool]) -> None:
    if is_fatal(node.op):
        raise unsafe(
            f"The artefact holds the operation {shown(node.op)} ({place(node, function)}), which reaches "
            "files, other processes or Python"
        )
    if not allowed(node.op):
        raise unsafe(
            f"The artefact holds the operation {shown(node.op)} ({place(node, function)}), which is not on "
            "the list of harmless ones"
        )
