"""Removes layers that no output depends on: added losses and metrics, and the layers that feed only those.

`add_loss` and `add_metric` of tf.keras insert layers into the graph, with everything that the loss is computed from
(`Functional._insert_layers` in keras/engine/functional.py, 2.15): operations, a second call of an encoder, a similarity
network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from transforms.architecture.graph import Call, Graph, Layer, TensorRef, call_tensors

#: Maximum number of layers named in the report.
_SHOWN = 5


@dataclass
class _Needed:
    """Dependencies of a graph's outputs, by layer name: numbers of calls and of their output tensors."""

    calls: dict[str, set[int]] = field(default_factory=dict)
    tensors: dict[str, set[int]] = field(default_factory=dict)


def without_unused(graph: Graph) -> tuple[Graph, tuple[Layer, ...]]:
    """The graph reduced to what its outputs depend on, and the omitted layers, including those in nested models.

    Calls, and outputs of nested models, are renumbered if some are omitted. Inputs are always retained.
    """
    needed = _needed(graph)
    entries = {ref.layer for ref in graph.inputs}
    kept: list[Layer] = []
    unused: list[tuple[int, Layer]] = []
    inside: list[Layer] = []
    renumbered: dict[str, Mapping[int, int]] = {}
    for place, layer in enumerate(graph.layers):
        if layer.name not in needed.calls and layer.name not in entries:
            unused.append((place, layer))
            continue
        inner, tensors, left_out = _with_needed_inside(layer, needed.tensors.get(layer.name, set()))
        renumbered[layer.name] = tensors
        inside += left_out
        kept.append(inner)
    numbers = {name: {old: new for new, old in enumerate(sorted(calls))} for name, calls in needed.calls.items()}

    def moved(ref: TensorRef) -> TensorRef:
        call = numbers.get(ref.layer, {}).get(ref.call, ref.call)
        return TensorRef(ref.layer, call, renumbered[ref.layer].get(ref.tensor, ref.tensor))

    layers = tuple(
        replace(layer, calls=tuple(_moved(layer.calls[call], moved) for call in sorted(needed.calls[layer.name])))
        if layer.calls and layer.name in needed.calls
        else replace(layer, calls=())
        for layer in kept
    )
    pruned = replace(graph, layers=layers, outputs=tuple(map(moved, graph.outputs)), unused=tuple(unused))
    return pruned, (*(layer for _, layer in unused), *inside)


def left_out_note(left_out: Sequence[Layer]) -> tuple[str, ...]:
    """One line for the report, or none if nothing was omitted."""
    if not left_out:
        return ()
    names = ", ".join("/".join(layer.path) for layer in left_out[:_SHOWN])
    more = f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return (f"No output depends on {names}{more}: left out.",)


def _needed(graph: Graph) -> _Needed:
    """Follows the outputs back to the inputs, without recursion."""
    layers = {layer.name: layer for layer in graph.layers}
    entries = {(ref.layer, ref.call) for ref in graph.inputs}
    found = _Needed()
    pending = list(graph.outputs)
    while pending:
        ref = pending.pop()
        found.tensors.setdefault(ref.layer, set()).add(ref.tensor)
        calls = found.calls.setdefault(ref.layer, set())
        if ref.call in calls:
            continue
        calls.add(ref.call)
        layer = layers[ref.layer]
        if (ref.layer, ref.call) not in entries and ref.call < len(layer.calls):
            pending.extend(call_tensors(layer.calls[ref.call]))
    return found


def _with_needed_inside(layer: Layer, tensors: set[int]) -> tuple[Layer, Mapping[int, int], tuple[Layer, ...]]:
    """A nested model with only its used outputs, their new numbers, and the removed layers."""
    if layer.graph is None:
        wrapped = {slot: _with_needed_inside(inner, set()) for slot, inner in layer.slots.items()}
        slots = {slot: inner for slot, (inner, _, _) in wrapped.items()}
        return replace(layer, slots=slots), {}, tuple(lost for _, _, left_out in wrapped.values() for lost in left_out)
    count = len(layer.graph.outputs)
    used = sorted(tensor for tensor in tensors if tensor < count) or list(range(count))
    outputs = tuple(layer.graph.outputs[tensor] for tensor in used)
    graph, left_out = without_unused(replace(layer.graph, outputs=outputs))
    return replace(layer, graph=graph), {old: new for new, old in enumerate(used)}, left_out


def _moved(call: Call, moved: Any) -> Call:
    def argument(value: Any) -> Any:
        if isinstance(value, TensorRef):
            return moved(value)
        if isinstance(value, Mapping):
            return {key: argument(item) for key, item in value.items()}
        return [argument(item) for item in value] if isinstance(value, list) else value

    kwargs = {key: argument(value) for key, value in call.kwargs.items()}
    return replace(call, inputs=tuple(map(moved, call.inputs)), kwargs=kwargs)
