"""The order in which the legacy loaders traverse the layers of a model: `Model.layers`, by depth.

`load_weights_from_hdf5_group` pairs the groups of a file with the layers of the model one after the other. A
Sequential lists its layers as stored. Any other graph sorts them by their depth below the outputs, and those of one
depth by the first visit on the way from the outputs to the inputs (`Container.__init__` in keras/engine/topology.py,
1.2.2; `_map_graph_network` in keras/engine/network.py, 2.3.1, and tensorflow/python/keras/engine/network.py, 1.15;
`map_graph` in keras/src/ops/function.py, 3.15). The order in the config is irrelevant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from transforms.architecture.graph import Call, Graph, Layer, TensorRef

#: One call of one layer.
_Node: TypeAlias = tuple[str, int]


def with_loader_order(graph: Graph) -> Graph:
    """The graph, and each nested one, with the order of its layers stated as `listed`."""
    layers = tuple(_with_order_inside(layer) for layer in graph.layers)
    return replace(graph, layers=layers, listed=loader_order(graph))


def _with_order_inside(layer: Layer) -> Layer:
    inner = None if layer.graph is None else with_loader_order(layer.graph)
    slots = {slot: _with_order_inside(wrapped) for slot, wrapped in layer.slots.items()}
    return replace(layer, graph=inner, slots=slots)


def loader_order(graph: Graph) -> tuple[str, ...]:
    """The names of a graph's layers in its runtime's order; those that no output depends on come last, as stored."""
    stored = tuple(layer.name for layer in graph.layers)
    if graph.class_name == "Sequential":
        return stored
    inputs_of = {layer.name: _inputs_of_calls(layer) for layer in graph.layers}
    finished, visited = _visit([(ref.layer, ref.call) for ref in graph.outputs], inputs_of)
    depths = _depths(finished, inputs_of)
    reached = sorted(depths, key=lambda name: (-depths[name], visited[name]))
    return (*reached, *(name for name in stored if name not in depths))


def _inputs_of_calls(layer: Layer) -> list[list[_Node]]:
    """For each call of a layer, the calls that its arguments come from; a layer without calls has one, of none."""
    return [[(ref.layer, ref.call) for ref in _tensors(call)] for call in layer.calls] or [[]]


def _tensors(call: Call) -> Iterator[TensorRef]:
    """The tensors of a call in the order of `nest.flatten`: positional ones, then those of named arguments."""
    yield from call.inputs
    yield from _flattened({key: call.kwargs[key] for key in sorted(call.kwargs)})


def _flattened(value: Any) -> Iterator[TensorRef]:
    if isinstance(value, TensorRef):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _flattened(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _flattened(inner)


def _visit(outputs: list[_Node], inputs_of: Mapping[str, list[list[_Node]]]) -> tuple[list[_Node], dict[str, int]]:
    """The calls in the order in which a depth-first walk finishes them, and the time of each layer's first visit."""
    finished: list[_Node] = []
    seen: set[_Node] = set()
    visited: dict[str, int] = {}
    for output in outputs:
        pending: list[tuple[_Node, Iterator[_Node]]] = []
        _enter(output, inputs_of, seen, visited, pending)
        while pending:
            node, inputs = pending[-1]
            following = next(inputs, None)
            if following is not None:
                _enter(following, inputs_of, seen, visited, pending)
            else:
                finished.append(node)
                pending.pop()
    return finished, visited


def _enter(
    node: _Node,
    inputs_of: Mapping[str, list[list[_Node]]],
    seen: set[_Node],
    visited: dict[str, int],
    pending: list[tuple[_Node, Iterator[_Node]]],
) -> None:
    if node in seen:
        return
    name, call = node
    seen.add(node)
    visited.setdefault(name, len(visited))
    pending.append((node, iter(inputs_of[name][call])))


def _depths(finished: list[_Node], inputs_of: Mapping[str, list[list[_Node]]]) -> dict[str, int]:
    """The depth of each layer: that of its deepest call, where a call is deeper than whatever it feeds."""
    nodes: dict[_Node, int] = {}
    layers: dict[str, int] = {}
    for node in reversed(finished):
        name, call = node
        depth = max(nodes.get(node, 0), layers.get(name, 0))
        layers[name] = nodes[node] = depth
        for inner in inputs_of[name][call]:
            nodes[inner] = max(depth + 1, nodes.get(inner, 0))
    return layers
