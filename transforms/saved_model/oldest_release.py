"""The oldest release of TensorFlow that loads a graph, found from what the graph holds, without having that release.

A release refuses a graph with an operation or attribute that it does not know, in any function, used or not. What it
knows is a matter of its registry (`transforms.releases.tensorflow_operations`); for which types, layouts and devices it
has kernels is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from transforms.architecture.graph import LayerPath
from transforms.errors import MigrationError, Reason
from transforms.releases.table import Release
from transforms.releases.tensorflow_operations import OLDEST_SERVED, operation_since, release_text
from transforms.saved_model.graph_form import all_nodes


@dataclass(frozen=True)
class Requirement:
    """Something in a graph that not every release since `OLDEST_SERVED` knows.

    Attributes:
        release: the first that knows it.
        operation: with the attribute behind a dot, where that is what is younger.
        node: that holds it.
    """

    release: Release
    operation: str
    node: str


def requirements(graph: Any) -> Iterator[Requirement]:
    """All that a MetaGraphDef needs beyond the oldest release."""
    functions = {function.signature.name for function in graph.graph_def.library.function}
    for _, node in all_nodes(graph):
        if node.op in functions:
            continue
        for attribute in ("", *(name for name in node.attr if not name.startswith("_"))):
            release = operation_since(node.op, attribute)
            if release > OLDEST_SERVED:
                yield Requirement(release, f"{node.op}.{attribute}" if attribute else node.op, node.name)


def oldest_release(graph: Any) -> Release:
    """The oldest release that loads a MetaGraphDef."""
    return max((each.release for each in requirements(graph)), default=OLDEST_SERVED)


def require_release(graph: Any, wanted: Release, layers: Iterable[LayerPath]) -> None:
    """Raises MigrationError `needs_newer_tensorflow` where a release does not load a MetaGraphDef.

    Args:
        graph: as written.
        wanted: the release that is to load it.
        layers: the paths of all layers: the message names the one that the operation stands in.
    """
    beyond = max(
        (each for each in requirements(graph) if each.release > wanted), key=lambda each: each.release, default=None
    )
    if beyond is None:
        return
    raise MigrationError(
        Reason.NEEDS_NEWER_TENSORFLOW,
        f"The operation {beyond.operation} exists from TensorFlow {release_text(beyond.release)} on, and the artefact "
        f"is to load in {release_text(wanted)}",
        layer=_layer_of(beyond.node, layers),
        advice="Serve the model with that release, or rebuild it without the layer; --tensorflow-min asks for less.",
    )


def _layer_of(node: str, layers: Iterable[LayerPath]) -> LayerPath:
    """The innermost layer whose names stand, in their order, among the scopes of a node."""
    scopes = node.split("/")
    found = [path for path in layers if path and _in_order(path, scopes)]
    return max(found, key=len, default=())


def _in_order(names: LayerPath, scopes: list[str]) -> bool:
    position = iter(scopes)
    return all(name in position for name in names)
