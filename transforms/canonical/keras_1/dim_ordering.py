"""The `dim_ordering` that Keras 1 leaves out of some layers' configs, and what it was where something else tells."""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.graph import Graph, Layer
from transforms.canonical.keras_1.options import SILENT_ON_FORMAT
from transforms.canonical.keras_1.upgrade import prevailing_data_format
from transforms.legacy.model import LegacyModel


def assumed_dim_ordering(model: LegacyModel) -> str:
    """`th` or `tf` where layers work on one that neither they nor the request state; "" where none does."""
    if not model.runtime.is_keras_1 or not any(map(_is_silent, model.graph.walk())):
        return ""
    return "th" if prevailing_data_format(model.graph) == "channels_first" else "tf"


def with_dim_ordering(model: LegacyModel, ordering: str) -> LegacyModel:
    """The model whose silent layers all state that ordering."""
    return replace(model, graph=_stated(model.graph, ordering))


def _stated(graph: Graph, ordering: str) -> Graph:
    return replace(graph, layers=tuple(_stated_layer(layer, ordering) for layer in graph.layers))


def _stated_layer(layer: Layer, ordering: str) -> Layer:
    return replace(
        layer,
        config={**layer.config, "dim_ordering": ordering} if _is_silent(layer) else layer.config,
        graph=None if layer.graph is None else _stated(layer.graph, ordering),
        slots={slot: _stated_layer(inner, ordering) for slot, inner in layer.slots.items()},
    )


def _is_silent(layer: Layer) -> bool:
    return layer.class_name in SILENT_ON_FORMAT and "dim_ordering" not in layer.config
