"""Expressions that stored functions came to, evaluated in NumPy: a rule of its own for each listed function."""

from transforms.reference.lambda_functions.layer import LAMBDA_LAYERS

__all__ = ["LAMBDA_LAYERS"]
