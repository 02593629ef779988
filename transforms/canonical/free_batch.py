"""The batch size of models that state one, since a stateful layer keeps a state for each row, or a call built them.

Where states start at zero at each call nothing is kept, and rows are independent: any number of them may come.
"""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer
from transforms.canonical.subgraph import TENSOR_OP

#: Operations on tensors in which a stored function may name the batch size.
_STORED_FUNCTIONS = frozenset({"function", "expression"})
_SHAPES = ("batch_input_shape", "batch_shape")


def with_free_batch(canonical: Graph, legacy: Graph) -> Graph:
    """The canonical graph with a free batch, unless an operation or custom code may name it; else itself.

    TimeDistributed takes another way through a fixed batch: there it is freed only if a stateful layer fixed it.

    Args:
        canonical: its states start at zero at each call.
        legacy: the same model as stored.
    """
    stateful = any(layer.config.get("stateful") for layer in legacy.walk())
    distributed = any(layer.class_name == "TimeDistributed" for layer in canonical.walk())
    if any(map(_may_name_batch, canonical.walk())) or (distributed and not stateful):
        return canonical
    return _freed(canonical)


def _may_name_batch(layer: Layer) -> bool:
    stored_function = layer.class_name == TENSOR_OP and layer.config.get("op") in _STORED_FUNCTIONS
    return stored_function or is_custom(layer.class_name)


def _freed(graph: Graph) -> Graph:
    return replace(graph, layers=tuple(_freed_layer(layer) for layer in graph.layers))


def _freed_layer(layer: Layer) -> Layer:
    if layer.graph is not None:
        return replace(layer, graph=_freed(layer.graph))
    if layer.class_name != "InputLayer":
        return layer
    stated = {key: [None, *shape[1:]] for key in _SHAPES if (shape := layer.config.get(key))}
    return replace(layer, config={**layer.config, **stated})
