"""Replaces a model's outputs by those of layers that the operator names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transforms.architecture.graph import Graph, TensorRef
from transforms.errors import MigrationError, Reason


def with_outputs(graph: Graph, names: Sequence[str]) -> Graph:
    """The graph with the outputs of these layers of its outermost level, in this order; unchanged if none is named.

    An output of the model with that name is used as it is; for other layers, the output of the last call.

    Raises MigrationError `invalid_row` for a layer that the model lacks, or that is named twice.
    """
    if not names:
        return graph
    if len(set(names)) != len(names):
        raise _unusable(graph, "names a layer twice")
    return replace(graph, outputs=tuple(ref for name in names for ref in _tensors(graph, name)))


def _tensors(graph: Graph, name: str) -> list[TensorRef]:
    own = [ref for ref in graph.outputs if ref.layer == name]
    if own:
        return own
    layer = next((layer for layer in graph.layers if layer.name == name), None)
    if layer is None:
        raise _unusable(graph, f"names {name[:80]!r}, which is no layer of the model")
    count = len(layer.graph.outputs) if layer.graph is not None else 1
    return [TensorRef(name, max(0, len(layer.calls) - 1), tensor) for tensor in range(count)]


def _unusable(graph: Graph, problem: str) -> MigrationError:
    known = ", ".join(ref.layer for ref in graph.outputs)
    return MigrationError(
        Reason.INVALID_ROW,
        f"The manifest's column `outputs` {problem}",
        advice=f"The model's own outputs are {known[:200]}; `h5ferry inspect` lists its layers.",
    )
