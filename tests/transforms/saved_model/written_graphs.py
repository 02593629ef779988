"""A genuine artefact's graph as a thing to edit, and to write somewhere else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

Edit = Callable[[Any], None]


class WrittenGraph:
    """The one graph of an artefact, parsed anew for each edit.

    Args:
        folder: of the artefact.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stored = (folder / "saved_model.pb").read_bytes()

    def edited(self, edit: Edit, target: Path) -> Path:
        """The artefact with `edit` made to its MetaGraphDef, at `target`."""
        model = SavedModel.FromString(self._stored)
        edit(model.meta_graphs[0])
        return self.stored(model.SerializeToString(deterministic=True), target)

    def stored(self, graph: bytes, target: Path) -> Path:
        """The artefact with other bytes for its graph, at `target`."""
        if not (target / "variables").exists():
            shutil.copytree(self.folder / "variables", target / "variables")
        (target / "assets").mkdir(exist_ok=True)
        (target / "saved_model.pb").write_bytes(graph)
        return target

    @property
    def parsed(self) -> Any:
        """A MetaGraphDef of one's own."""
        return SavedModel.FromString(self._stored).meta_graphs[0]


def function(graph: Any, stem: str) -> Any:
    """The first function of which the name holds `stem`."""
    return next(each for each in graph.graph_def.library.function if stem in each.signature.name)


def node(graph: Any, name: str) -> Any:
    """A node of the graph itself."""
    return next(each for each in graph.graph_def.node if each.name == name)


def nodes(holder: Any, operation: str) -> list[Any]:
    """The nodes of a graph or function with an operation."""
    held = holder.node_def if hasattr(holder, "node_def") else holder.graph_def.node
    return [each for each in held if each.op == operation]


def every_node(graph: Any) -> Iterator[Any]:
    """Every node of the graph and of its functions."""
    yield from graph.graph_def.node
    for each in graph.graph_def.library.function:
        yield from each.node_def
