"""Keras 3 layers as Keras 2 layers: masks named, operations as TensorFlow functions, activations written out."""

from transforms.canonical.keras_3.named_masks import with_named_masks
from transforms.canonical.keras_3.upgrade import upgrade_keras_3

__all__ = ["upgrade_keras_3", "with_named_masks"]
