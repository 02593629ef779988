"""TensorFlow functions that a graph calls by name."""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION, FUNCTION_CLASSES
from transforms.canonical.model import Piece, Setting
from transforms.canonical.subgraph import TENSOR_OP


def function_named(piece: Piece, setting: Setting) -> Piece:
    """A function of `transforms.architecture.function_signatures` as the operation `function` of `rebuild.tensor_ops`."""
    del setting
    layer = piece.layer
    if layer.class_name not in FUNCTION_CLASSES:
        return piece
    name = layer.class_name.removeprefix(FUNCTION)
    config = {"op": "function", "options": {"name": name, ARGUMENTS: layer.config[ARGUMENTS]}}
    return piece.became(replace(layer, class_name=TENSOR_OP, config=config), "function_named", f"tf.{name}")
