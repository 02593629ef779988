"""Normalises calls of MultiHeadAttention: query, value, key and, if it is a tensor, the mask.

tf.keras stores the query as the input and everything else by name; Keras 3 stores up to three positional arguments.
Flags and a constant mask move to the config and must be the same for all calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from transforms.architecture.calls import POSITIONAL
from transforms.architecture.graph import Call, Graph, Layer, TensorRef
from transforms.errors import MigrationError, Reason

MULTI_HEAD = "MultiHeadAttention"

#: Config key of a mask: True if it is the fourth input, a nested list if the file stores it, else None.
ATTENTION_MASK = "attention_mask"

#: Arguments of a call besides its tensors, with their defaults.
CALL_OPTIONS: Mapping[str, Any] = {
    ATTENTION_MASK: None,
    "use_causal_mask": False,
    "return_attention_scores": False,
}

#: Options of late releases of Keras 3, with the values that have no effect.
_LATE: Mapping[str, tuple[Any, ...]] = {"sliding_window": (None,), "use_gate": (None, False)}


def with_attention_arguments(graph: Graph) -> Graph:
    """The graph with normalised calls. Raises MigrationError `unsupported_layer`, `invalid_config`."""
    return replace(graph, layers=tuple(map(_layer, graph.layers)))


def _layer(layer: Layer) -> Layer:
    if layer.graph is not None:
        return replace(layer, graph=with_attention_arguments(layer.graph))
    if layer.class_name != MULTI_HEAD:
        return layer
    for option, idle in _LATE.items():
        if layer.config.get(option) not in idle:
            raise _unsupported(layer, f"MultiHeadAttention with {option} is not supported")
    if not layer.calls:
        raise _unsupported(layer, "MultiHeadAttention inside a wrapper is not supported")
    read = [_call(layer, call) for call in layer.calls]
    if any(options != read[0][1] for _, options in read):
        raise _unsupported(layer, "MultiHeadAttention called several times, with other options")
    return replace(layer, config={**layer.config, **read[0][1]}, calls=tuple(call for call, _ in read))


def _call(layer: Layer, call: Call) -> tuple[Call, dict[str, Any]]:
    given = {key: value for key, value in call.kwargs.items() if key != POSITIONAL}
    positional = list(call.kwargs.get(POSITIONAL, call.inputs))
    named = dict(zip(("query", "value", "key"), positional, strict=False))
    if len(positional) > 3 or named.keys() & given.keys():
        raise _unsupported(layer, "MultiHeadAttention is called in a way that is not supported")
    given = {**named, **given}
    tensors = [given.pop(name, None) for name in ("query", "value", "key")]
    if tensors[2] is None:
        tensors[2] = tensors[1]
    if not all(isinstance(tensor, TensorRef) for tensor in tensors):
        raise MigrationError(
            Reason.INVALID_CONFIG, "MultiHeadAttention is called without query or value", layer=layer.path
        )
    options = {key: given.pop(key, default) for key, default in CALL_OPTIONS.items()}
    unknown = [key for key, value in given.items() if value not in (None, False, 0)]
    if unknown:
        raise _unsupported(layer, f"MultiHeadAttention is called with {', '.join(unknown)}, which is not supported")
    if isinstance(options[ATTENTION_MASK], TensorRef):
        tensors.append(options[ATTENTION_MASK])
        options[ATTENTION_MASK] = True
    return Call(tuple(tensors)), options


def _unsupported(layer: Layer, message: str) -> MigrationError:
    return MigrationError(
        Reason.UNSUPPORTED_LAYER,
        message,
        layer=layer.path,
        advice="Rebuild the model with another layer in its place, or ask for support of this call.",
    )
