"""A digest of a model's computation without its weights: models with equal digests can share one traced graph."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from transforms.architecture.graph import Graph, Layer, TensorRef
from transforms.canonical.model import CanonicalModel


def architecture_fingerprint(model: CanonicalModel, custom_digest: str = "") -> str:
    """SHA-256 (hex) over canonical layers, connections, precision, weight shapes, dtypes and, if any, custom code."""
    shapes = {
        "/".join(path): {role: [list(array.shape), array.dtype.name] for role, array in sorted(held.items())}
        for path, held in sorted(model.arrays.items())
    }
    content = {"graph": _graph(model.graph), "floatx": model.floatx, "arrays": shapes}
    if custom_digest:
        content["custom"] = custom_digest
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _graph(graph: Graph) -> dict[str, Any]:
    return {
        "name": graph.name,
        "layers": [_layer(layer) for layer in graph.layers],
        "inputs": [_ref(ref) for ref in graph.inputs],
        "outputs": [_ref(ref) for ref in graph.outputs],
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "class": layer.class_name,
        "name": layer.name,
        "config": {} if layer.graph is not None else dict(layer.config),
        "calls": [[_ref(ref) for ref in call.inputs] for call in layer.calls],
        "kwargs": [{key: str(value) for key, value in call.kwargs.items()} for call in layer.calls],
        "graph": None if layer.graph is None else _graph(layer.graph),
        "slots": {slot: _layer(inner) for slot, inner in layer.slots.items()},
    }


def _ref(ref: TensorRef) -> list[Any]:
    return [ref.layer, ref.call, ref.tensor]
