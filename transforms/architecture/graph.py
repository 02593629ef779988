"""The layer graph of a model, parsed from its stored config and from nothing else.

A config is data here: classes are names, nothing is imported or built. The parse keeps every layer's own config
exactly as the file holds it, so that the canonicaliser and the reference both start from the legacy text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

LayerPath: TypeAlias = tuple[str, ...]

#: Classes whose config holds a graph of layers.
MODEL_CLASSES = frozenset({"Model", "Functional", "Sequential"})


@dataclass(frozen=True)
class TensorRef:
    """One output tensor of one call of one layer of the same graph.

    Attributes:
        layer: name of the layer in the graph.
        call: index into that layer's `calls`, counted from 0 regardless of the file's base.
        tensor: index into the outputs of that call.
    """

    layer: str
    call: int = 0
    tensor: int = 0


@dataclass(frozen=True)
class Call:
    """One application of a layer. A shared layer has several.

    Attributes:
        inputs: the positional input tensors, in order (recurrent initial states follow the sequence input).
        kwargs: further call arguments as stored; tensors among them are `TensorRef`.
        bare: True if the file stores a single value and not a list, as for TensorFlow functions.
    """

    inputs: tuple[TensorRef, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    bare: bool = False


@dataclass(frozen=True)
class Layer:
    """One layer as stored.

    Attributes:
        class_name: class as stored, e.g. `CuDNNLSTM`.
        name: the layer's name within its graph.
        path: names from the outermost model inwards, this layer last. Layers inside a wrapper have the
            path of the wrapper and a slot name: `forward`, `backward`, `layer`, `cell`, `0`, `1`, ...
        config: the stored config. Read only.
        calls: how the graph applies it; empty for input layers and for layers inside wrappers.
        graph: the inner graph of a nested model, else None.
        slots: wrapped layers by slot name. Bidirectional: `forward` and, only when the file holds one,
            `backward`. TimeDistributed: `layer`. RNN and ConvRNN2D: `cell`. StackedRNNCells: `0`, `1`, ...
    """

    class_name: str
    name: str
    path: LayerPath
    config: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    graph: Graph | None = None
    slots: Mapping[str, Layer] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A model: layers in stored order, with its input and output tensors.

    A Sequential is stored as a chain. If it has no input layer of its own, one is added (class `InputLayer`, name
    `<first layer>_input`, as in Keras); its config then has `batch_input_shape`, which is None if the file does not
    record it.

    Attributes:
        unused: stored layers that no output depends on (see `pruning`), each with its place in stored order. Only the
            places of their arrays in the file matter.
        listed: names of the stored layers in the runtime's order (see `loader_order`), empty if not requested.
    """

    class_name: str
    name: str
    path: LayerPath
    config: Mapping[str, Any]
    layers: tuple[Layer, ...]
    inputs: tuple[TensorRef, ...]
    outputs: tuple[TensorRef, ...]
    unused: tuple[tuple[int, Layer], ...] = ()
    listed: tuple[str, ...] = ()

    @property
    def stored_layers(self) -> tuple[Layer, ...]:
        """All layers in stored order, including unused ones."""
        layers = list(self.layers)
        for place, layer in self.unused:
            layers.insert(place, layer)
        return tuple(layers)

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def walk(self) -> Iterator[Layer]:
        """Every layer, depth first: nested graphs and wrapped layers after the layer that holds them."""
        for layer in self.layers:
            yield from walk(layer)


def walk(layer: Layer) -> Iterator[Layer]:
    """The layer, then the layers inside it, depth first."""
    yield layer
    for inner in layer.slots.values():
        yield from walk(inner)
    if layer.graph is not None:
        yield from layer.graph.walk()


def call_tensors(call: Call) -> Iterator[TensorRef]:
    """Every tensor a call depends on, positional and named."""
    yield from call.inputs
    pending = list(call.kwargs.values())
    while pending:
        value = pending.pop()
        if isinstance(value, TensorRef):
            yield value
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, Mapping):
            pending.extend(value.values())


def evaluation_order(graph: Graph) -> list[tuple[Layer, int]]:
    """Every call of every layer, each after the calls it depends on (Kahn's algorithm).

    Raises ValueError, naming the layers, if the calls form a cycle.
    """
    layers = {layer.name: layer for layer in graph.layers}
    called = {layer.name for layer in graph.layers if layer.calls}
    waiting: dict[tuple[str, int], set[tuple[str, int]]] = {}
    followers: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for layer in graph.layers:
        for index, call in enumerate(layer.calls):
            key = (layer.name, index)
            waiting[key] = {(ref.layer, ref.call) for ref in call_tensors(call) if ref.layer in called}
            for needed in waiting[key]:
                followers.setdefault(needed, []).append(key)
    ready = [key for key, needs in waiting.items() if not needs]
    order: list[tuple[Layer, int]] = []
    while ready:
        name, index = ready.pop()
        order.append((layers[name], index))
        for follower in followers.get((name, index), ()):
            waiting[follower].discard((name, index))
            if not waiting[follower]:
                ready.append(follower)
    if len(order) != len(waiting):
        done = {(layer.name, index) for layer, index in order}
        stuck = sorted({name for name, index in waiting if (name, index) not in done})
        raise ValueError(", ".join(stuck[:5]))
    return order


def input_count(layer: Layer) -> int:
    """The number of tensors that the layer is called with; 1 for layers inside wrappers."""
    return max((len(call.inputs) for call in layer.calls), default=1)
