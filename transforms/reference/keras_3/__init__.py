"""Layers and operations of Keras 3, where they differ from Keras 2."""
