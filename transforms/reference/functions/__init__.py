"""The TensorFlow functions that a graph may call by name, in NumPy."""

from transforms.reference.functions.call import FUNCTION_LAYERS

__all__ = ["FUNCTION_LAYERS"]
