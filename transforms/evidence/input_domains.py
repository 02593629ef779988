"""The domains of a model's inputs: ids within an Embedding's vocabulary, masked steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from transforms.architecture.attention import MULTI_HEAD
from transforms.architecture.graph import Graph, Layer, TensorRef, evaluation_order
from transforms.layer_specs.registry import SPECS
from transforms.records.input_domain import InputDomain


def input_domains(graph: Graph) -> tuple[InputDomain, ...]:
    """The domain of each input of a graph, in order, found by following values to the layer that computes with them."""
    domains = [InputDomain() for _ in graph.inputs]
    origins: dict[TensorRef, frozenset[int]] = {ref: frozenset({index}) for index, ref in enumerate(graph.inputs)}
    for layer, call_index in evaluation_order(graph):
        call = layer.calls[call_index]
        sources = [origins.get(ref, frozenset()) for ref in call.inputs]
        for index, found in _domains_at(layer, sources):
            domains[index] = domains[index].narrowed(found)
        spec = SPECS.get(layer.class_name)
        if spec is not None and spec.keeps_values:
            origins[TensorRef(layer.name, call_index)] = frozenset().union(*sources)
    return tuple(domains)


def _domains_at(layer: Layer, sources: Sequence[frozenset[int]]) -> Iterable[tuple[int, InputDomain]]:
    """The requirements of a layer on the graph inputs that reach it unchanged."""
    while layer.class_name in ("TimeDistributed", "SpectralNormalization"):
        layer = layer.slots["layer"]
    if layer.graph is not None:
        for reached, found in zip(sources, input_domains(layer.graph), strict=False):
            yield from ((index, found) for index in reached)
        return
    if layer.class_name == MULTI_HEAD:
        yield from ((index, InputDomain(2)) for index in (sources[3] if len(sources) > 3 else ()))
        return
    found = _own_domain(layer)
    for reached in sources:
        yield from ((index, found) for index in reached)


def _own_domain(layer: Layer) -> InputDomain:
    if layer.class_name == "Embedding":
        vocabulary = layer.config.get("input_dim")
        size = vocabulary if isinstance(vocabulary, int) else None
        return InputDomain(size, 0.0 if layer.config.get("mask_zero") else None)
    if layer.class_name == "CategoryEncoding":
        depth = layer.config.get("num_tokens", layer.config.get("max_tokens"))
        return InputDomain(depth if isinstance(depth, int) else None)
    if layer.class_name in ("IntegerLookup", "StringLookup"):
        return _lookup_domain(layer)
    if layer.class_name == "Masking":
        value = float(layer.config.get("mask_value") or 0.0)
        return InputDomain(None, value if math.isfinite(value) else None)  # 0 * inf and 0 * nan are not zero
    return InputDomain()


#: Words of a vocabulary that may be drawn.
_WORDS = 256


def _lookup_domain(layer: Layer) -> InputDomain:
    """An inverted vocabulary takes ids; others take its words, and an unknown word if there is a place for it."""
    stored = layer.config.get("vocabulary")
    words = [str(word) for word in stored] if isinstance(stored, list) else []
    others = layer.config.get("num_oov_indices", 1)
    if layer.config.get("invert"):
        return InputDomain(len(words) + others + 1)
    return InputDomain(words=tuple(words[:_WORDS]), words_only=others == 0)
