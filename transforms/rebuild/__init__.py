"""Rebuilds the canonical model as a tf-keras model. Importing this package imports TensorFlow."""

from transforms.rebuild.model import RebuiltModel, rebuild

__all__ = ["RebuiltModel", "rebuild"]
