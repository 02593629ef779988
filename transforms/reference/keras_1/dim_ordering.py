"""The `dim_ordering` that Keras 1 did not store: of ZeroPadding2D and 3D, Cropping2D and 3D, UpSampling2D and 3D.

Their `get_config` omits it, so that Keras 1 itself used the user's settings when it read the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from transforms.architecture.graph import Graph, Layer, LayerPath, walk
from transforms.reference.layer_call import NotCovered

#: Spatial layers that store no `dim_ordering`.
SILENT = frozenset({"ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D"})

#: Layers across which the ordering may change, because they do not preserve image axes.
_BOUNDARIES = frozenset({"Flatten", "Reshape", "Permute", "RepeatVector", "Dense", "TimeDistributedDense"})


class DimOrderings:
    """The ordering of every layer of a model that does not store it.

    That of the layers connected to it by image tensors, if they agree; else that of all layers of the model, if they
    agree. If no layer states one, the settings of the model's builder applied: not covered.
    """

    def __init__(self, graph: Graph) -> None:
        stored = set(_stored(graph.walk()))
        self._shared = stored.pop() if len(stored) == 1 else None
        self._connected: dict[LayerPath, frozenset[str]] = {}
        self._visit(graph)

    def of(self, path: LayerPath) -> str:
        """The ordering of such a layer. Raises NotCovered if the other layers do not determine it."""
        found = self._connected.get(path, frozenset())
        ordering = next(iter(found), self._shared)
        if ordering is None or len(found) > 1:
            raise NotCovered("a dim_ordering that neither the file stores nor the surrounding layers determine", path)
        return ordering

    def _visit(self, graph: Graph) -> None:
        for group in _connected_groups(graph):
            found = frozenset(_stored(inner for layer in group for inner in walk(layer)))
            for layer in group:
                self._connected.update((inner.path, found) for inner in walk(layer) if inner.class_name in SILENT)
        for layer in graph.layers:
            if layer.graph is not None:
                self._visit_nested(layer.graph)

    def _visit_nested(self, graph: Graph) -> None:
        """A nested model determines the ordering of its own layers if it can, else its surroundings do."""
        around = dict(self._connected)
        self._visit(graph)
        for path, found in around.items():
            self._connected[path] = self._connected[path] or found


def _stored(layers: Iterator[Layer]) -> Iterator[str]:
    for layer in layers:
        ordering = layer.config.get("dim_ordering")
        if ordering in ("th", "tf"):
            yield str(ordering)


def _connected_groups(graph: Graph) -> Sequence[Sequence[Layer]]:
    """Layers joined by tensors, cut at the boundaries (which belong to no group)."""
    neighbours: Mapping[str, set[str]] = {layer.name: set() for layer in graph.layers}
    inner = {layer.name: layer for layer in graph.layers if layer.class_name not in _BOUNDARIES}
    for layer in graph.layers:
        for ref in (ref for call in layer.calls for ref in call.inputs):
            if layer.name in inner and ref.layer in inner:
                neighbours[layer.name].add(ref.layer)
                neighbours[ref.layer].add(layer.name)
    groups, seen = [], set[str]()
    for name in inner:
        if name in seen:
            continue
        pending, group = [name], []
        seen.add(name)
        while pending:
            current = pending.pop()
            group.append(inner[current])
            pending.extend(neighbours[current] - seen)
            seen |= neighbours[current]
        groups.append(group)
    return groups
