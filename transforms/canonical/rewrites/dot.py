"""Dot of more than three axes, which was a matrix product before it became a contraction."""

from __future__ import annotations

from transforms.architecture.graph import Graph, Layer
from transforms.canonical.model import Piece, Setting
from transforms.canonical.subgraph import SubgraphBuilder

_ADDS_AN_AXIS = frozenset({"Embedding", "RepeatVector", "Reshape"})


def dot_as_matrix_product(piece: Piece, setting: Setting) -> Piece:
    """`K.batch_dot` on TensorFlow multiplied matrices over the last two axes and paired up the axes before them.

    Since Keras 2.3 and TensorFlow 2.2 it sums over one axis of each input and crosses all others, as Theano did. Both
    agree up to three axes. Source: `batch_dot` in keras/backend/tensorflow_backend.py (1.2.2, 2.2.4).
    """
    layer, runtime = piece.layer, setting.runtime
    multiplied = runtime.backend in ("", "tensorflow") and runtime.version < (2, 3)
    if layer.class_name != "Dot" or not multiplied or not setting.more_than_three_axes:
        return piece
    builder = SubgraphBuilder(layer)
    options = {"axes": layer.config.get("axes", -1), "normalize": bool(layer.config.get("normalize"))}
    y = builder.add_op("matrix_product", "product", *builder.inputs, **options)
    return piece.became(builder.finish(y), "dot_as_matrix_product", "pairs up the axes before the last two")


def may_have_more_than_three_axes(graph: Graph) -> bool:
    """False where no tensor of the model can have more than three axes."""
    layers = list(graph.walk())
    deepest = max((_rank(layer) for layer in layers if layer.class_name == "InputLayer"), default=4)
    embeds = any(layer.class_name == "Embedding" for layer in layers)
    return deepest + embeds > 3 or any(_may_add_axes(layer) for layer in layers)


def _rank(layer: Layer) -> int:
    shape = layer.config.get("batch_input_shape", layer.config.get("batch_shape"))
    return len(shape) if isinstance(shape, list) else 4


def _may_add_axes(layer: Layer) -> bool:
    if layer.class_name == "Reshape":
        return len(layer.config.get("target_shape") or ()) > 2
    if layer.class_name == "TimeDistributed":
        return any(inner.graph is not None or inner.class_name in _ADDS_AN_AXIS for inner in layer.slots.values())
    return layer.class_name == "Merge" and layer.config.get("mode") == "cos"
