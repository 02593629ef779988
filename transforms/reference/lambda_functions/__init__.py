"""Evaluates translated expressions of stored functions in NumPy, with an independent rule for each listed function."""

from transforms.reference.lambda_functions.layer import LAMBDA_LAYERS

__all__ = ["LAMBDA_LAYERS"]
