"""Sets the L1 and L2 regularizers of the legacy layers on the rebuilt ones, so that their configs state them.

A regularizer takes effect when a layer is built from its config, as by `load_model`; it does not affect the signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tf_keras

from transforms.architecture.graph import Graph, Layer
from transforms.rebuild import RebuiltModel
from transforms.training.differences import Option

_CLASSES = frozenset({"L1L2", "L1", "L2"})
_SUFFIX = "_regularizer"
#: Their cells hold the options of a recurrent layer. Layers in a Bidirectional are copied and not considered.
_CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}


def carry_regularizers(model: RebuiltModel, graph: Graph) -> set[Option]:
    """Sets the regularizers of layers rebuilt with their own class. Returns those that were set."""
    kept: set[Option] = set()
    for layer in _plain_layers(graph):
        rebuilt = model.layers.get(layer.path)
        cudnn = layer.class_name in _CUDNN
        if rebuilt is None or type(rebuilt).__name__ != _CUDNN.get(layer.class_name, layer.class_name):
            continue
        holder = getattr(rebuilt, "cell", rebuilt)
        for key, value in layer.config.items():
            strength = _strength(value) if key.endswith(_SUFFIX) else None
            summed = cudnn and key.startswith("bias")
            if strength is not None and not summed and not key.startswith("activity") and hasattr(holder, key):
                setattr(holder, key, tf_keras.regularizers.L1L2(**strength))
                kept.add((layer.path, key))
    return kept


def _plain_layers(graph: Graph) -> Iterator[Layer]:
    """The layers of a graph and of the models in it, including those inside TimeDistributed."""
    for layer in graph.layers:
        inner = layer.slots["layer"] if layer.class_name == "TimeDistributed" else layer
        if inner.graph is not None:
            yield from _plain_layers(inner.graph)
        else:
            yield inner


def _strength(value: Any) -> dict[str, float] | None:
    config = value.get("config") if isinstance(value, Mapping) and value.get("class_name") in _CLASSES else None
    if not isinstance(config, Mapping):
        return None
    found = {key: config.get(key, 0.0) for key in ("l1", "l2")}
    return found if all(isinstance(each, (int, float)) for each in found.values()) else None
