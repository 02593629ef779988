"""Keras 1 layers as Keras 2 layers: names, options and arrays."""

from transforms.canonical.keras_1.upgrade import keras_1_upgraded

__all__ = ["keras_1_upgraded"]
