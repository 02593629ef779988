"""Keras 1 layers as Keras 2 layers: names, options and arrays."""

from transforms.canonical.keras_1.upgrade import upgrade_keras_1

__all__ = ["upgrade_keras_1"]
