"""Preprocessing layers, and attention whose masks changed between releases."""

from __future__ import annotations

from dataclasses import replace

from transforms.architecture.attention import MULTI_HEAD
from transforms.canonical.model import Piece, Setting
from transforms.canonical.subgraph import SubgraphBuilder, moved_arrays
from transforms.records.runtime import Family

_AUGMENTATION = frozenset(
    """
    RandomFlip RandomTranslation RandomRotation RandomZoom RandomHeight RandomWidth RandomContrast RandomBrightness
    """.split()
)


def augmentation_left_out(piece: Piece, setting: Setting) -> Piece:
    """Layers that change images in training only hand them on at inference."""
    del setting
    layer = piece.layer
    if layer.class_name not in _AUGMENTATION:
        return piece
    config = {"name": layer.name, "activation": "linear"}
    return piece.became(
        replace(layer, class_name="Activation", config=config), "augmentation_left_out", layer.class_name
    )


def attention_without_mask(piece: Piece, setting: Setting) -> Piece:
    """MultiHeadAttention of tf.keras looks at masks since 2.10; before, it neither saw one nor handed one on.

    Source: `MultiHeadAttention.call` of keras 2.9 and 2.10.
    """
    layer = piece.layer
    seen = setting.runtime.family is not Family.TF_KERAS or setting.runtime.version >= (2, 10)
    if layer.class_name != MULTI_HEAD or not setting.masked or seen:
        return piece
    builder = SubgraphBuilder(layer)
    name = f"{layer.name}_unmasked"
    bare = [builder.add_op("identity", f"bare_{index}", ref) for index, ref in enumerate(builder.inputs)]
    y = builder.place(layer, name, *bare)
    outputs = (y, replace(y, tensor=1)) if layer.config.get("return_attention_scores") else (y,)
    arrays = moved_arrays(piece.arrays, layer.path, (*layer.path, name))
    return piece.became(builder.finish(*outputs), "mask_dropped", layer.class_name, arrays=arrays)
