"""Keras 3 layers as Keras 2 layers: masks named, operations as TensorFlow functions, activations written out."""

from transforms.canonical.keras_3.named_masks import with_named_masks
from transforms.canonical.keras_3.upgrade import keras_3_upgraded

__all__ = ["keras_3_upgraded", "with_named_masks"]
