"""Replaces one layer by a small graph of standard layers, under that layer's name.

A rewrite that one tf-keras layer cannot express becomes a nested model: it can be used wherever the layer was, can be
shared, and accepts and propagates masks like any nested model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture.graph import Call, Graph, Layer, LayerPath, TensorRef, input_count
from transforms.canonical.model import ArraysByLayer

#: Class name of a layer that is one TensorFlow function, see `rebuild.tensor_ops`.
TENSOR_OP = "TensorOp"


class SubgraphBuilder:
    """Collects the layers of the replacement.

    Args:
        outer: the layer to be replaced.
        inputs: number of its inputs; None: as many as it is called with.
    """

    def __init__(self, outer: Layer, inputs: int | None = None) -> None:
        self._outer = outer
        self._layers: list[Layer] = []
        count = input_count(outer) if inputs is None else inputs
        self.inputs: tuple[TensorRef, ...] = tuple(self._input(f"{outer.name}_in{index}") for index in range(count))

    def _input(self, name: str) -> TensorRef:
        config = {"name": name, "batch_input_shape": None, "dtype": None}
        self._layers.append(Layer("InputLayer", name, (*self._outer.path, name), config))
        return TensorRef(name)

    def add(self, class_name: str, name: str, config: Mapping[str, Any], *inputs: TensorRef) -> TensorRef:
        """A new layer, called once. Returns its first output."""
        path = (*self._outer.path, name)
        self._layers.append(Layer(class_name, name, path, {**config, "name": name}, (Call(inputs),)))
        return TensorRef(name)

    def place(self, layer: Layer, name: str, *inputs: TensorRef) -> TensorRef:
        """An existing layer under a new name, called once. Returns its first output."""
        moved = moved_layer(layer, (*self._outer.path, name))
        self._layers.append(replace(moved, name=name, config={**moved.config, "name": name}, calls=(Call(inputs),)))
        return TensorRef(name)

    def add_op(self, op: str, name: str, *inputs: TensorRef, **options: Any) -> TensorRef:
        """A TensorFlow function as a layer. It propagates no mask."""
        return self.add(TENSOR_OP, name, {"op": op, "options": options}, *inputs)

    def with_mask_of(self, source: TensorRef, values: TensorRef, name: str) -> TensorRef:
        """`values` with the mask of `source`; both have the same shape.

        ReLU(max_value=0) gives zeros and keeps the mask; Add merges masks and adds nothing.
        """
        zeros = self.add("ReLU", f"{name}_mask", {"max_value": 0.0}, source)
        return self.add("Add", name, {}, values, zeros)

    def finish(self, *outputs: TensorRef) -> Layer:
        """The replacement: a nested model called like the layer."""
        outer = self._outer
        config = {"name": outer.name}
        graph = Graph("Model", outer.name, outer.path, config, tuple(self._layers), self.inputs, outputs)
        return replace(outer, class_name="Model", config=config, graph=graph, slots={})


def moved_layer(layer: Layer, path: LayerPath) -> Layer:
    """The layer, and everything inside it, at another path."""

    def relocate(inner: Layer) -> Layer:
        graph = inner.graph
        if graph is not None:
            graph = replace(
                graph,
                path=(*path, *graph.path[len(layer.path) :]),
                layers=tuple(relocate(each) for each in graph.layers),
            )
        return replace(
            inner,
            path=(*path, *inner.path[len(layer.path) :]),
            graph=graph,
            slots={slot: relocate(each) for slot, each in inner.slots.items()},
        )

    return relocate(layer)


def moved_arrays(arrays: ArraysByLayer, old: LayerPath, new: LayerPath) -> ArraysByLayer:
    """Arrays below `old`, moved below `new`; others are omitted."""
    return {(*new, *path[len(old) :]): held for path, held in arrays.items() if path[: len(old)] == old}


def merged_arrays(parts: Sequence[ArraysByLayer]) -> ArraysByLayer:
    """All arrays of the parts."""
    return {path: held for part in parts for path, held in part.items()}


def data_format(layer: Layer) -> str:
    """The layer's data format, by default `channels_last`."""
    return str(layer.config.get("data_format") or "channels_last")


def per_axis(value: object, rank: int) -> list[int]:
    """One integer for each of `rank` axes, stated per axis or once for all."""
    return [int(item) for item in value] if isinstance(value, list) else [int(str(value))] * rank
